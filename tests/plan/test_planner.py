"""Plans of small random markets, held against sets of hours and against every other way of grouping."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import ceil

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gapless.ledger import fold
from gapless.plan import Outlook, SeriesPlan, plan_series
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Entry, Outcome
from gapless.vocabulary.timeframe import DAY, Base
from hand_made_market import HOUR, Row, cells, endless_day, runs, sessions, spans_of

COIN, STOCK = Instrument.parse("X:BTCUSD"), Instrument.parse("SPY")
END = 150  # hours
NO_EDGE = st.none()


@dataclass(frozen=True)
class Case:
    """A market in whole hours, what is known of it, and what is wished for."""

    base: Base
    rows: tuple[Row, ...]
    outlook: Outlook
    span: Span

    @property
    def asked(self) -> set[int]:
        """The hours that are wished for and have begun."""
        return {h for h in cells([self.span], HOUR) if h * HOUR < self.outlook.newest}

    @property
    def open(self) -> set[int]:
        """The hours of `asked` in which a bar can start, or in which nobody knows.

        A day's bar starts with the day: where that is covered or not asked for, the rest of the day holds none.
        """
        wanted = self.asked - self.covered
        rows = [row for row in self.rows if self.base is Base.MINUTE or row[0] // HOUR in wanted]
        trading = {h for row in rows for h in range(self._start(row) // HOUR, row[4] // HOUR)}
        return {h for h in self.asked if h in trading or h * HOUR not in self.outlook.known}

    @property
    def waiting(self) -> set[int]:
        """The hours that are not due yet. A day has one bar: the rest of it waits where its start does."""
        held = cells(self.outlook.waiting, HOUR)
        if self.base is Base.MINUTE:
            return held
        for row in self.rows:
            if (start := row[0] // HOUR) in self.asked - self.covered:
                day = set(range(start, row[4] // HOUR))
                held = held | day if start in held else held - day
        return held

    @property
    def covered(self) -> set[int]:
        """The hours that the ledger covers."""
        return cells(self.outlook.covered, HOUR)

    def _start(self, row: Row) -> int:
        return row[0] if self.base is Base.DAY else row[1]

    def bars(self, start: int, end: int) -> int:
        """The bars of a span in ms, counted hour by hour or day by day."""
        if self.base is Base.DAY:
            return sum(start <= row[0] < end for row in self.rows)
        hours = sum(
            row[1] // HOUR <= h < row[4] // HOUR
            for row in self.rows
            for h in range(start // HOUR, end // HOUR)
        )
        return ceil(hours * 60 * (self.outlook.density or 0))

    def requests(self, start: int, end: int) -> int:
        """Full pages and the rest; at least one."""
        return max(1, -(-self.bars(start, end) // self.outlook.page_bars))


@st.composite
def markets(draw: st.DrawFn, shortest_break: int = 0) -> tuple[Row, ...]:
    """Up to eight sessions of some hours each, with a day stamp at or before their first minute."""
    rows: list[Row] = []
    at = draw(st.integers(0, 10))
    for _ in range(draw(st.integers(0, 8))):
        day = at + draw(st.integers(shortest_break, 8))
        pre = day + draw(st.integers(0, 3))
        at = pre + draw(st.integers(1, 12))
        rows.append((day * HOUR, pre * HOUR, pre * HOUR, at * HOUR, at * HOUR))
    return tuple(rows)


hour_spans = st.tuples(st.integers(0, END), st.integers(1, 40)).map(
    lambda pair: Span(pair[0] * HOUR, sum(pair) * HOUR)
)
patches = st.lists(hour_spans, max_size=5).map(SpanSet)


@st.composite
def cases(draw: st.DrawFn, edges: st.SearchStrategy[int | None] = NO_EDGE) -> Case:
    """A market, a ledger and a wish, each drawn without regard to the others."""
    base, rows = draw(st.sampled_from(Base)), draw(markets())
    known = draw(st.one_of(st.just(Span(0, 10**12)), hour_spans))
    start, length = draw(st.integers(0, END)), draw(st.integers(1, END))
    outlook = Outlook(
        newest=draw(st.integers(1, END + 20)) * HOUR,
        sessions=sessions(rows),
        known=known,
        covered=draw(patches),
        waiting=draw(patches),
        page_bars=draw(st.sampled_from([1, 2, 3, 60, 90, 120, 300, 1000])),
        history_edge=draw(edges),
        density=draw(st.sampled_from([1.0, 0.5, 0.25])),
    )
    return Case(base, rows, outlook, Span(start * HOUR, (start + length) * HOUR))


def planned(case: Case) -> SeriesPlan:
    """The plan of a case."""
    return plan_series(STOCK, case.base, case.span, case.outlook)


def missing(case: Case, plan: SeriesPlan) -> set[int]:
    """The open hours that only a request can settle."""
    return case.open - case.covered - cells(plan.refused, HOUR) - cells(plan.waiting, HOUR)


edges = st.one_of(st.none(), st.integers(-40, END).map(lambda hour: hour * HOUR))


@given(cases(edges))
def test_every_hour_asked_for_is_in_exactly_one_state(case: Case) -> None:
    """Covered, closed, refused, waiting or in a job; nothing outside of what was asked for is touched."""
    plan = planned(case)
    refused, waiting, closed = (cells(part, HOUR) for part in (plan.refused, plan.waiting, plan.closed))
    in_jobs = cells((job.span for job in plan.jobs), HOUR)

    assert (refused | waiting) <= case.asked - case.covered
    assert waiting <= case.open & case.waiting
    assert not refused & waiting
    assert missing(case, plan) <= in_jobs
    assert not in_jobs & refused
    assert closed == case.asked - case.open - case.covered - refused - in_jobs
    assert in_jobs <= case.asked
    assert case.asked == in_jobs | closed | refused | waiting | (case.covered & case.asked)


@given(cases(edges))
def test_jobs_do_not_overlap_and_waste_nothing_at_their_edges(case: Case) -> None:
    """Each begins and ends with an hour that is missing; what needs no asking is only ever passed through."""
    plan = planned(case)
    needed = missing(case, plan)

    assert all(left.span.end <= right.span.start for left, right in pairwise(plan.jobs))
    for job in plan.jobs:
        assert {job.span.start // HOUR, job.span.end // HOUR - 1} <= needed
    if case.outlook.history_edge is None:
        assert not plan.refused
        assert cells(plan.waiting, HOUR) == (case.open - case.covered) & case.waiting


def groupings(pieces: list[list[int]]) -> Iterator[list[Span]]:
    """Every way to read runs of hours in chains: after each run a chain may end or go on."""
    for cuts in product((True, False), repeat=len(pieces) - 1):
        chains = [[pieces[0][0], pieces[0][-1]]]
        for piece, cut in zip(pieces[1:], cuts, strict=True):
            if cut:
                chains.append([piece[0], piece[-1]])
            else:
                chains[-1][1] = piece[-1]
        yield [Span(first * HOUR, (last + 1) * HOUR) for first, last in chains]


@settings(max_examples=150)
@given(cases())
def test_no_other_grouping_needs_fewer_requests_or_as_many_for_fewer_bars(case: Case) -> None:
    """So what is covered is read again only where that saves a request."""
    plan = planned(case)
    pieces = runs(missing(case, plan))
    assume(1 <= len(pieces) <= 7)

    costs = [
        (sum(case.requests(c.start, c.end) for c in chains), sum(case.bars(c.start, c.end) for c in chains))
        for chains in groupings(pieces)
    ]

    assert (sum(job.requests for job in plan.jobs), sum(job.bars for job in plan.jobs)) == min(costs)


@given(cases(edges))
def test_a_plan_carried_out_leaves_nothing_to_do(case: Case) -> None:
    """Recorded in a ledger, its spans make the next plan empty: no request is made twice."""
    plan = planned(case)
    done = [
        *((span, Outcome.BARS) for span in case.outlook.covered),
        *((job.span, Outcome.BARS) for job in plan.jobs),
        *((span, Outcome.CLOSED) for span in plan.closed),
        *((span, Outcome.REFUSED) for span in plan.refused),
    ]
    entries = [Entry(STOCK, case.base, span, outcome, recorded=0) for span, outcome in done]

    again = planned(replace(case, outlook=replace(case.outlook, covered=fold(entries).covered)))

    assert again.jobs == ()
    assert not again.closed
    assert again.refused == plan.refused
    assert cells(again.waiting, HOUR) == cells(plan.waiting, HOUR) - cells((j.span for j in plan.jobs), HOUR)


@given(cases(), st.integers(0, 50))
def test_the_next_day_asks_only_for_what_is_new(case: Case, later: int) -> None:
    """With nothing waiting and all read, a later look touches no hour before the one at which the first ended."""
    outlook = replace(case.outlook, waiting=SpanSet())
    first = planned(replace(case, outlook=outlook))
    read = SpanSet((*outlook.covered, *(job.span for job in first.jobs)))

    following = planned(
        replace(case, outlook=replace(outlook, covered=read, newest=outlook.newest + later * HOUR))
    )

    assert all(job.span.start >= outlook.newest for job in following.jobs)


@given(markets(shortest_break=1), st.sampled_from(Base), st.integers(-30, END), st.integers(0, 59))
def test_no_session_is_asked_for_that_the_history_edge_could_cut(
    rows: tuple[Row, ...], base: Base, hour: int, minute: int
) -> None:
    """The vendor would clip it without a word: it is refused whole, a day before the edge gets there."""
    limit = hour * HOUR + minute * 60_000
    span = Span(0, 400 * HOUR)
    outlook = Outlook(
        400 * HOUR, sessions(rows), span, SpanSet(), SpanSet(), 50_000, history_edge=limit - DAY
    )

    plan = plan_series(STOCK, base, span, outlook)

    for row in rows:
        session = Span(row[0] if base is Base.DAY else row[1], row[4])
        asked = any(job.span.overlaps(session) for job in plan.jobs)
        assert plan.refused.covers(session) == (not asked)
        if session.start < limit:
            assert not asked
        if session.start > limit:
            assert asked


@given(st.integers(-48, 400 * 60))
def test_a_market_without_breaks_is_cut_at_the_end_of_the_day_that_the_edge_is_in(minute: int) -> None:
    """Day bars and minutes begin with the same whole UTC day."""
    edge = minute * 60_000
    rows = [endless_day(f"1970-01-{day:02}") for day in range(1, 22)]
    span = Span(0, 21 * DAY)
    outlook = Outlook(21 * DAY, sessions(rows), span, SpanSet(), SpanSet(), 50_000, history_edge=edge)
    first_whole_day = next(n for n in range(40) if n * DAY >= edge + DAY)

    for base in Base:
        (job,) = plan_series(COIN, base, span, outlook).jobs
        assert job.span == Span(first_whole_day * DAY, 21 * DAY)


def test_cells_and_spans_are_each_other_s_inverse() -> None:
    """The yardstick of these tests is straight."""
    assert cells(spans_of([1, 2, 5], HOUR), HOUR) == {1, 2, 5}
    assert runs([5, 1, 2]) == [[1, 2], [5]]
