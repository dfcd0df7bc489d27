"""Sessions of stocks and indices against what the exchanges published."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gapless.calendars import open_calendar
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span

NEW_YORK = ZoneInfo("America/New_York")
AAPL, SPX = Instrument.parse("AAPL"), Instrument.parse("I:SPX")

CLOSED = {
    "2004-06-11": "mourning, Ronald Reagan",
    "2007-01-02": "mourning, Gerald Ford",
    "2012-10-29": "hurricane Sandy",
    "2012-10-30": "hurricane Sandy",
    "2018-12-05": "mourning, George H. W. Bush",
    "2025-01-09": "mourning, Jimmy Carter",
    "2021-12-24": "Christmas, observed on Friday",
    "2022-06-20": "Juneteenth, the first one, observed on Monday",
    "2022-12-26": "Christmas, observed on Monday",
    "2023-06-19": "Juneteenth",
    "2011-01-17": "Martin Luther King Day",
    "2024-03-29": "Good Friday",
    "2024-05-27": "Memorial Day",
    "2024-09-02": "Labor Day",
    "2024-11-28": "Thanksgiving",
    "2026-07-03": "Independence Day, observed on Friday",
}
OPEN_ALL_DAY = {
    "2003-09-10": "the first day that is known",
    "2012-10-31": "the day after hurricane Sandy",
    "2021-06-18": "Juneteenth was not yet an exchange holiday in 2021",
    "2021-12-31": "New Year's Day on a Saturday moves nothing",
    "2020-03-18": "halted for 15 minutes, but open from 09:30 to 16:00",
    "2013-07-05": "the Friday after Independence Day",
}
HALF_DAYS = {
    "2003-11-28": "the day after Thanksgiving",
    "2003-12-26": "the day after Christmas, a Friday",
    "2012-07-03": "the day before Independence Day",
    "2013-07-03": "the day before Independence Day",
    "2018-12-24": "Christmas Eve",
    "2023-11-24": "the day after Thanksgiving",
    "2024-07-03": "the day before Independence Day",
    "2024-11-29": "the day after Thanksgiving",
    "2025-07-03": "the day before Independence Day",
    "2025-12-24": "Christmas Eve",
    "2026-11-27": "the day after Thanksgiving",
}


def ms(day: str, clock: str = "00:00") -> int:
    """The instant at which clocks in New York show this."""
    return int(datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=NEW_YORK).timestamp()) * 1000


def sessions_on(instrument: Instrument, day: str) -> Sessions:
    """The sessions of one New York date."""
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    return open_calendar().sessions(instrument, Span(ms(day), ms(after)))


def row(sessions: Sessions) -> list[int]:
    """The one session as day, pre, open, close, post."""
    assert len(sessions) == 1
    return [
        int(column[0])
        for column in (sessions.day, sessions.pre, sessions.open, sessions.close, sessions.post)
    ]


@pytest.mark.parametrize("day", CLOSED)
@pytest.mark.parametrize("instrument", [AAPL, SPX], ids=str)
def test_a_published_closure_has_no_session(instrument: Instrument, day: str) -> None:
    """Holidays, storms and days of mourning are closed, for stocks and indices alike."""
    assert len(sessions_on(instrument, day)) == 0


@pytest.mark.parametrize("day", OPEN_ALL_DAY)
def test_a_full_day_runs_from_four_to_eight(day: str) -> None:
    """A full day has regular hours 09:30 to 16:00 and extended hours 04:00 to 20:00, New York time."""
    expected = [ms(day, clock) for clock in ("00:00", "04:00", "09:30", "16:00", "20:00")]

    assert expected == row(sessions_on(AAPL, day))


@pytest.mark.parametrize("day", HALF_DAYS)
def test_a_half_day_ends_at_one_and_its_post_market_at_five(day: str) -> None:
    """Early closes are at 13:00, with extended hours until 17:00."""
    expected = [ms(day, clock) for clock in ("00:00", "04:00", "09:30", "13:00", "17:00")]

    assert expected == row(sessions_on(AAPL, day))


def test_an_index_may_have_minutes_all_through_a_trading_day() -> None:
    """Regular hours are those of stocks, and no minute of the local day is ruled out."""
    expected = [
        ms("2024-11-29"),
        ms("2024-11-29"),
        ms("2024-11-29", "09:30"),
        ms("2024-11-29", "13:00"),
        ms("2024-11-30"),
    ]

    assert expected == row(sessions_on(SPX, "2024-11-29"))


@pytest.mark.parametrize(
    ("friday", "monday", "hours_apart"),
    [("2024-03-08", "2024-03-11", 71), ("2024-11-01", "2024-11-04", 73), ("2024-04-05", "2024-04-08", 72)],
)
def test_opens_follow_the_clock_in_new_york(friday: str, monday: str, hours_apart: int) -> None:
    """Over the weekend of a clock change two opens are an hour nearer or farther than three days."""
    before, after = row(sessions_on(AAPL, friday)), row(sessions_on(AAPL, monday))

    assert [hours_apart * 3_600_000] * 5 == [b - a for a, b in zip(before, after, strict=True)]


def test_what_is_known_begins_with_the_first_bars_and_ends_about_a_year_ahead() -> None:
    """Before 2003-09-10 and far ahead the answer is unknown: outside what is known no session is named."""
    known = open_calendar().known(AAPL)
    sessions = open_calendar().sessions(AAPL, Span(0, 2**50))
    days_ahead = (known.end - datetime.now(NEW_YORK).timestamp() * 1000) / 86_400_000

    assert ms("2003-09-10") == known.start == sessions.day[0]
    assert sessions.day[-1] < known.end
    assert 300 < days_ahead < 400
    assert len(open_calendar().sessions(AAPL, Span(known.end, 2**50))) == 0
    assert len(open_calendar().sessions(AAPL, Span(0, known.start))) == 0


def test_the_number_of_sessions_in_a_year_is_as_published() -> None:
    """2011 had 252 trading days, 2012 had 250 after the storm, 2024 had 252 and 2025 had 250."""
    count = {
        year: len(open_calendar().sessions(AAPL, Span(ms(f"{year}-01-01"), ms(f"{year + 1}-01-01"))))
        for year in (2011, 2012, 2024, 2025)
    }

    assert count == {2011: 252, 2012: 250, 2024: 252, 2025: 250}
