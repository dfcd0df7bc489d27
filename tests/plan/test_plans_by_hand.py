"""Plans of markets as they are, in answers written by hand."""

from dataclasses import replace
from itertools import pairwise

import pytest

from gapless.plan import Outlook, Plan, SeriesPlan, plan_series
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Job
from gapless.vocabulary.timeframe import Base
from hand_made_market import EVER, new_york_day, ny, sessions

SPY, QQQ, SPX = (Instrument.parse(ticker) for ticker in ("SPY", "QQQ", "I:SPX"))
DATES = ["2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11", "2024-01-12", "2024-01-16", "2024-01-17"]
MARKET = Outlook(
    newest=ny("2024-01-18"),
    sessions=sessions(new_york_day(date) for date in DATES),
    known=EVER,
    covered=SpanSet(),
    waiting=SpanSet(),
    page_bars=50_000,
    density=1.0,
)
WISH = Span(ny("2024-01-08"), ny("2024-01-18"))


def chains(outlook: Outlook, span: Span = WISH, base: Base = Base.MINUTE) -> list[tuple[int, int]]:
    """The jobs of a plan as pairs of instants."""
    return [(job.span.start, job.span.end) for job in plan_series(SPY, base, span, outlook).jobs]


def test_weekends_and_holidays_do_not_split_a_chain() -> None:
    """One chain from the first minute of the first session to the last of the last."""
    assert chains(MARKET) == [(ny("2024-01-08 04:00"), ny("2024-01-17 20:00"))]
    assert chains(MARKET, base=Base.DAY) == [(ny("2024-01-08"), ny("2024-01-17 20:00"))]


def test_a_closed_weekend_needs_no_request() -> None:
    """From Saturday to Monday's holiday nothing is asked and all is closed."""
    weekend = Span(ny("2024-01-13"), ny("2024-01-16"))

    plan = plan_series(SPY, Base.MINUTE, weekend, MARKET)

    assert plan.jobs == ()
    assert list(plan.closed) == [weekend]


def test_the_rest_of_a_day_holds_no_day_bar() -> None:
    """A wish that begins at noon asks for days from the next one on; the vendor would answer with today's."""
    noon = Span(ny("2024-01-09 12:00"), ny("2024-01-11"))

    plan = plan_series(SPY, Base.DAY, noon, MARKET)

    assert [job.span for job in plan.jobs] == [Span(ny("2024-01-10"), ny("2024-01-10 20:00"))]
    assert list(plan.closed) == [
        Span(ny("2024-01-09 12:00"), ny("2024-01-10")),
        Span(ny("2024-01-10 20:00"), ny("2024-01-11")),
    ]
    assert chains(MARKET, noon) == [(ny("2024-01-09 12:00"), ny("2024-01-10 20:00"))]


def test_what_lies_ahead_is_not_asked_for() -> None:
    """A wish that begins after `newest` has no plan yet; one that goes on beyond it is cut there."""
    assert chains(MARKET, Span(ny("2024-01-18"), ny("2025-01-01"))) == []
    assert chains(replace(MARKET, newest=ny("2024-01-17 10:00")))[-1][-1] == ny("2024-01-17 10:00")


def test_two_holes_around_a_small_covered_part_are_one_request() -> None:
    """Reading two covered days again is cheaper than a second request."""
    held = SpanSet([Span(ny("2024-01-10"), ny("2024-01-12"))])

    plan = plan_series(SPY, Base.MINUTE, WISH, replace(MARKET, covered=held))

    assert [(job.requests, job.bars) for job in plan.jobs] == [(1, 7 * 960)]


def test_two_holes_around_a_large_covered_part_are_two_requests() -> None:
    """Where a page holds one session, reading the middle again would cost pages and save none."""
    held = SpanSet([Span(ny("2024-01-09"), ny("2024-01-17"))])

    assert chains(replace(MARKET, covered=held, page_bars=960)) == [
        (ny("2024-01-08 04:00"), ny("2024-01-08 20:00")),
        (ny("2024-01-17 04:00"), ny("2024-01-17 20:00")),
    ]


def test_what_waits_is_left_alone_until_it_is_due() -> None:
    """The hole of one day is not asked for again before its time."""
    doubted = Span(ny("2024-01-10 04:00"), ny("2024-01-10 20:00"))
    held = SpanSet([WISH]) - SpanSet([doubted])

    waiting = replace(MARKET, covered=held, waiting=SpanSet([doubted]))

    assert chains(waiting) == []
    assert chains(replace(waiting, waiting=SpanSet())) == [(doubted.start, doubted.end)]


def test_time_that_no_calendar_knows_is_asked_for() -> None:
    """Unknown is not closed: the answer decides."""
    unknown = replace(MARKET, sessions=sessions([]), known=Span(0, ny("2024-01-13")))

    assert chains(unknown) == [(ny("2024-01-13"), ny("2024-01-18"))]


def test_a_session_at_the_history_edge_is_refused_whole() -> None:
    """The edge is on Tuesday noon; a day later it could cut Wednesday, so Thursday is the first to be asked."""
    plan = plan_series(SPY, Base.MINUTE, WISH, replace(MARKET, history_edge=ny("2024-01-09 12:00")))

    assert [job.span.start for job in plan.jobs] == [ny("2024-01-11 04:00")]
    assert list(plan.refused) == [Span(ny("2024-01-08"), ny("2024-01-10 20:00"))]


@pytest.mark.parametrize("base", Base)
@pytest.mark.parametrize(
    ("edge", "first"),
    [
        ("2024-03-07 12:00", "2024-03-09"),
        ("2024-03-08 23:59", "2024-03-10"),
        ("2024-03-09 00:00", "2024-03-10"),
        ("2024-03-09 00:01", "2024-03-11"),
    ],
)
def test_days_that_touch_each_other_are_refused_one_by_one(base: Base, edge: str, first: str) -> None:
    """An index's days last from midnight to midnight in New York, one of them 23 hours; none of them is cut."""
    midnights = [ny(f"2024-03-{day:02}") for day in range(7, 15)]
    days = sessions((a, a, a, b, b) for a, b in pairwise(midnights))
    outlook = replace(MARKET, newest=midnights[-1], sessions=days, history_edge=ny(edge))

    plan = plan_series(SPX, base, Span(midnights[0], midnights[-1]), outlook)

    assert list(plan.refused) == [Span(midnights[0], ny(first))]
    assert [job.span for job in plan.jobs] == [Span(ny(first), midnights[-1])]


def test_a_plan_runs_its_longest_chains_first() -> None:
    """So that no long chain is left over at the end, and the order is the same each time."""

    def one(instrument: Instrument, day: int, bars: int, requests: int) -> SeriesPlan:
        span = Span(day, day + 1)
        return SeriesPlan(
            instrument, Base.MINUTE, span, (Job(instrument, Base.MINUTE, span, bars, requests),)
        )

    plan = Plan((one(SPY, 3, 10, 1), one(SPY, 2, 10, 1), one(QQQ, 9, 10, 1), one(SPY, 1, 900, 5)))

    assert [(job.instrument.ticker, job.span.start) for job in plan.jobs] == [
        ("SPY", 1),
        ("QQQ", 9),
        ("SPY", 2),
        ("SPY", 3),
    ]
    assert (plan.requests, plan.bars) == (8, 930)
