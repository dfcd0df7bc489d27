"""A table of sessions in memory: which of them a span touches, and how far the table reaches."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from gapless.vocabulary.batch import Ints
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All sessions of one market inside `known`, in order.

    `ends` holds the local midnight (UTC ms) that ends each trading day: the day of a session is `[day, end)`.
    """

    known: Span
    sessions: Sessions
    ends: Ints

    def __post_init__(self) -> None:
        s = self.sessions
        for column in (s.day, s.pre, s.open, s.close, s.post, self.ends):
            column.setflags(write=False)  # readers get views of the one table that serves the whole process

    def overlapping(self, span: Span) -> Sessions:
        """The sessions whose trading day shares an instant with `span`; none outside `known`."""
        first = np.searchsorted(self.ends, span.start, side="right")
        last = np.searchsorted(self.sessions.day, span.end, side="left")
        return self.sessions.take(slice(int(first), int(last)))


def at(dates: Ints, hour: int, zone: str) -> Ints:
    """The instants (UTC ms) at which clocks in `zone` show `hour` on these dates (days since 1970).

    Hour 24 is the midnight that ends the date. Not for hours that a clock change skips or repeats.
    """
    clock = ZoneInfo(zone)
    shown = (_EPOCH + timedelta(days=date, hours=hour) for date in dates.tolist())
    return np.array([round(wall.replace(tzinfo=clock).timestamp()) * 1000 for wall in shown], np.int64)
