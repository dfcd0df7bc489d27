"""Parts of the trading day: which base bars a reader wants, and from where their windows count."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gapless.errors import UsageError
from gapless.vocabulary.batch import Batch, Ints
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.timeframe import Base, Timeframe


class SessionPart(StrEnum):
    """What a reader wants of each session."""

    ALL = "all"
    PRE = "pre"
    REGULAR = "regular"
    POST = "post"

    @classmethod
    def parse(cls, text: str) -> "SessionPart":
        """Read the name of a part.

        Raises:
            UsageError: a name that gapless does not offer.
        """
        try:
            return cls(text.strip())
        except ValueError:
            raise UsageError(
                f"`{text}` is not a part of a session.", hint=f"Use one of: {', '.join(cls)}."
            ) from None


def base_of(timeframe: Timeframe, part: SessionPart) -> Base:
    """The base bars that a timeframe of a part of each session is made from.

    Days, weeks and months of a part are made from minutes. The vendor's day bar cannot be cut: its prices are
    those of the regular session with the official closing price, its volume is that of the whole day. It is
    what `1d` of `all` gives. `1d` of `regular` is the sum of the regular minutes, so that it agrees with every
    shorter timeframe of `regular`; its close is the last regular minute's, and its volume leaves out what was
    traded before the open and, in most feeds, the closing auction.
    """
    return timeframe.base if part is SessionPart.ALL else Base.MINUTE


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """One part of each session, in order: from `start` to `end` (UTC ms, half-open, equally long columns)."""

    start: Ints
    end: Ints

    @classmethod
    def of(cls, sessions: Sessions, part: SessionPart) -> "Hours | None":
        """This part of every session; None for `all`, where nothing is left out.

        Sessions without the part are not in it: a market that never closes has no pre-market. Bars of a day
        that is not among `sessions` are in no part, so ask only where the calendar knows.
        """
        edges = {
            SessionPart.PRE: (sessions.pre, sessions.open),
            SessionPart.REGULAR: (sessions.open, sessions.close),
            SessionPart.POST: (sessions.close, sessions.post),
        }
        if part is SessionPart.ALL:
            return None
        start, end = edges[part]
        there = start < end
        return cls(start[there], end[there])

    def spans(self) -> SpanSet:
        """The same as one set; what is missing elsewhere makes no bar of this part less final."""
        return SpanSet(Span(int(a), int(b)) for a, b in zip(self.start, self.end, strict=True))

    def __contains__(self, instant: int) -> bool:
        at = int(np.searchsorted(self.start, instant, side="right")) - 1
        return at >= 0 and instant < self.end[at]

    def only(self, batch: Batch) -> Batch:
        """The bars that start inside."""
        edges = np.searchsorted(batch.ts, np.column_stack((self.start, self.end)).ravel())
        # Outside, inside, outside ... of the first part, the second part ...
        counts = np.diff(edges, prepend=0, append=len(batch))
        inside = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        return batch if inside.all() else batch.take(inside)
