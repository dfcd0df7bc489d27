"""Answers as vendors give them: clipped, empty, thin, half settled; verdicts written by hand."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from gapless.checks import Context, judge
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Job
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from hand_made_market import EVER, PAGE, bars, endless_day, minutes, new_york_day, ny, sessions, utc
from shared_data import bitfinex_btcusd_2016, spy_2011

SPY, BTC = Instrument.parse("SPY"), Instrument.parse("X:BTCUSD")
LATER = utc("2030-01-01")
CONFIRM_AFTER = DAY
DATES = ["2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11", "2024-01-12"]
WEEK = Context(sessions(new_york_day(d) for d in DATES), EVER, LATER, LATER, CONFIRM_AFTER)
ALL = Span(ny("2024-01-08"), ny("2024-01-13"))
JUNE = Context(
    sessions(endless_day(f"2024-06-{d:02}") for d in range(1, 31)), EVER, LATER, LATER, CONFIRM_AFTER
)

Verdicts = list[tuple[str, int, int]]


def verdicts(
    read: Span, found: Batch | Iterable[int], context: Context, base: Base = Base.MINUTE
) -> Verdicts:
    """Outcome, start and end of every entry, in order."""
    batch = found if isinstance(found, Batch) else bars(found)
    instrument = BTC if context is JUNE else SPY
    entries = judge(Job(instrument, base, read), batch, read, PAGE, context).entries
    return [(e.outcome.value, e.span.start, e.span.end) for e in entries]


def regular(*dates: str) -> list[int]:
    """Every regular minute of some days."""
    return [at for d in dates for at in minutes(ny(f"{d} 09:30"), ny(f"{d} 16:00"))]


def test_a_week_of_regular_minutes_is_believed_at_once() -> None:
    """That nobody traded before and after hours is no gap."""
    assert verdicts(ALL, regular(*DATES), WEEK) == [("bars", ALL.start, ALL.end)]


def test_a_thin_stock_is_believed_while_it_has_bars_each_day() -> None:
    """Three trades a day are a thin stock, not a faulty answer."""
    few = [ny(f"{d} {time}") for d in DATES for time in ("09:30", "12:07", "15:59")]

    assert verdicts(ALL, few, WEEK) == [("bars", ALL.start, ALL.end)]


def test_a_missing_day_is_doubted_from_the_bar_before_to_the_bar_after() -> None:
    """Wednesday has no bar: from Tuesday's last minute to Thursday's first nothing is believed."""
    rest = regular("2024-01-08", "2024-01-09", "2024-01-11", "2024-01-12")
    tuesday, thursday = ny("2024-01-09 16:00"), ny("2024-01-11 09:30")

    assert verdicts(ALL, rest, WEEK) == [
        ("bars", ALL.start, tuesday),
        ("unconfirmed", tuesday, thursday),
        ("bars", thursday, ALL.end),
    ]


def test_a_missing_day_bar_is_doubted_from_its_own_midnight() -> None:
    """Asked again from there, the vendor does not give the bar of the day before once more."""
    days = [ny(d) for d in DATES if d not in ("2024-01-10", "2024-01-11")]
    wednesday, friday = ny("2024-01-10"), ny("2024-01-12")

    assert verdicts(ALL, days, WEEK, Base.DAY) == [
        ("bars", ALL.start, wednesday),
        ("unconfirmed", wednesday, friday),
        ("bars", friday, ALL.end),
    ]


def test_an_empty_answer_is_a_claim() -> None:
    """Nothing of it is believed on one look."""
    assert verdicts(ALL, [], WEEK) == [("unconfirmed", ALL.start, ALL.end)]
    assert verdicts(ALL, [], WEEK, Base.DAY) == [("unconfirmed", ALL.start, ALL.end)]


def test_the_same_empty_answer_after_its_due_time_is_believed() -> None:
    """Before that time the doubt stays as it was."""
    early = replace(WEEK, looks=((ALL, LATER + 1),))
    late = replace(WEEK, looks=((ALL, LATER),))

    assert verdicts(ALL, [], early) == [("unconfirmed", ALL.start, ALL.end)]
    assert verdicts(ALL, [], late) == [("empty", ALL.start, ALL.end)]


def test_bars_on_the_second_look_end_the_doubt() -> None:
    """What was empty and then is not, is bars."""
    looked = replace(WEEK, looks=((ALL, LATER),))

    assert verdicts(ALL, regular(*DATES), looked) == [("bars", ALL.start, ALL.end)]


def test_an_answer_clipped_at_its_head_is_doubted_there() -> None:
    """Monday begins at 14:00 although every other day begins at 09:30."""
    first = ny("2024-01-08 14:00")

    assert verdicts(ALL, [at for at in regular(*DATES) if at >= first], WEEK) == [
        ("bars", ALL.start, ALL.end),
    ], "4.5 missing hours are less than three quiet nights: still in proportion"

    every = [at for d in DATES for at in minutes(ny(f"{d} 04:00"), ny(f"{d} 20:00")) if at >= first]
    assert verdicts(ALL, every, WEEK) == [("unconfirmed", ALL.start, first), ("bars", first, ALL.end)]


def test_an_answer_clipped_at_its_tail_is_doubted_there() -> None:
    """A stock that trades every minute stops on Friday at noon."""
    last = ny("2024-01-12 12:00")
    every = [at for d in DATES for at in minutes(ny(f"{d} 04:00"), ny(f"{d} 20:00")) if at < last]

    assert verdicts(ALL, every, WEEK) == [("bars", ALL.start, last), ("unconfirmed", last, ALL.end)]


def test_today_is_provisional() -> None:
    """Before the session has settled its bars are kept, and read again later."""
    friday = ny("2024-01-12")
    early = replace(WEEK, final_until=friday)

    assert verdicts(ALL, regular(*DATES), early) == [
        ("bars", ALL.start, friday),
        ("provisional", friday, ALL.end),
    ]
    assert verdicts(Span(friday, ALL.end), [], early) == [("provisional", friday, ALL.end)]


def test_time_that_no_calendar_knows_needs_a_bar_to_be_believed() -> None:
    """With bars it is believed, without it is doubted: nothing says that the market was closed."""
    unknown = replace(WEEK, sessions=sessions([]), known=Span(0, ALL.start))

    assert verdicts(ALL, regular("2024-01-10"), unknown) == [("bars", ALL.start, ALL.end)]
    assert verdicts(ALL, [], unknown) == [("unconfirmed", ALL.start, ALL.end)]


def test_closed_time_needs_no_bar() -> None:
    """An empty answer about a weekend says nothing new."""
    weekend = Span(ny("2024-01-13"), ny("2024-01-15"))

    assert verdicts(weekend, [], WEEK) == [("bars", weekend.start, weekend.end)]


@pytest.mark.parametrize("minutes", [1, 60, 600])
def test_part_of_an_endless_day_without_any_bar_is_doubted(minutes: int) -> None:
    """Read a little at a time, a market that never closes could otherwise lose a day unseen."""
    read = Span(utc("2024-06-05 06:00"), utc("2024-06-05 06:00") + minutes * MINUTE)

    assert verdicts(read, [], JUNE) == [("unconfirmed", read.start, read.end)]


@pytest.mark.parametrize(("start", "end"), [("04:00", "09:30"), ("10:00", "11:00"), ("16:00", "20:00")])
def test_an_answer_without_any_bar_is_a_claim_at_every_open_hour(start: str, end: str) -> None:
    """Also before and after the regular session: nothing beside it says that the vendor was well."""
    read = Span(ny(f"2024-01-12 {start}"), ny(f"2024-01-12 {end}"))

    assert verdicts(read, [], WEEK) == [("unconfirmed", read.start, read.end)]


def test_only_what_was_looked_at_before_keeps_its_time() -> None:
    """A stretch that touches an earlier look is heard for the first time: its own hour begins now."""
    looked, rest = Span(ALL.start, ny("2024-01-09")), Span(ny("2024-01-09"), ALL.end)
    context = replace(WEEK, looks=((Span(ALL.start - DAY, looked.end), WEEK.now + 1),))
    entries = judge(Job(SPY, Base.MINUTE, ALL), bars([]), ALL, PAGE, context).entries

    assert [(entry.span, entry.due) for entry in entries] == [
        (looked, WEEK.now + 1),
        (rest, WEEK.now + WEEK.confirm_after),
    ]


@pytest.mark.shared
def test_january_2011_of_spy_is_whole() -> None:
    """20 sessions with 5,020 silent minutes before and after hours, all believed on one look."""
    dates = [
        f"2011-01-{day:02}"
        for day in (3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 18, 19, 20, 21, 24, 25, 26, 27, 28, 31)
    ]
    context = replace(WEEK, sessions=sessions(new_york_day(d) for d in dates))
    month = Span(ny("2011-01-01"), ny("2011-02-01"))

    assert verdicts(month, spy_2011(), context) == [("bars", month.start, month.end)]


@pytest.mark.shared
def test_the_halt_of_august_2016_is_doubted_to_the_minute() -> None:
    """Bitfinex's last bar is that of 2016-08-02 18:02, its next 08-10 15:53; quiet minutes elsewhere are believed."""
    august = Span(utc("2016-08-01"), utc("2016-09-01"))
    context = replace(JUNE, sessions=sessions(endless_day(f"2016-08-{d:02}") for d in range(1, 32)))
    halt = ("unconfirmed", utc("2016-08-02 18:03"), utc("2016-08-10 15:53"))

    assert verdicts(august, bitfinex_btcusd_2016().between(august), context) == [
        ("bars", august.start, halt[1]),
        halt,
        ("bars", halt[2], august.end),
    ]
