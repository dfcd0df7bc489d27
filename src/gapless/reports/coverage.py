"""How complete a series is, month by month, and what is missing with its reason. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import floor

from gapless.ledger import Coverage
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Entry, Gap, Outcome, Wish
from gapless.vocabulary.timeframe import Base


class Mark(StrEnum):
    """A month's state at a glance; the value is its text mark."""

    COMPLETE = "#"
    PARTLY = "+"
    MISSING = "."
    PROVISIONAL = "~"
    REFUSED = "x"
    CLOSED = "-"
    OUTSIDE = " "


@dataclass(frozen=True, slots=True)
class MonthMark:
    """One month of one series; `percent` of its open time that is covered, rounded down."""

    month: str
    mark: Mark
    percent: float


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """How complete one wish is.

    `start` and `end` in Unix ms; `percent` of the open time that is proved, rounded down so that 100.0 means
    all; `bars` counts bars of the base; `provisional` those that can still change; `missing_ms` is the open
    time that is not covered. Time read so recently that it cannot be final yet counts for neither.
    """

    symbol: str
    timeframe: str
    base: Base
    start: int
    end: int
    percent: float
    bars: int
    provisional: int
    missing_ms: int
    months: tuple[MonthMark, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.missing_ms == 0


@dataclass(frozen=True, slots=True)
class Ground:
    """What coverage is measured against: the ledger's word, when the market was open, and the time.

    `known` is where the calendar can tell; bars that start before `final_until` should be final by `now`.
    """

    coverage: Coverage
    sessions: Sessions
    known: Span
    now: int
    final_until: int

    def open_time(self, span: Span, base: Base) -> SpanSet:
        """When bars could exist and be final: in sessions, and wherever the calendar cannot tell."""
        past = SpanSet([span]) - SpanSet([Span(self.now, max(span.end, self.now + 1))])
        settled = SpanSet([Span(min(0, self.final_until - 1), self.final_until)])
        fresh = self.coverage.where(Outcome.PROVISIONAL) - settled
        return ((self.sessions.trading(base) | (past - SpanSet([self.known]))) & past) - fresh


def status_of(wish: Wish, ground: Ground, *, bars: int, provisional: int) -> SeriesStatus:
    """Compare what is covered with what the market was open for, up to now; the counts are bars stored."""
    base, coverage = wish.timeframe.base, ground.coverage
    open_time = ground.open_time(wish.span, base)
    missing = open_time - coverage.covered
    return SeriesStatus(
        wish.instrument.ticker,
        wish.timeframe.name,
        base,
        wish.span.start,
        wish.span.end,
        percent_of(open_time, missing),
        bars,
        provisional,
        missing.length,
        tuple(
            _month(month, open_time.clip(month), missing.clip(month), coverage)
            for month in _months(wish.span, ground.now)
        ),
    )


def gaps_of(instrument: Instrument, base: Base, span: Span, ground: Ground) -> list[Gap]:
    """The open stretches of `span` up to now that are not covered, each with its reason, in order."""
    open_time = ground.open_time(span, base)
    missing = open_time - ground.coverage.covered
    closed = SpanSet([span]) - open_time
    gaps: list[Gap] = []
    # Nights and week-ends between two missing sessions are bridged: one gap that a person can act on.
    for hull in missing | closed:
        gaps += _by_reason(instrument, base, missing.clip(hull), ground.coverage)
    return gaps


def _by_reason(instrument: Instrument, base: Base, missing: SpanSet, coverage: Coverage) -> Iterator[Gap]:
    """Cut missing time where its reason changes, joining what has the same."""
    current: Gap | None = None
    for span in missing:
        for part, entry in ledger_pieces(span, coverage):
            gap = _gap(instrument, base, part, entry)
            same = current and (current.outcome, current.reason, current.due) == (
                gap.outcome,
                gap.reason,
                gap.due,
            )
            if current and same:
                current = _gap(instrument, base, Span(current.start, part.end), entry)
                continue
            if current:
                yield current
            current = gap
    if current:
        yield current


def _gap(instrument: Instrument, base: Base, span: Span, entry: Entry | None) -> Gap:
    if entry is None:
        return Gap(instrument.ticker, base, span.start, span.end, "unasked", "never asked for", None)
    return Gap(instrument.ticker, base, span.start, span.end, entry.outcome.value, entry.reason, entry.due)


def ledger_pieces(span: Span, coverage: Coverage) -> Iterator[tuple[Span, Entry | None]]:
    """All of `span` in order, each piece with the entry that speaks for it, None where nobody ever asked."""
    at = span.start
    for piece in coverage.within(span):
        if piece.span.start > at:
            yield Span(at, piece.span.start), None
        yield piece.span, piece.entry
        at = piece.span.end
    if at < span.end:
        yield Span(at, span.end), None


def percent_of(open_time: SpanSet, missing: SpanSet) -> float:
    """The share of the open time that is not missing, in percent, rounded down so that 100.0 means all."""
    if not missing.length:
        return 100.0
    return floor(1000 * (1 - missing.length / open_time.length)) / 10


def _month(month: Span, open_time: SpanSet, missing: SpanSet, coverage: Coverage) -> MonthMark:
    name = datetime.fromtimestamp((month.start + month.end) / 2000, UTC).strftime("%Y-%m")
    return MonthMark(name, mark_of(month, open_time, missing, coverage), percent_of(open_time, missing))


def mark_of(month: Span, open_time: SpanSet, missing: SpanSet, coverage: Coverage) -> Mark:
    """The state at a glance of a month, or a day."""
    if not missing.length:
        if coverage.where(Outcome.PROVISIONAL).clip(month).length:
            return Mark.PROVISIONAL
        return Mark.COMPLETE if open_time.length else Mark.CLOSED
    if missing.length < open_time.length:
        return Mark.PARTLY
    return Mark.REFUSED if not (missing - coverage.where(Outcome.REFUSED)).length else Mark.MISSING


def _months(span: Span, now: int) -> Iterator[Span]:
    """Calendar months in UTC, cut to the span and to now."""
    end = min(span.end, now)
    at = datetime.fromtimestamp(span.start / 1000, UTC)
    year, month, start = at.year, at.month, span.start
    while start < end:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004 - months in a year
        following = min(end, int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000))
        yield Span(start, following)
        start = following
