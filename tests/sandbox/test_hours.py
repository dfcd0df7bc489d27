"""The sandbox's own trading hours, against libraries and published dates."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from gapless.sandbox import hours
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.timeframe import DAY, MINUTE, Base


def ms(text: str) -> int:
    """A UTC time as Unix milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# The library itself still uses what pandas deprecates.
@pytest.mark.filterwarnings("ignore:Series.values")
def test_new_york_sessions_and_half_days_agree_with_exchange_calendars() -> None:
    """Every session, open and close from 2003 to 2030 is as an independent library has it."""
    xcals = pytest.importorskip("exchange_calendars")
    theirs = xcals.get_calendar("XNYS", start="2003-09-10", end="2030-12-31").schedule
    ours = hours.sessions(
        AssetClass.STOCKS, hours.ordinal(date(2003, 9, 10)), hours.ordinal(date(2030, 12, 31)) + 1
    )
    assert [hours.day_of(int(t) // DAY) for t in ours.day] == [t.date() for t in theirs.index]
    for column in ("open", "close"):
        stamps = theirs[column].dt.tz_convert(None).to_numpy().astype("M8[ms]").astype(np.int64)
        assert (getattr(ours, column) == stamps).all()


def test_extended_hours_of_a_half_day_end_at_five() -> None:
    """The day after Thanksgiving 2025 trades from 04:00 to 13:00, and until 17:00 after hours."""
    day = hours.ordinal(date(2025, 11, 28))
    row = hours.sessions(AssetClass.STOCKS, day, day + 1)
    got = [int(c[0]) for c in (row.day, row.pre, row.open, row.close, row.post)]
    clock = [
        "2025-11-28T05:00",
        "2025-11-28T09:00",
        "2025-11-28T14:30",
        "2025-11-28T18:00",
        "2025-11-28T22:00",
    ]
    assert got == [ms(text) for text in clock]


def test_the_forex_week_runs_from_sunday_to_friday_five_in_new_york() -> None:
    """Around the clock change of March 2026 the week is one hour shorter in UTC terms."""
    week = hours.sessions(AssetClass.FOREX, hours.ordinal(date(2026, 3, 1)), hours.ordinal(date(2026, 3, 9)))
    assert [(span.start, span.end) for span in week.trading(Base.MINUTE)] == [
        (ms("2026-03-01T22:00"), ms("2026-03-06T22:00")),
        (ms("2026-03-08T21:00"), ms("2026-03-09T00:00")),
    ]


def test_day_bars_of_indices_start_at_midnight_in_chicago() -> None:
    """The recorded index bar of 2023-03-09 has the stamp 1678341600000."""
    day = hours.ordinal(date(2023, 3, 9))
    assert hours.sessions(AssetClass.INDICES, day, day + 1).day.tolist() == [1678341600000]


def test_crypto_never_closes() -> None:
    """A year of crypto is one unbroken stretch."""
    year = hours.sessions(AssetClass.CRYPTO, hours.ordinal(date(2024, 1, 1)), hours.ordinal(date(2025, 1, 1)))
    assert [span.length // MINUTE for span in year.trading(Base.MINUTE)] == [366 * 1440]


def test_upcoming_holidays_name_the_day_and_the_half_day() -> None:
    """Seen from mid-November 2025, Thanksgiving closes the market and the Friday after shortens it."""
    rows = list(hours.upcoming(ms("2025-11-15T12:00"), days_ahead=20))
    assert rows == [(date(2025, 11, 27), "Thanksgiving", False), (date(2025, 11, 28), "Thanksgiving", True)]
