"""The grid of derived bars: where the windows of a timeframe start and end.

Windows are fixed by the zone of the asset class, never by the span that is asked for:

- `1m` to `4h` count elapsed minutes from local midnight, and midnight ends a window. On the day when clocks go
  forward (23 hours) the last 2h window lasts one hour and the last 4h window three; on the day when they go
  back (25 hours) a last window of one hour is added to both. After the change that day's windows sit an hour
  off their usual wall-clock time, until the next midnight. Clocks change on Sundays, so no window of a stock
  session is touched. Counting wall-clock time instead would give both halves of the repeated hour one name.
- `1m` to `4h` of a part of each session (`Hours`) count from where that part starts, and its end cuts the last
  window. Regular hours of stocks in `1h` start at 09:30, 10:30 ... 15:30, the last one half an hour long; the
  post-market counts from the close: 16:00, or 13:00 on a half day. The pre-market starts at 04:00, where every
  window from midnight starts too. So a window never holds bars of two parts, and a day's bars are the same
  whatever happened on another day.
- `1d` is a local date, `1w` starts on Monday, `1mo` on the first, each at local midnight, in every part.

Windows are half-open. Without `Hours` they follow one another without holes: each instant is in exactly one.
With `Hours`, instants outside of them are in no intraday window.
"""

from functools import lru_cache

import numpy as np

from gapless.resample.hours import Hours
from gapless.resample.zones import Zone, zone
from gapless.vocabulary.batch import Ints
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, Timeframe


def window_starts(
    ts: Ints, timeframe: Timeframe, asset_class: AssetClass, hours: Hours | None = None
) -> Ints:
    """The start (UTC ms) of the window that holds each of these rising instants (UTC ms).

    With `hours` and an intraday timeframe, every instant has to be inside of them.
    """
    if timeframe.minutes is None:
        edges, counts = _calendar_windows(ts, timeframe, zone(asset_class.zone))
        return np.repeat(edges[:-1], counts)
    since, origin, _ = _stretches(asset_class, hours)
    origin = _spread(ts, since, origin)
    starts = ts - origin
    starts //= timeframe.minutes * MINUTE
    starts *= timeframe.minutes * MINUTE
    starts += origin
    return starts


def window_ends(ts: Ints, timeframe: Timeframe, asset_class: AssetClass, hours: Hours | None = None) -> Ints:
    """The end (UTC ms, exclusive) of the window that holds each of these rising instants (UTC ms).

    With `hours` and an intraday timeframe, every instant has to be inside of them.
    """
    if timeframe.minutes is None:
        edges, counts = _calendar_windows(ts, timeframe, zone(asset_class.zone))
        return np.repeat(edges[1:], counts)
    ends = window_starts(ts, timeframe, asset_class, hours) + timeframe.minutes * MINUTE
    since, _, until = _stretches(asset_class, hours)
    return np.minimum(ends, _spread(ts, since, until))


def aligned(span: Span, timeframe: Timeframe, asset_class: AssetClass, hours: Hours | None = None) -> Span:
    """The smallest span around `span` that cuts no window.

    `hours` have to hold every session of the trading days that `span` touches.
    """
    if hours is None or timeframe.minutes is None:
        return _whole(span, timeframe, asset_class)
    start, end = span.start, span.end
    if start in hours:
        start = int(window_starts(np.array([start], np.int64), timeframe, asset_class, hours)[0])
    if end - 1 in hours:
        end = int(window_ends(np.array([end - 1], np.int64), timeframe, asset_class, hours)[0])
    return Span(start, end)


@lru_cache(maxsize=256)
def _whole(span: Span, timeframe: Timeframe, asset_class: AssetClass) -> Span:
    """The same without hours; remembered, because a call asks it for one symbol after another."""
    start = window_starts(np.array([span.start], np.int64), timeframe, asset_class)
    end = window_ends(np.array([span.end - 1], np.int64), timeframe, asset_class)
    return Span(int(start[0]), int(end[0]))


def _stretches(asset_class: AssetClass, hours: Hours | None) -> tuple[Ints, Ints, Ints]:
    """Stretches of time with one grid: since when, from where windows count, what ends them (each UTC ms)."""
    if hours is not None:
        return hours.start, hours.start, hours.end
    local = zone(asset_class.zone)
    # Every midnight is on the grid of the day before, except where that day had 23 or 25 hours.
    return local.since, -local.offset, local.until


def _spread(ts: Ints, since: Ints, values: Ints) -> Ints:
    """For each of these rising instants the value of its stretch; one for all where that is the same."""
    if not len(ts):
        return ts
    first, last = np.searchsorted(since, (ts[0], ts[-1]), side="right") - 1
    touched = slice(first, last + 1)
    if first == last:
        return values[touched]
    edges = np.searchsorted(ts, since[touched])
    return np.repeat(values[touched], np.diff(edges, append=len(ts)))


def _calendar_windows(ts: Ints, timeframe: Timeframe, local: Zone) -> tuple[Ints, Ints]:
    """The edges (UTC ms) of all days, weeks or months from the first to the last of these rising instants.

    And how many of the instants each of them holds: one fewer than there are edges.
    """
    if not len(ts):
        return np.zeros(1, np.int64), np.zeros(0, np.int64)
    edges = local.midnights(_first_dates(local.date(int(ts[0])), local.date(int(ts[-1])), timeframe))
    return edges, np.diff(np.searchsorted(ts, edges))


def _first_dates(first: int, last: int, timeframe: Timeframe) -> Ints:
    """The dates (days since 1970) that start a day, week or month, around `first` and past `last`."""
    if timeframe.name == "1w":
        monday = first - (first + 3) % 7  # 1970 began on a Thursday
        return np.arange(monday, last + 8, 7)
    if timeframe.name == "1mo":
        start, end = np.array([first, last], "datetime64[D]").astype("datetime64[M]")
        return np.arange(start, end + 2).astype("datetime64[D]").astype(np.int64)
    return np.arange(first, last + 2)
