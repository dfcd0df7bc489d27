"""Rows of sessions and the spans and opens that follow from them."""

from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base
from hand_made_market import endless_day, new_york_day, ny, sessions, utc

FRIDAY, MONDAY = new_york_day("2024-01-12"), new_york_day("2024-01-15")


def test_minutes_can_start_in_the_extended_session_and_day_bars_at_midnight() -> None:
    """Two bases, two spans of the same session."""
    two = sessions([FRIDAY, MONDAY])

    assert list(two.spans(Base.MINUTE)) == [
        Span(ny("2024-01-12 04:00"), ny("2024-01-12 20:00")),
        Span(ny("2024-01-15 04:00"), ny("2024-01-15 20:00")),
    ]
    assert next(two.spans(Base.DAY)) == Span(ny("2024-01-12"), ny("2024-01-12 20:00"))


def test_sessions_without_a_break_are_one_span_of_trading() -> None:
    """A market that never closes is one stretch."""
    days = sessions([endless_day("2024-01-01"), endless_day("2024-01-02"), endless_day("2024-01-04")])

    assert list(days.trading(Base.MINUTE)) == [
        Span(utc("2024-01-01"), utc("2024-01-03")),
        Span(utc("2024-01-04"), utc("2024-01-05")),
    ]


def test_opens_are_every_bar_that_could_exist() -> None:
    """960 minutes from 04:00 to 19:59, 390 of them regular, and one day bar."""
    friday = sessions([FRIDAY])
    all_day, regular = friday.opens(Base.MINUTE), friday.opens(Base.MINUTE, regular=True)

    assert (len(all_day), all_day[0], all_day[-1]) == (960, ny("2024-01-12 04:00"), ny("2024-01-12 19:59"))
    assert (len(regular), regular[0], regular[-1]) == (390, ny("2024-01-12 09:30"), ny("2024-01-12 15:59"))
    assert friday.opens(Base.DAY).tolist() == [ny("2024-01-12")]


def test_opens_of_a_half_day_end_early() -> None:
    """The day after Thanksgiving: regular until 13:00, extended until 17:00."""
    half = sessions([new_york_day("2024-11-29", close="13:00", post="17:00")])

    assert len(half.opens(Base.MINUTE, regular=True)) == 210
    assert len(half.opens(Base.MINUTE)) == 780


def test_no_sessions_have_no_opens() -> None:
    """Nothing is open where there is no session."""
    none = sessions([])

    assert (len(none), len(none.opens(Base.MINUTE)), len(none.opens(Base.DAY))) == (0, 0, 0)
    assert not none.trading(Base.MINUTE)


def test_taking_sessions_keeps_their_columns_together() -> None:
    """A mask picks rows."""
    two = sessions([FRIDAY, MONDAY])

    picked = two.take(two.day > ny("2024-01-12"))

    assert [int(picked.day[0]), int(picked.post[0])] == [MONDAY[0], MONDAY[4]]
    assert len(picked) == 1
