"""How complete one series is from close by: day by day, and minute by minute. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gapless.reports.coverage import Ground, Mark, ledger_pieces, mark_of, percent_of
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Entry, Outcome
from gapless.vocabulary.timeframe import Base


@dataclass(frozen=True, slots=True)
class DayMark:
    """One trading day of one series, from `start` to `end` (Unix ms); the rest as in `MonthMark` and `SeriesStatus`."""

    day: int
    start: int
    end: int
    mark: Mark
    percent: float
    missing_ms: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time of one state: `bars`, `no trade`, `empty`, `closed`, `provisional` or `missing`. Instants in Unix ms.

    `outcome` is the ledger's word (`unasked` where it has none), `reason` and `due` as in `Gap`.
    """

    start: int
    end: int
    state: str
    outcome: str = ""
    reason: str = ""
    due: int | None = None


@dataclass(frozen=True, slots=True)
class CloseUp:
    """One series over `[start, end)` (Unix ms); `percent` of its open time is proved, rounded down.

    `days` with how many bars of the base are stored for each, or `stretches`: what was asked for.
    """

    symbol: str
    base: Base
    start: int
    end: int
    percent: float
    days: tuple[tuple[DayMark, int], ...] = ()
    stretches: tuple[Stretch, ...] = ()


def days_of(base: Base, span: Span, ground: Ground) -> Iterator[DayMark]:
    """Every session that overlaps `span` and has begun, each as a whole."""
    open_time = list(ground.open_time(_around(span, ground), base))
    missing = list(SpanSet(open_time) - ground.coverage.covered)
    for day, session in zip(ground.sessions.day.tolist(), ground.sessions.spans(base), strict=True):
        if session.start < ground.now and session.overlaps(span):
            open_, lost = _inside(open_time, session), _inside(missing, session)
            mark = mark_of(session, open_, lost, ground.coverage)
            yield DayMark(day, session.start, session.end, mark, percent_of(open_, lost), lost.length)


def _inside(spans: Sequence[Span], whole: Span) -> SpanSet:
    """The part of sorted spans inside `whole`, without a look at all of them."""
    first = bisect_right(spans, whole.start, key=lambda span: span.end)
    last = bisect_left(spans, whole.end, key=lambda span: span.start)
    return SpanSet(spans[first:last]).clip(whole)


def stretches_of(base: Base, span: Span, ground: Ground, held: SpanSet) -> list[Stretch]:
    """All of `span` up to now, cut where its state changes. `held` is where a base bar is stored.

    For days a stretch of `bars` reaches from the bar's stamp to the end of its session.
    """
    whole = Span(span.start, min(span.end, max(span.start + 1, ground.now)))
    unknown = SpanSet([whole]) - SpanSet([ground.known])
    open_time = list(ground.sessions.trading(base).clip(whole) | unknown)
    bars, told = list(held.clip(whole)), list(ledger_pieces(whole, ground.coverage))
    words = [piece for piece, _ in told]
    found: list[Stretch] = []
    for part in _cut(whole, open_time, bars, words):
        _, entry = told[bisect_right(words, part.start, key=_start) - 1]
        stretch = _stretch(part, entry, is_open=_holds(open_time, part.start), held=_holds(bars, part.start))
        if found and _same(found[-1], stretch):
            stretch = _joined(found.pop(), stretch)
        found.append(stretch)
    return found


def proved(base: Base, span: Span, ground: Ground) -> float:
    """The share of the span's open time that is proved, in percent, rounded down."""
    open_time = ground.open_time(span, base)
    return percent_of(open_time, open_time - ground.coverage.covered)


def _around(span: Span, ground: Ground) -> Span:
    sessions = ground.sessions
    if not len(sessions):
        return span
    return Span(min(span.start, int(sessions.day[0])), max(span.end, int(sessions.post[-1])))


def _cut(whole: Span, *groups: Sequence[Span]) -> Iterator[Span]:
    """The span in pieces, so that each is wholly inside or outside every one of the sorted spans."""
    edges = {edge for spans in groups for span in spans for edge in (span.start, span.end)}
    return (Span(a, b) for a, b in pairwise(sorted(edges | {whole.start, whole.end})))


def _holds(spans: Sequence[Span], instant: int) -> bool:
    """Whether one of many sorted spans holds an instant."""
    place = bisect_right(spans, instant, key=_start) - 1
    return place >= 0 and instant in spans[place]


def _start(span: Span) -> int:
    return span.start


def _stretch(span: Span, entry: Entry | None, *, is_open: bool, held: bool) -> Stretch:
    outcome = entry.outcome if entry else None
    if held:
        state = "bars" if outcome is Outcome.BARS else "provisional"
    elif not is_open or outcome is Outcome.CLOSED:
        return Stretch(span.start, span.end, "closed")
    else:
        state = _WITHOUT_BARS.get(outcome, "missing")
    if entry is None:
        return Stretch(span.start, span.end, state, "unasked", "never asked for")
    return Stretch(span.start, span.end, state, entry.outcome.value, entry.reason, entry.due)


_WITHOUT_BARS: dict[Outcome | None, str] = {Outcome.BARS: "no trade", Outcome.EMPTY: "empty"}


def _same(a: Stretch, b: Stretch) -> bool:
    return (a.state, a.outcome, a.reason, a.due) == (b.state, b.outcome, b.reason, b.due)


def _joined(a: Stretch, b: Stretch) -> Stretch:
    return Stretch(a.start, b.end, a.state, a.outcome, a.reason, a.due)
