"""When a market trades: one row a session, as a calendar tells it. Pure arithmetic over those rows."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gapless.vocabulary.batch import Ints
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.timeframe import MINUTE, Base


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """The sessions of one market, in order; every column in Unix milliseconds (UTC), equally long.

    `day` is the local midnight that starts the trading day (the stamp of its day bar), `pre` the first
    instant at which a minute bar can start, `open` and `close` the regular session, `post` the end of the
    extended session. Half-open: the last regular minute starts at `close - 1 min`. Markets without an
    extended session have `pre == open` and `post == close`.
    """

    day: Ints
    pre: Ints
    open: Ints
    close: Ints
    post: Ints

    def __len__(self) -> int:
        return len(self.day)

    def take(self, index: NDArray[np.bool_] | slice) -> "Sessions":
        """The sessions at these positions."""
        return Sessions(*(getattr(self, field.name)[index] for field in fields(self)))

    def spans(self, base: Base) -> Iterator[Span]:
        """Where bars of a base can start, one span a session: its minutes, or from its day bar's stamp on."""
        starts = self.day if base is Base.DAY else self.pre
        return (Span(int(a), int(b)) for a, b in zip(starts, self.post, strict=True))

    def trading(self, base: Base) -> SpanSet:
        """The same as one set; sessions that follow each other without a break become one span."""
        return SpanSet(self.spans(base))

    def opens(self, base: Base, *, regular: bool = False) -> Ints:
        """The starts of every bar that could exist: each minute of each session, or each day."""
        if base is Base.DAY:
            return self.day
        starts, ends = (self.open, self.close) if regular else (self.pre, self.post)
        parts = [np.arange(a, b, MINUTE, dtype=np.int64) for a, b in zip(starts, ends, strict=True)]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)
