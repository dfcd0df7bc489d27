"""Eight processes on one store, one of them killed every second: nothing twice, nothing lost, no request too many."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from engine.living import KINDS, NOW, OwnedClock, asked, living, store_url, untrue, warehouse
from gapless.app import Warehouse
from gapless.errors import LeaseHeld
from gapless.sandbox import Rate, Sandbox, SyntheticMarket
from gapless.vocabulary.events import Event, PageStored
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY
from torture.harness import Figure, Harness
from torture.nursery import Nursery

HANDS = 8
SYMBOLS = ("X:BTCUSD", "X:ETHUSD", "X:SOLUSD", "X:ADAUSD", "C:EURUSD", "C:USDJPY")
WINDOW = 10.0
"""Seconds; the vendor counts requests in any window as long as this."""
_A_SECOND = 10
_AT_THE_END = 120.0
"""Seconds that are given to whoever is left to finish."""
_FAULT = "8 processes on one store, one killed every second"

Plant = Callable[[], None]


def nothing() -> None:
    """Break nothing."""


@dataclass(frozen=True, slots=True)
class Share:
    """What each process is to do: all days of all symbols, in an order of its own; `log` takes what it was told."""

    url: str
    store: str
    rate: str
    days: tuple[Span, ...]
    seed: int
    log: Path
    plant: Plant


def work(share: Share) -> None:
    """One symbol and one day after another; what somebody else holds is left to them, and looked at again."""
    share.plant()
    log = os.open(share.log, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    slices = [(symbol, day) for symbol in SYMBOLS for day in share.days]
    Random(share.seed).shuffle(slices)

    def tell(event: Event) -> None:
        if isinstance(event, PageStored):
            os.write(
                log,
                f"{event.receipt.inserted} {event.receipt.corrected + event.receipt.withdrawn}\n".encode(),
            )

    with _house(share.url, share.store, share.rate) as house:
        while slices:
            slices = [one for one in slices if not _done(house, *one, tell)]


def _done(house: Warehouse, symbol: str, day: Span, tell: Callable[[Event], None]) -> bool:
    report = house.backfill([symbol], ["1m"], day.start, day.end, tell=tell)
    assert report.exit_code in (0, LeaseHeld.exit_code), report.as_dict()
    return report.exit_code == 0


def _house(url: str, store: str, rate: str) -> Warehouse:
    return warehouse(url, store, _Hours(), rate=rate)


class _Hours(OwnedClock):
    """The real seconds, on a date of ours: every process sees the same."""

    def __init__(self) -> None:
        super().__init__(speed=1.0)

    def now(self) -> int:
        """The date, which goes on with the machine's own clock."""
        return self.at + time.time_ns() // 1_000_000 % DAY // 10**9 + int(time.monotonic() * 1000)
