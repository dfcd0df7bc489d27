"""A small real run of a store in a process of its own, which says aloud what is acknowledged.

    python -m torture.powered KIND FOLDER JOURNAL_BYTES SYNCHRONOUS

The journal is folded in at `JOURNAL_BYTES`; `SYNCHRONOUS` is `FULL` as it should be, or less to plant a bug.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from sqlalchemy import Engine

from gapless.ports import Store
from gapless.resample import derive
from gapless.stores import database, open_store, packed
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Lease, Wish
from gapless.vocabulary.timeframe import DAY, MINUTE, Base, Timeframe
from stores.making import SPY, T0, Bar, bar, batch, checked, minutes, url_of

COIN = Instrument.parse("X:BTCUSD")
WRITES = 24
_STEP = 240 * MINUTE
_REOPENED = (7, 15)
"""After these writes everything is closed and opened again."""
_TIDIED = 5
"""After so many writes what they left is merged."""
State = dict[Instrument, Batch]


@dataclass(frozen=True)
class Page:
    """One write: these bars are the truth of this span, recorded at `at` (Unix ms)."""

    instrument: Instrument
    bars: dict[int, Bar]
    span: Span
    at: int

    @cached_property
    def checked(self) -> Checked:
        """As a store takes it."""
        return checked(self.bars, self.span, self.at, instrument=self.instrument)


@cache
def pages() -> tuple[Page, ...]:
    """All writes in their order."""
    return tuple(_pages())


def _pages() -> Iterator[Page]:
    """New hours of two series, and now and then earlier ones again: other numbers, and a few bars less."""
    for number in range(WRITES):
        again = number % 4 == 3
        start = T0 + (number - 3 * again) * _STEP
        bars = minutes(100 + 5 * (number - 3 * again), start)
        if again:
            bars = {ts: bar(one[3] + 0.01) for ts, one in bars.items() if ts % 7}
        instrument = COIN if (number - 3 * again) % 3 else SPY
        yield Page(instrument, bars, Span(start, start + _STEP), number + 1)


@cache
def states() -> tuple[State, ...]:
    """What a store holds before the first write and after each."""
    bars: dict[Instrument, dict[int, Bar]] = {SPY: {}, COIN: {}}
    found = [{one: batch(held) for one, held in bars.items()}]
    for page in pages():
        kept = {ts: one for ts, one in bars[page.instrument].items() if ts not in page.span}
        bars[page.instrument] = kept | page.bars
        found.append({**found[-1], page.instrument: batch(bars[page.instrument])})
    return tuple(found)


def opened(url: str) -> Store:
    """The store at a URL."""
    return open_store(url, derive=derive)


def main(kind: str, folder: str, journal_bytes: str, synchronous: str) -> None:
    """Write all of it, and say after each write its number and the fence that it was made under."""
    _plant(int(journal_bytes), synchronous)
    url = url_of(kind, Path(folder))
    store, fence = _opened(url)
    store.begin_run("r1", 0, {})
    store.remember([Wish(SPY, Timeframe.parse("5m"), Span(T0, T0 + DAY))])
    _say("run 1")
    for number, page in enumerate(pages(), 1):
        store.write(page.checked, fence)
        _say(f"write {number}")
        _say(f"fence {fence.fence}")
        store.take_turn("p", calls=10, per=1.0, now=float(number))
        if number % _TIDIED == 0:
            store.tidy(page.instrument, Base.MINUTE)
        if number in _REOPENED:
            store.close()
            store, fence = _opened(url)
    store.close()


def _opened(url: str) -> tuple[Store, Lease]:
    store = opened(url)
    return store, store.claim("bars", "elsewhere:1:t", ttl=1000, now=0)


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def _plant(journal_bytes: int, synchronous: str) -> None:
    database._CHECKPOINT_BYTES = journal_bytes
    packed._FEW = 2
    engine = database.Database._engine

    def weaker(self: database.Database, wanted: str) -> Engine:
        return engine(self, synchronous if wanted == "FULL" else wanted)

    database.Database._engine = weaker  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    main(*sys.argv[1:])
