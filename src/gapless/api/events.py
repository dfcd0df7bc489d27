"""The progress of every run as a stream: one watcher for all who listen, each told what it has not seen yet."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

import msgspec

from gapless.api.questions import last_write
from gapless.api.stock import Stock
from gapless.errors import GaplessError

_LOOK = 0.5
"""Seconds between two looks at the store."""
_STILL_HERE = 15.0
_LATEST = 20
MOST = 32
"""So many may listen at a time."""


class Events:
    """What there is to tell now, and a bell that rings when it is something else."""

    def __init__(self, stock: Stock, pool: Executor) -> None:
        self._stock, self._pool = stock, pool
        self._runs: dict[str, dict[str, Any]] = {}
        self._last_write: int | None = None
        self._bell = asyncio.Condition()
        self._watcher: asyncio.Task[None] | None = None
        self._over = False
        self.listening = 0

    async def close(self) -> None:
        """End every stream."""
        self._over = True
        if self._watcher is not None:
            self._watcher.cancel()
        async with self._bell:
            self._bell.notify_all()

    async def stream(self) -> AsyncGenerator[bytes]:
        """Server-sent events for one listener, until it goes or the server does."""
        self.listening += 1
        try:
            if self._watcher is None or self._watcher.done():
                self._watcher = asyncio.create_task(self._watch())
            yield b"retry: 2000\n\n"
            await self._look()
            # Runs that are over already are no news.
            seen = {name: run for name, run in self._runs.items() if run["state"] != "running"}
            wrote: int | None = None
            while not self._over:
                if self._last_write != wrote:
                    wrote = self._last_write
                    yield _event("store", {"last_write": wrote})
                for name, run in self._runs.items():
                    if seen.get(name) != run:
                        seen[name] = run
                        yield _event("run", run)
                if not await self._ring():
                    yield b": still here\n\n"
        finally:
            self.listening -= 1

    async def _ring(self) -> bool:
        async with self._bell:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), _STILL_HERE)
                return True
        return False

    async def _watch(self) -> None:
        """Look at the store while anybody listens."""
        pulse = None
        ticks = 0
        while self.listening:
            await asyncio.sleep(_LOOK)
            ticks += 1
            # Now and then anyway: that a run is lost shows in nothing that is written.
            if (now := self._stock.pulse()) != pulse or ticks % 20 == 0:
                pulse = now
                await self._look()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(GaplessError):  # no store yet, or not just now: nothing to tell
            runs, wrote = await loop.run_in_executor(self._pool, self._read)
            if (runs, wrote) != (self._runs, self._last_write):
                self._runs, self._last_write = runs, wrote
                async with self._bell:
                    self._bell.notify_all()

    def _read(self) -> tuple[dict[str, dict[str, Any]], int | None]:
        warehouse = self._stock.warehouse()
        runs = {run["run_id"]: run for run in reversed(warehouse.runs(_LATEST))}
        return runs, last_write(warehouse)


def _event(name: str, value: object) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"
