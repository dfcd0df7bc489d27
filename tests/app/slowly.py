"""A slow judge of derived bars: one loop over minutes or days, by the clock on the wall of the exchange."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np

from gapless.vocabulary.batch import Batch

NEW_YORK = ZoneInfo("America/New_York")
CLOSED = {date(2025, 11, 27), date(2025, 12, 25)}
HALF = {date(2025, 11, 28), date(2025, 12, 24)}
"""As the exchange published them."""

Row = tuple[int, float, float, float, float, float, float, int]


@dataclass(frozen=True)
class Day:
    """One trading day of stocks, or of what trades around the clock."""

    pre: datetime
    open: datetime
    close: datetime
    post: datetime


def day_of(wall: datetime, *, stock: bool) -> Day:
    """The hours of the day that a moment belongs to."""
    if not stock:
        start = datetime.combine(wall.date(), time(), UTC)
        return Day(start, start, start + timedelta(days=1), start + timedelta(days=1))
    close = time(13) if wall.date() in HALF else time(16)
    post = time(17) if wall.date() in HALF else time(20)
    edges = (datetime.combine(wall.date(), at, NEW_YORK) for at in (time(4), time(9, 30), close, post))
    return Day(*edges)


def slow_bars(base: Batch, frame: str, part: str = "all", *, stock: bool = True) -> list[Row]:
    """The bars of a timeframe and a part of each session, out of all base bars of the time around."""
    rows = list(zip(*(column.tolist() for column in base.columns.values()), strict=True))
    window = _window(frame, part, stock=stock)
    named = ((window(row[0]), row) for row in rows)
    kept = [(start, row) for start, row in named if start is not None]
    return [
        _merged(start, [row for _, row in group]) for start, group in groupby(kept, key=lambda one: one[0])
    ]


def _window(frame: str, part: str, *, stock: bool) -> Callable[[int], int | None]:
    zone = NEW_YORK if stock else UTC
    lengths = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240}

    def start_of(ts: int) -> int | None:
        wall = datetime.fromtimestamp(ts / 1000, zone)
        day = day_of(wall, stock=stock)
        hours = {"pre": (day.pre, day.open), "regular": (day.open, day.close), "post": (day.close, day.post)}
        midnight = datetime.combine(wall.date(), time(), zone)
        since, until = hours.get(part, (midnight, midnight + timedelta(days=2)))
        if not since <= wall < until:
            return None
        if frame in lengths:
            length = lengths[frame] * 60_000
            origin = int(since.timestamp() * 1000)
            return origin + (ts - origin) // length * length
        first = {"1w": midnight - timedelta(days=wall.weekday()), "1mo": midnight.replace(day=1)}
        return int(first.get(frame, midnight).timestamp() * 1000)

    return start_of


def _merged(start: int, rows: list[Row]) -> Row:
    volume = math.fsum(row[5] for row in rows)
    priced = [row for row in rows if not math.isnan(row[6])]
    weight = math.fsum(row[5] for row in priced)
    vwap = math.fsum(row[5] * row[6] for row in priced) / weight if weight else math.nan
    trades = [row[7] for row in rows]
    return (
        start,
        rows[0][1],
        max(row[2] for row in rows),
        min(row[3] for row in rows),
        rows[-1][4],
        volume,
        vwap,
        -1 if -1 in trades else sum(trades),
    )


def assert_same(made: Batch, expected: list[Row]) -> None:
    """Stamps, prices and trades to the last bit, sums as far as the order of adding allows."""
    assert expected
    columns = [np.array(column) for column in zip(*expected, strict=True)]
    for name, column in zip(made.columns, columns, strict=True):
        if name in ("volume", "vwap"):
            np.testing.assert_allclose(made.columns[name], column, rtol=1e-11)
        else:
            np.testing.assert_array_equal(made.columns[name], column)
