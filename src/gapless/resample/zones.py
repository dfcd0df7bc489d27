"""Local midnights of a time zone: instants to local dates and back, vectorised."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from gapless.vocabulary.batch import Ints
from gapless.vocabulary.timeframe import DAY

_FIRST_YEAR, _LAST_YEAR = 1970, 2100  # before and after, the nearest offset goes on
_EPOCH = date(1970, 1, 1)
_MS = timedelta(milliseconds=1)
_FOREVER = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """Stretches of dates that start with one offset from UTC.

    A date counts by the offset at its midnight all through, so a new stretch begins at the midnight after a
    clock change. Per stretch: `offset` (local minus UTC, ms), `dates` its first date (days since 1970), `since`
    that date's midnight (UTC ms) and `until` the midnight that ends the stretch.
    """

    offset: Ints
    dates: Ints
    since: Ints
    until: Ints

    def date(self, instant: int) -> int:
        """The local date (days since 1970) of an instant (UTC ms)."""
        stretch = bisect_right(self.since, instant) - 1
        date = (instant + int(self.offset[stretch])) // DAY
        # The 25th hour of the day on which clocks go back still belongs to that day.
        is_last = stretch + 1 == len(self.dates)
        return date if is_last else min(date, int(self.dates[stretch + 1]) - 1)

    def midnights(self, dates: Ints) -> Ints:
        """The instants (UTC ms) at which these local dates start."""
        return dates * DAY - self.offset[np.searchsorted(self.dates, dates, side="right") - 1]


@cache
def zone(name: str) -> Zone:
    """The zone of this IANA name."""
    changes = _changes(ZoneInfo(name))
    dates = np.array([day for day, _ in changes], np.int64)
    offset = np.array([offset for _, offset in changes], np.int64)
    since = dates * DAY - offset
    dates[0] = since[0] = -_FOREVER
    return Zone(offset, dates, since, np.append(since[1:], _FOREVER))


def _changes(clock: ZoneInfo) -> list[tuple[int, int]]:
    """The dates (days since 1970) from which midnight has another offset (ms), the first date included.

    No zone of an asset class changes its clocks twice in a month: months that start alike are not searched.
    """
    years = range(_FIRST_YEAR, _LAST_YEAR)
    firsts = [(date(year, month, 1) - _EPOCH).days for year in years for month in range(1, 13)]
    changes = [(firsts[0], _offset(clock, firsts[0]))]
    for first, following in pairwise(firsts):
        if (new := _offset(clock, following)) != changes[-1][1]:
            days = range(first + 1, following + 1)
            at = bisect_left(days, x=True, key=lambda day: _offset(clock, day) == new)
            changes.append((days[at], new))
    return changes


def _offset(clock: ZoneInfo, day: int) -> int:
    """Local minus UTC, in ms, at the midnight that starts this date."""
    offset = datetime.combine(_EPOCH + timedelta(day), time(), clock).utcoffset()
    assert offset is not None  # a zone of its own is known for every date
    return offset // _MS
