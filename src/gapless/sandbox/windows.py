"""How base bars become an answer: snapped ranges, windows anchored at `from`, pages cut by base bars."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np

from gapless.sandbox import hours
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats, Ints
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

Read = Callable[[Span], Batch]
Window = int | np.int64


class Unit(StrEnum):
    """The vendor's `timespan`."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def base(self) -> Base:
        """The bars it is built from, which are what `limit` counts."""
        return Base.MINUTE if self in _FIXED else Base.DAY


_FIXED = {Unit.MINUTE: MINUTE, Unit.HOUR: 60 * MINUTE}
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}
_SUNDAY = 4
"""1970-01-01 was a Thursday: four days into a week that starts on Sunday."""

_STRIDE = {Base.MINUTE: 31 * DAY, Base.DAY: 366 * DAY}
"""How much is read at once while a page fills."""


def units_of(unit: Unit, days: Ints) -> Ints:
    """The calendar unit that each day is in, counted from 1970."""
    if unit is Unit.DAY:
        return days
    if unit is Unit.WEEK:
        return (days + _SUNDAY) // 7
    months: Ints = days.astype("M8[D]").astype("M8[M]").astype(np.int64)
    return months // _MONTHS[unit]


def first_day(unit: Unit, count: int) -> int:
    """The first day of a calendar unit, counted from 1970."""
    if unit is Unit.DAY:
        return count
    if unit is Unit.WEEK:
        return count * 7 - _SUNDAY
    years, month = divmod(count * _MONTHS[unit], 12)
    return hours.ordinal(date(1970 + years, month + 1, 1))


def snap(unit: Unit, zone: str, instant: int, *, units: int = 0) -> int:
    """The start of the unit around an instant, or of the one that is `units` later."""
    if width := _FIXED.get(unit):
        return (instant // width + units) * width
    here = int(units_of(unit, np.array([hours.local_day(zone, instant)], np.int64))[0])
    return hours.local(zone, first_day(unit, here + units))


@dataclass(frozen=True, slots=True)
class Grid:
    """Windows of `multiplier` units, counted from `anchor`: of fixed length up to hours, calendar steps above."""

    unit: Unit
    multiplier: int
    anchor: int
    zone: str

    def window(self, starts: Ints) -> Ints:
        """The number of the window that each base bar is in; day bars start at local midnight."""
        if width := _FIXED.get(self.unit):
            return (starts - self.anchor) // (width * self.multiplier)
        # Midnight of every zone in use is on the same date in UTC.
        days = np.append(starts, self.anchor) // DAY
        count = units_of(self.unit, days)
        number: Ints = (count[:-1] - count[-1]) // self.multiplier
        return number

    def start(self, window: Window) -> int:
        """When a window starts."""
        steps = int(window) * self.multiplier
        if width := _FIXED.get(self.unit):
            return self.anchor + steps * width
        return snap(self.unit, self.zone, self.anchor, units=steps)

    def end(self, window: Window) -> int:
        """When a window ends."""
        return self.start(int(window) + 1)


@dataclass(frozen=True, slots=True)
class Cut:
    """One page of windows, in the order of time. `rest` is the part of the range that other pages hold."""

    bars: Batch
    used: int
    rest: Span | None


def cut(read: Read, grid: Grid, span: Span, limit: int, *, ascending: bool) -> Cut:
    """Fill a page from one end of `span` with at most `limit` base bars.

    A window that the limit cuts is left for the next page, unless the page would be empty without it.
    """
    base = _fill(read, grid.unit.base, span, limit + 1, ascending=ascending)
    windows = grid.window(base.ts)
    full = len(base) >= limit
    if len(base) > limit:
        beyond, near = (windows[-1], windows[0]) if ascending else (windows[0], windows[-1])
        if beyond == near:  # one window alone exceeds the limit: it is returned whole
            base = read(Span(max(grid.start(near), span.start), min(grid.end(near), span.end)))
        else:
            base = base.take(windows != beyond)
        windows = grid.window(base.ts)
    if not len(base):
        return Cut(base, 0, None)
    rest = None
    if full and ascending and (start := grid.end(windows[-1])) < span.end:
        rest = Span(start, span.end)
    if full and not ascending and (end := grid.start(windows[0])) > span.start:
        rest = Span(span.start, end)
    return Cut(roll_up(base, windows, grid), len(base), rest)


def _fill(read: Read, base: Base, span: Span, enough: int, *, ascending: bool) -> Batch:
    """The first (or last) `enough` base bars of a span."""
    parts: list[Batch] = []
    start, end, have, stride = span.start, span.end, 0, _STRIDE[base]
    while start < end and have < enough:
        step = Span(start, min(start + stride, end)) if ascending else Span(max(start, end - stride), end)
        start, end = (step.end, end) if ascending else (start, step.start)
        parts.append(read(step))
        have += len(parts[-1])
    found = Batch.concat(parts if ascending else reversed(parts))
    return found.take(slice(None, enough) if ascending else slice(max(len(found) - enough, 0), None))


def roll_up(base: Batch, windows: Ints, grid: Grid) -> Batch:
    """One bar a window: first open, highest, lowest, last close, sums; single units of the base stay as they are."""
    if grid.multiplier == 1 and grid.unit in (Unit.MINUTE, Unit.DAY):
        return base
    firsts = np.flatnonzero(np.diff(windows, prepend=windows[0] - 1))
    lasts = np.append(firsts[1:], len(base)) - 1
    weight = np.where(np.isnan(base.vwap), 0.0, base.volume)
    weights = np.add.reduceat(weight, firsts)
    worth = np.add.reduceat(np.nan_to_num(base.vwap) * np.nan_to_num(weight), firsts)
    trades = np.add.reduceat(np.maximum(base.trades, 0), firsts)
    counted = np.maximum.reduceat(base.trades, firsts) != NO_TRADES
    return Batch(
        ts=np.array([grid.start(window) for window in windows[firsts]], np.int64),
        open=base.open[firsts],
        high=np.maximum.reduceat(base.high, firsts),
        low=np.minimum.reduceat(base.low, firsts),
        close=base.close[lasts],
        volume=np.add.reduceat(base.volume, firsts).round(8),
        vwap=_ratio(worth, weights).round(4),
        trades=np.where(counted, trades, NO_TRADES),
    )


def _ratio(above: Floats, below: Floats) -> Floats:
    """`above` / `below`; NaN where there is nothing to divide by."""
    ratio: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return ratio
