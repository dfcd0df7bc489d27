"""A small vendor on loopback that answers from a script, and a clock that costs no time."""

import asyncio
import time
from bisect import insort
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from gapless.fetch.body import MOST_BYTES, unpack
from gapless.fetch.client import Client, Timeouts, open_http
from gapless.fetch.limiter import Rate
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import Page, Request

if TYPE_CHECKING:
    from gapless.vocabulary.events import Event

KEY = "sentinel-key-1234567890"
Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """The bytes of one answer; header names with `_` for `-`."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Vendor:
    """Answers requests in the order of `script`; an act does what it likes with the connection, then closes it."""

    def __init__(self) -> None:
        self.script: list[bytes | Act] = []
        self.requests: list[str] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak one connection."""
        self.connections += 1
        try:
            while True:
                self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
                step = self.script.pop(0)
                if not isinstance(step, bytes):
                    await step(writer)
                    return
                writer.write(step)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class FakeTurns:
    """An exact sliding window in memory, written apart from any store."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.held: dict[str, float] = {}

    def take_turn(self, profile: str, *, calls: int, per: float, now: float) -> float:
        """As in `ports.Store`."""
        if now < self.held.get(profile, 0.0):
            return self.held[profile] - now
        times = self.times.setdefault(profile, [])
        recent = [t for t in times if t > now - per]
        if len(recent) < calls:
            times.append(now)
            return 0.0
        return recent[-calls] + per - now

    def move_turn(self, profile: str, counted: float, used: float) -> None:
        """As in `ports.Store`."""
        self.times[profile].remove(counted)
        insort(self.times[profile], used)

    def hold_back(self, profile: str, until: float) -> None:
        """As in `ports.Store`."""
        self.held[profile] = max(until, self.held.get(profile, 0.0))


class VirtualClock:
    """Time that passes only by sleeping, and only when everybody else has had a chance to go on."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.seconds = now
        self._sleepers: list[float] = []

    def now(self) -> int:
        """Unix milliseconds."""
        return round(self.seconds * 1000)

    def monotonic(self) -> float:
        """Seconds."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Let time pass; at least what the clock can show."""
        until = self.seconds + max(seconds, 0.001)
        self._sleepers.append(until)
        while self.seconds < until:
            for _ in range(20):
                await asyncio.sleep(0)
            if until == min(self._sleepers):
                self.seconds = max(self.seconds, until)
        self._sleepers.remove(until)


class Inline(Executor):
    """A thread pool without threads, so that a test is the same every time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 - as Executor
        """Do it now."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class RealClock:
    """The machine's."""

    def now(self) -> int:
        """Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Asker:
    """Opens clients against the vendor and asks; closes them when the test ends."""

    def __init__(self, vendor: Vendor, stack: AsyncExitStack) -> None:
        self.vendor, self.turns = vendor, FakeTurns()
        self.told: list[Event] = []
        self._stack = stack

    async def open(self, **settings: Any) -> Client:  # noqa: ANN401 - passed on to open_http as they are
        """A client; any argument of `open_http` can be given."""
        quick = dict.fromkeys(AssetClass, Timeouts(connect=0.5, idle=0.2, total=2.0))
        usual: dict[str, Any] = {
            "key": KEY,
            "base_url": self.vendor.url,
            "rates": dict[AssetClass, Rate | None](),
            "turns": self.turns,
            "clock": RealClock(),
            "tell": self.told.append,
            "timeouts": quick,
        }
        client: Client = await self._stack.enter_async_context(open_http(**(usual | settings)))
        return client

    async def ask(
        self,
        *script: bytes | Act,
        most_bytes: int = MOST_BYTES,
        **settings: Any,  # noqa: ANN401 - as above
    ) -> Page:
        """One request, answered by the script, and the page that the answer holds."""
        self.vendor.script += script
        client = await self.open(**settings)
        answered = await client.fetch(Request(self.vendor.url + "/v2/x?limit=1", AssetClass.STOCKS))
        return unpack(answered, most_bytes)
