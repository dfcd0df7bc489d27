"""A time of day: how it is written, and when it comes next."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.living import utc
from gapless.errors import UsageError
from gapless.vocabulary.daily import USUAL, Daily
from gapless.vocabulary.timeframe import DAY, MINUTE

ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "Pacific/Apia"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("21:30", "21:30 America/New_York"),
        ("9:05", "09:05 America/New_York"),
        (" 02:30Z ", "02:30 UTC"),
        ("02:30 UTC", "02:30 UTC"),
        ("06:00 Europe/Berlin", "06:00 Europe/Berlin"),
        ("06:00America/Argentina/Buenos_Aires", "06:00 America/Argentina/Buenos_Aires"),
        ("00:00 Etc/GMT+5", "00:00 Etc/GMT+5"),
    ],
)
def test_a_time_is_read_as_people_write_it(text: str, read: str) -> None:
    """Without a zone it is that of the stock exchanges."""
    assert str(Daily.parse(text)) == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a time of day"),
        ("tonight", "not a time of day"),
        ("24:00", "not a time of day"),
        ("21:60", "not a time of day"),
        ("21.30", "not a time of day"),
        ("21:30:00", "not a time of day"),
        ("21:30 Berlin", "`Berlin` is not a time zone"),
        ("21:30 Europe/Atlantis", "`Europe/Atlantis` is not a time zone"),
        ("21:30 ../../etc/passwd", "not a time of day"),
        ("21:30 Europe", "`Europe` is not a time zone"),
    ],
)
def test_what_is_no_time_says_how_to_write_one(text: str, said: str) -> None:
    """The hint has an example of each form."""
    with pytest.raises(UsageError, match=said) as caught:
        Daily.parse(text)
    assert "21:30" in caught.value.hint


@pytest.mark.parametrize(
    ("daily", "now", "due"),
    [
        ("21:30", "2026-11-24T06:00", "2026-11-25T02:30"),
        ("21:30", "2026-11-25T02:29:59", "2026-11-25T02:30"),
        ("21:30", "2026-11-25T02:30", "2026-11-26T02:30"),
        ("21:30", "2026-07-01T00:00", "2026-07-01T01:30"),
        # On 8 March 2026 clocks in New York go from 02:00 to 03:00: half past two is half past three.
        ("02:30", "2026-03-08T05:00", "2026-03-08T07:30"),
        ("02:30", "2026-03-08T07:30", "2026-03-09T06:30"),
        # On 1 November 2026 they go from 02:00 to 01:00: half past one comes twice, and counts once.
        ("01:30", "2026-11-01T04:00", "2026-11-01T05:30"),
        ("01:30", "2026-11-01T05:30", "2026-11-02T06:30"),
    ],
)
def test_it_comes_next_when_clocks_say_so(daily: str, now: str, due: str) -> None:
    """Worked out by hand, on both sides of the days on which clocks are moved."""
    assert Daily.parse(daily).next_after(utc(now)) == utc(due)


@given(
    st.integers(0, 24 * 60 - 1),
    st.sampled_from(ZONES),
    st.integers(utc("1990-01-01") // MINUTE, utc("2040-01-01") // MINUTE),
)
def test_it_comes_within_two_days_and_shows_that_time(minute: int, zone: str, now: int) -> None:
    """Whatever the zone: later than now, and the clock there shows it, unless clocks leave it out that day."""
    daily = Daily.parse(f"{minute // 60}:{minute % 60:02d} {zone}")
    due = daily.next_after(now * MINUTE)
    assert now * MINUTE < due <= now * MINUTE + 2 * DAY
    shown = datetime.fromtimestamp(due / 1000, ZoneInfo(zone))
    late = (shown.hour * 60 + shown.minute - minute) % (24 * 60)
    assert late in (0, 30, 60)


def test_the_usual_time_is_after_stocks_have_settled() -> None:
    """Their extended session ends at 20:00 in New York, and its bars are final an hour later."""
    assert str(USUAL) == "21:30 America/New_York"
