"""Coverage: what the ledger of one series vouches for, asked inside a store's own transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, select

from gapless.stores.schema import LEDGER
from gapless.vocabulary.batch import Ints, inside
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Entry, Outcome

_SPEAKS = frozenset(outcome for outcome in Outcome if outcome.covers or outcome is Outcome.LOST)
"""The outcomes that change what is covered: an attempt that failed does not uncover anything."""

# Built once: composing a statement costs more than running it.
_ENTRIES = (
    select(LEDGER.c.start_ts, LEDGER.c.end_ts, LEDGER.c.outcome)
    .where(LEDGER.c.series_id == bindparam("its_id"), LEDGER.c.outcome.in_([o.value for o in _SPEAKS]))
    .where(LEDGER.c.start_ts < bindparam("end"), LEDGER.c.end_ts > bindparam("start"))
    .order_by(LEDGER.c.id)
)
_HISTORY = (
    select(LEDGER.c.start_ts, LEDGER.c.end_ts, LEDGER.c.outcome, LEDGER.c.recorded)
    .where(LEDGER.c.series_id == bindparam("its_id"))
    .order_by(LEDGER.c.id)
)


@dataclass(frozen=True, slots=True)
class Word:
    """That a span was covered, or that its bars were lost, said by a write of the moment `written` (Unix ms)."""

    span: Span
    outcome: Outcome
    written: int

    def over(self, covered: SpanSet) -> SpanSet:
        """What is covered once this is said."""
        mine = SpanSet([self.span])
        return covered - mine if self.outcome is Outcome.LOST else covered | mine


def covered(connection: Connection, series_id: int, span: Span) -> SpanSet:
    """Where in `span` nothing needs to be asked any more: bars in here are final."""
    rows = connection.execute(_ENTRIES, {"its_id": series_id, "start": span.start, "end": span.end})
    result = SpanSet()
    for row in rows:
        result = Word(Span(row.start_ts, row.end_ts), Outcome(row.outcome), 0).over(result)
    return result.clip(span)


def history(connection: Connection, series_id: int) -> list[Word]:
    """All that was ever said about coverage, in order; a clock that was put back does not turn time back."""
    rows = connection.execute(_HISTORY, {"its_id": series_id}).all()
    moments = accumulate((row.recorded for row in rows), max)
    words = (
        Word(Span(row.start_ts, row.end_ts), Outcome(row.outcome), moment)
        for row, moment in zip(rows, moments, strict=True)
    )
    return [word for word in words if word.outcome in _SPEAKS]


def lost_since(connection: Connection, series_id: int, span: Span, moment: int) -> bool:
    """Whether bars of this span were lost after `moment` (Unix ms), so that nobody knows what they were."""
    return any(
        word.outcome is Outcome.LOST and word.written > moment and word.span.overlaps(span)
        for word in history(connection, series_id)
    )


def region(entries: Iterable[Entry]) -> Span | None:
    """From the first to the last instant whose bars these entries can make final or provisional."""
    speaks = _SPEAKS | {Outcome.PROVISIONAL}
    spans = [entry.span for entry in entries if entry.outcome in speaks]
    return Span(min(s.start for s in spans), max(s.end for s in spans)) if spans else None


def was_covered(words: Iterable[Word], ts: Ints, written: Ints) -> NDArray[np.bool_]:
    """For each bar's start, whether it was covered just before the moment `written` beside it (Unix ms)."""
    result = np.zeros(len(ts), np.bool_)
    ahead, at = list(words), 0
    before = SpanSet()
    for moment in np.unique(written).tolist():
        while at < len(ahead) and ahead[at].written < moment:
            before = ahead[at].over(before)
            at += 1
        chosen = written == moment
        result[chosen] = inside(ts[chosen], before)
    return result
