"""The grid of derived bars: where the windows of a timeframe start and end.

Windows are fixed by the zone of the asset class, never by the span that is asked for:

- `1m` to `4h` count elapsed minutes from local midnight, and midnight ends a window. On the day when clocks go
  forward (23 hours) the last 2h window lasts one hour and the last 4h window three; on the day when they go
  back (25 hours) a last window of one hour is added to both. After the change that day's windows sit an hour
  off their usual wall-clock time, until the next midnight. Clocks change on Sundays, so no window of a stock
  session is touched. Counting wall-clock time instead would give both halves of the repeated hour one name.
- `1d` is a local date, `1w` starts on Monday, `1mo` on the first, each at local midnight.

Windows are half-open and follow one another without holes: each instant is in exactly one.
"""

import numpy as np

from gapless.resample.zones import Zone, zone
from gapless.vocabulary.batch import Ints
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, Timeframe


def window_starts(ts: Ints, timeframe: Timeframe, asset_class: AssetClass) -> Ints:
    """The start (UTC ms) of the window that holds each of these rising instants (UTC ms)."""
    local = zone(asset_class.zone)
    if timeframe.minutes is None:
        edges, counts = _calendar_windows(ts, timeframe, local)
        return np.repeat(edges[:-1], counts)
    offset = np.repeat(local.offset, local.counts(ts))
    starts = ts + offset
    starts //= timeframe.minutes * MINUTE
    starts *= timeframe.minutes * MINUTE
    starts -= offset
    return starts


def window_ends(ts: Ints, timeframe: Timeframe, asset_class: AssetClass) -> Ints:
    """The end (UTC ms, exclusive) of the window that holds each of these rising instants (UTC ms)."""
    local = zone(asset_class.zone)
    if timeframe.minutes is None:
        edges, counts = _calendar_windows(ts, timeframe, local)
        return np.repeat(edges[1:], counts)
    ends = window_starts(ts, timeframe, asset_class) + timeframe.minutes * MINUTE
    # Every midnight is on the grid of the day before, except where that day had 23 or 25 hours.
    return np.minimum(ends, np.repeat(local.until, local.counts(ts)))


def aligned(span: Span, timeframe: Timeframe, asset_class: AssetClass) -> Span:
    """The smallest span of whole windows around `span`."""
    first, last = np.array([span.start], np.int64), np.array([span.end - 1], np.int64)
    start = window_starts(first, timeframe, asset_class)
    end = window_ends(last, timeframe, asset_class)
    return Span(int(start[0]), int(end[0]))


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
