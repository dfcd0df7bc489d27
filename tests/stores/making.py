"""Bars, writes and a slow derivation for the tests of stores: plain loops, nothing of the code under test."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from gapless.ports import Store
from gapless.stores import OpenTime, open_store
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Entry, Lease, Numbers, Outcome, Receipt
from gapless.vocabulary.timeframe import MINUTE, Base, Timeframe

SPY = Instrument.parse("SPY")
T0 = int(datetime(2024, 1, 2, 14, 30, tzinfo=UTC).timestamp() * 1000)
"""The open of a New York session, in Unix ms."""
EVER = Span(0, 2**50)
KINDS = ("packed", "plain")

Bar = tuple[float, float, float, float, float, float, int]
"""Open, high, low, close, volume, vwap, trades."""


def url_of(kind: str, folder: Path, name: str = "store") -> str:
    """Where a store of a kind lives in a folder."""
    return f"{folder}/{name}.gapless" if kind == "packed" else f"sqlite:///{folder}/{name}.db"


def file_of(url: str) -> Path:
    """The one file of a store."""
    return Path(url.removeprefix("sqlite:///"))


def opened(
    url: str, *, open_time: OpenTime | None = None, read_only: bool = False, create: bool = True
) -> Store:
    """The store at a URL, with the slow derivation."""
    return open_store(url, derive=slow_derive, open_time=open_time, read_only=read_only, create=create)


def bar(close: float, volume: float = 100.0) -> Bar:
    """A bar around a close."""
    return (close - 0.01, close + 0.02, close - 0.03, close, volume, close - 0.0025, 7)


def batch(bars: dict[int, Bar]) -> Batch:
    """A batch of bars by their start."""
    starts = sorted(bars)
    columns = [np.array([bars[ts][at] for ts in starts], np.float64) for at in range(6)]
    trades = np.array([bars[ts][6] for ts in starts], np.int64)
    open_, high, low, close, volume, vwap = columns
    return Batch(np.array(starts, np.int64), open_, high, low, close, volume, vwap, trades)


def numbers(bar: Bar | None) -> Numbers | None:
    """The same bar as revisions tell it; what has no number is None."""
    if bar is None:
        return None
    open_, high, low, close, volume, vwap, trades = bar
    known = [None if isnan(number) else number for number in (volume, vwap)]
    return Numbers(open_, high, low, close, known[0], known[1], None if trades == NO_TRADES else trades)


def minutes(count: int, start: int = T0, step: int = MINUTE) -> dict[int, Bar]:
    """So many bars, one after another."""
    return {start + i * step: bar(round(100 + (i * 7 % 13) / 100, 2), 100.0 + i) for i in range(count)}


def checked(
    bars: dict[int, Bar],
    span: Span,
    at: int,
    *,
    instrument: Instrument = SPY,
    base: Base = Base.MINUTE,
    outcome: Outcome = Outcome.BARS,
) -> Checked:
    """What the checks hand to a store: these bars are the truth of this span, recorded at `at` (Unix ms)."""
    entry = Entry(instrument, base, span, outcome, recorded=at, rows=len(bars))
    return Checked(instrument, base, batch(bars), (entry,))


def put(store: Store, bars: dict[int, Bar], at: int = 1, lease: Lease | None = None) -> Receipt:
    """Write minutes of SPY that are the truth from the first to the last."""
    return store.write(checked(bars, Span(min(bars), max(bars) + MINUTE), at), lease)


def slow_derive(base: Batch, timeframe: Timeframe, asset_class: AssetClass) -> Batch:
    """Bars of a timeframe, one by one: windows of minutes from local midnight, Monday weeks, months."""
    windows: dict[int, list[int]] = {}
    for index, ts in enumerate(base.ts.tolist()):
        windows.setdefault(_window(ts, timeframe, ZoneInfo(asset_class.zone)), []).append(index)
    return batch({start: _merged(base, rows) for start, rows in windows.items()})


def _window(ts: int, timeframe: Timeframe, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(ts / 1000, zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if timeframe.minutes:
        length = timeframe.minutes * MINUTE
        start = int(midnight.timestamp() * 1000)
        return start + (ts - start) // length * length
    if timeframe.name == "1mo":
        return int(midnight.replace(day=1).timestamp() * 1000)
    monday = datetime.fromordinal(midnight.toordinal() - midnight.weekday())
    return int(monday.replace(tzinfo=zone).timestamp() * 1000)


def _merged(base: Batch, rows: Sequence[int]) -> Bar:
    volume = float(sum(base.volume[i] for i in rows))
    money = float(sum(base.volume[i] * base.vwap[i] for i in rows))
    return (
        float(base.open[rows[0]]),
        max(float(base.high[i]) for i in rows),
        min(float(base.low[i]) for i in rows),
        float(base.close[rows[-1]]),
        volume,
        money / volume if volume else float("nan"),
        sum(int(base.trades[i]) for i in rows),
    )


def harm(url: str, where: str = "1") -> None:
    """Change stored bars behind the store's back: whole segments, or the rows `where` this is true."""
    with closing(sqlite3.connect(file_of(url))) as db:
        if url.startswith("sqlite:"):
            db.execute(f"UPDATE bar SET close = close + 1 WHERE {where}")
        else:
            db.execute("UPDATE segment SET payload = zeroblob(length(payload))")
        db.commit()
