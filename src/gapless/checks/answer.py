"""An answer against the calendar: which spans it covers, and where its silence is not believed yet. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gapless.vocabulary.batch import Batch, Ints
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Checked, Entry, Job, Outcome, Page
from gapless.vocabulary.timeframe import MINUTE, Base

_RAGGED_MINUTES = 60
_RAGGED_FACTOR = 3
_RAGGED_BARS = 1000


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around an answer; instants in Unix ms.

    `looks` are the spans that an earlier answer left without a bar, each with the time from which a second
    silence is believed; `confirm_after` (ms) is how long a first silence waits for its second look.
    """

    sessions: Sessions
    known: Span
    final_until: int
    now: int
    confirm_after: int
    looks: tuple[tuple[Span, int], ...] = ()
    run_id: str = ""


def judge(job: Job, batch: Batch, read: Span, page: Page, context: Context) -> Checked:
    """Say what the bars of one page prove about `read`, the span that this page answers for.

    A stretch without a bar is a claim. It is believed at once where it lies inside a session that has bars;
    where it swallows a whole session or all of the answer, or is out of all proportion at the edge of the answer,
    it is `unconfirmed` until a second look at its due time finds the same.
    """
    silent = SpanSet(_silences(job.base, batch.ts, read, context))
    looked = SpanSet(span for span, due in context.looks if due <= context.now)
    final = SpanSet([Span(min(read.start, context.final_until) - 1, context.final_until)])
    heard = SpanSet([read]) - silent
    verdicts = (
        (Outcome.BARS, None, heard & final),
        (Outcome.PROVISIONAL, None, heard - final),
        (Outcome.EMPTY, None, silent & looked),
        *((Outcome.UNCONFIRMED, due, spans) for due, spans in _waiting(silent - looked, context)),
    )
    entries = (
        _entry(job, span, outcome, due, batch, page, context)
        for outcome, due, spans in verdicts
        for span in spans
    )
    return Checked(job.instrument, job.base, batch, tuple(sorted(entries, key=lambda entry: entry.span)))


def _waiting(silent: SpanSet, context: Context) -> Iterator[tuple[int, SpanSet]]:
    """When a second silence is believed: what was silent before keeps its time, the rest begins to wait now."""
    left = silent
    for look, due in sorted(context.looks, key=lambda look: look[1]):
        yield due, left & SpanSet([look])
        left -= SpanSet([look])
    yield context.now + context.confirm_after, left


def _entry(
    job: Job, span: Span, outcome: Outcome, due: int | None, batch: Batch, page: Page, context: Context
) -> Entry:
    return Entry(
        job.instrument,
        job.base,
        span,
        outcome,
        recorded=context.now,
        reason=_REASONS[outcome],
        rows=len(batch.between(span)),
        request_id=page.request_id,
        digest=page.digest,
        url=page.request.url,
        job_id=job.id,
        run_id=context.run_id,
        due=due,
    )


_REASONS = {
    Outcome.BARS: "",
    Outcome.PROVISIONAL: "read before the session had settled",
    Outcome.EMPTY: "the vendor answered with no bars, asked again later, and answered the same",
    Outcome.UNCONFIRMED: "the vendor had no bars where the market was open; asked again before that is believed",
}


def _silences(base: Base, ts: Ints, read: Span, context: Context) -> Iterator[Span]:
    """The stretches without a bar that are not believed on one look, inside `read` and settled time."""
    settled = read.clip(Span(read.start, max(read.start + 1, context.final_until)))
    if settled is None or context.final_until <= read.start:
        return
    sessions = context.sessions
    starts = sessions.day if base is Base.DAY else sessions.pre
    whole = sessions.take((starts >= settled.start) & (sessions.post <= settled.end))
    units = [*whole.spans(base), *(SpanSet([settled]) - SpanSet([context.known]))]
    if base is Base.MINUTE and _open_minutes(settled, sessions, whole_answer=not len(ts)):
        units.append(settled)
    yield from _gaps_around(base, sorted(units), ts, settled)
    if base is Base.MINUTE and len(ts) >= _RAGGED_BARS:
        yield from _ragged_edges(ts, settled, sessions)


def _open_minutes(settled: Span, sessions: Sessions, *, whole_answer: bool) -> bool:
    """Whether it would mean something if there were no bar at all: markets that never close are read in parts.

    An answer without any bar is a claim wherever the market was open; beside bars of today it takes an hour.
    """
    edges = np.array([settled.start, settled.end], np.int64)
    if whole_answer:
        return bool(np.diff(_minutes_before(edges, sessions.pre, sessions.post))[0] > 0)
    return bool(np.diff(_minutes_before(edges, sessions.open, sessions.close))[0] > _RAGGED_MINUTES)


def _gaps_around(base: Base, units: list[Span], ts: Ints, read: Span) -> Iterator[Span]:
    """For each unit without a bar, all of the stretch without a bar that it lies in.

    After a day bar the stretch begins with the next silent day: asked from the middle of a day, the vendor
    would answer with that day's bar again.
    """
    starts = np.searchsorted(ts, np.array([u.start for u in units], np.int64)).tolist()
    ends = np.searchsorted(ts, np.array([u.end for u in units], np.int64)).tolist()
    first_silent: dict[int, Span] = {}
    for unit, index, end in zip(units, starts, ends, strict=True):
        if index == end:
            first_silent.setdefault(index, unit)
    for index, unit in first_silent.items():
        start = read.start
        if index > 0:
            start = int(ts[index - 1]) + MINUTE if base is Base.MINUTE else unit.start
        stop = int(ts[index]) if index < len(ts) else read.end
        if start < stop and (gap := Span(start, stop).clip(read)):
            yield gap


def _ragged_edges(ts: Ints, read: Span, sessions: Sessions) -> Iterator[Span]:
    """The head or tail of an answer that lacks far more open minutes than any stretch inside it.

    This is what a silently clipped answer looks like when the cut falls inside a session.
    """
    at_edges = np.array([read.start, ts[0], ts[-1], read.end], np.int64)
    first, last = np.diff(_minutes_before(at_edges, sessions.pre, sessions.post))[[0, 2]].tolist()
    if max(first, last - 1) <= _RAGGED_MINUTES:
        return  # as nearly always: no need to look at every bar
    inside = np.diff(_minutes_before(ts, sessions.pre, sessions.post)) - 1  # a bar takes up its own minute
    limit = max(_RAGGED_MINUTES, _RAGGED_FACTOR * int(inside.max(initial=0)))
    if first > limit:
        yield Span(read.start, int(ts[0]))
    if last - 1 > limit:
        yield Span(int(ts[-1]) + MINUTE, read.end)


def _minutes_before(instants: Ints, starts: Ints, ends: Ints) -> Ints:
    """Minutes that the market was open before each instant, counted from the first of `starts` on."""
    if not len(starts):
        return np.zeros_like(instants)
    lengths = ends - starts
    before = np.concatenate(([0], np.cumsum(lengths)))
    index = np.searchsorted(starts, instants, side="right") - 1
    inside = np.clip(instants - starts[index], 0, lengths[index])
    total: Ints = np.where(index < 0, 0, before[index] + inside) // MINUTE
    return total
