"""A living system for tests: a sandbox in a thread, a clock that tests own, warehouses over both stores."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gapless.app import Warehouse, open_warehouse
from gapless.sandbox import Market, Sandbox
from gapless.settings import load
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, Base

KINDS = ("packed", "plain")
_PATIENCE = 60.0
"""Seconds that a sandbox may take to start or to stop, on a machine with much else to do."""
AGGS = "/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{from}/{to}"


def utc(text: str) -> int:
    """A moment in UTC as Unix milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = utc("2026-11-24T06:00")
"""The night after Monday 23 November 2026 in New York: that day's session has settled."""


@dataclass(slots=True)
class OwnedClock:
    """Seconds go by `speed` times as fast as they do; the date stands at `at` until a test moves it.

    Where something waits for a date to come (the rate does, after a 429), `flows` lets the date go on with the
    quick seconds. Called, it is the sandbox's clock too, so that both sides see the same date.
    """

    at: int = NOW
    speed: float = 20.0
    flows: bool = False
    started: float = field(default_factory=time.monotonic)

    def __call__(self) -> int:
        """The date, for the sandbox."""
        return self.now()

    def now(self) -> int:
        """The date in Unix milliseconds."""
        return self.at + int((time.monotonic() - self.started) * self.speed * 1000) * self.flows

    def monotonic(self) -> float:
        """Quick seconds."""
        return time.monotonic() * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for as many quick seconds."""
        await asyncio.sleep(seconds / self.speed)


@contextmanager
def living(market: Market, **options: Any) -> Iterator[Sandbox]:  # noqa: ANN401 - Sandbox's own options
    """A sandbox that answers from a thread of its own until the block ends."""
    sandbox = Sandbox(market, **options)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        # A thread that nothing waits for: one that cannot be stopped must not keep this process for ever.
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(sandbox.start(), loop).result(timeout=_PATIENCE)
            yield sandbox
        finally:
            try:
                asyncio.run_coroutine_threadsafe(sandbox.stop(), loop).result(timeout=_PATIENCE)
            finally:
                loop.call_soon_threadsafe(loop.stop)
                thread.join(_PATIENCE)


def store_url(folder: Path, kind: str) -> str:
    """Where a store of this kind is kept in a folder."""
    return f"sqlite:///{folder}/market_data.db" if kind == "plain" else f"{folder}/market.gapless"


def warehouse(url: str, store: str, clock: OwnedClock, *, key: str = "sandbox", **settings: str) -> Warehouse:
    """A warehouse over a store and the vendor at `url`, with no limit of the rate unless told otherwise."""
    flags = {"store": store, "massive.base_url": url, "massive.plan": "advanced", "rate": "unlimited"}
    flags |= {name.replace("massive_", "massive."): text for name, text in settings.items()}
    found = load(flags, env={"MASSIVE_API_KEY": key}, folder=Path("/nowhere"), user_file=None)
    return open_warehouse(found, clock=clock)


def asked(sandbox: Sandbox) -> int:
    """How many pages of bars the sandbox was asked for so far, whatever it answered."""
    return sum(sandbox.stats["requests"].get(AGGS, {}).values())


def stored(house: Warehouse, symbol: str, base: Base, span: Span) -> Batch:
    """The bars that the store holds."""
    return house.store.read(Instrument.parse(symbol), base, span)


def truth(sandbox: Sandbox, symbol: str, base: Base, span: Span) -> Batch:
    """What the store should hold: the sandbox's own bars, with the days of an index stamped as we do.

    The vendor begins an index's day at midnight in Chicago, an hour after the midnight of New York.
    """
    instrument = Instrument.parse(symbol)
    bars = sandbox.truth(instrument, base, span)
    late = instrument.asset_class is AssetClass.INDICES and base is Base.DAY
    return replace(bars, ts=bars.ts - 60 * MINUTE) if late else bars


def untrue(house: Warehouse, sandbox: Sandbox, symbols: Sequence[str], span: Span) -> list[str]:
    """The series whose stored bars are not exactly the sandbox's own truth, or that have none."""
    return [
        f"{symbol} {base}: {len(held)} of {len(bars)} bars"
        for symbol in symbols
        for base in Base
        for bars, held in [(truth(sandbox, symbol, base, span), stored(house, symbol, base, span))]
        if bars != held or not len(bars)
    ]


def backfill_elsewhere(url: str, store: str, symbols: Sequence[str], start: str, end: str) -> None:
    """What another process does until it is done or killed."""
    with warehouse(url, store, OwnedClock()) as house:
        house.backfill(symbols, ["1m", "1d"], start, end)
