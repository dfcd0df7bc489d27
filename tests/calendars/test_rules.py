"""Crypto and forex sessions: no exchange, only rules."""

from datetime import UTC, datetime

import pytest

from gapless.calendars import open_calendar
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base

BTC, EUR = Instrument.parse("X:BTCUSD"), Instrument.parse("C:EURUSD")


def utc(text: str) -> int:
    """A moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def week(instrument: Instrument, start: str, end: str) -> list[tuple[str, str, str, str]]:
    """The sessions of a few days as weekday, pre, open and close in UTC; post equals close."""
    s = open_calendar().sessions(instrument, Span(utc(start), utc(end)))
    assert s.post.tolist() == s.close.tolist()
    return [
        (_show(a, "%a"), _show(b, "%d %H:%M"), _show(c, "%d %H:%M"), _show(d, "%d %H:%M"))
        for a, b, c, d in zip(s.day, s.pre, s.open, s.close, strict=True)
    ]


def test_crypto_trades_every_hour_of_every_day() -> None:
    """Weekends, holidays and leap days are days like any other."""
    sessions = open_calendar().sessions(BTC, Span(utc("2024-01-01"), utc("2025-01-01")))

    assert list(sessions.trading(Base.MINUTE)) == [Span(utc("2024-01-01"), utc("2025-01-01"))]
    assert len(sessions) == 366
    assert sessions.day.tolist() == sessions.open.tolist()


def test_crypto_is_known_from_the_first_block_on() -> None:
    """No calendar speaks of the time before 2009-01-03."""
    assert utc("2009-01-03") == open_calendar().known(BTC).start
    assert len(open_calendar().sessions(BTC, Span(0, utc("2009-01-03")))) == 0


@pytest.mark.parametrize(
    ("friday", "monday", "close", "opening"),
    [
        ("2024-01-12", "2024-01-15", "12 22:00", "14 22:00"),
        ("2024-07-12", "2024-07-15", "12 21:00", "14 21:00"),
        ("2024-03-08", "2024-03-11", "08 22:00", "10 21:00"),
        ("2024-11-01", "2024-11-04", "01 21:00", "03 22:00"),
    ],
    ids=["winter", "summer", "clocks go forward", "clocks go back"],
)
def test_the_forex_weekend_runs_from_friday_to_sunday_at_five_in_new_york(
    friday: str, monday: str, close: str, opening: str
) -> None:
    """17:00 New York is 22:00 UTC in winter and 21:00 in summer; Sunday's hours before it are extended."""
    first, sunday = friday[-2:], opening[:2]

    assert [
        ("Fri", f"{first} 00:00", f"{first} 00:00", close),
        ("Sun", f"{sunday} 00:00", opening, f"{monday[-2:]} 00:00"),
    ] == week(EUR, friday, monday)


def test_forex_is_not_closed_at_christmas() -> None:
    """Thin days are not closed days: from Monday to Thursday every day is whole."""
    expected = [("Mon", 23), ("Tue", 24), ("Wed", 25), ("Thu", 26)]

    assert [(name, f"{d} 00:00", f"{d} 00:00", f"{d + 1} 00:00") for name, d in expected] == week(
        EUR, "2024-12-23", "2024-12-27"
    )


def test_saturday_has_no_forex_session() -> None:
    """A span inside a Saturday touches no trading day."""
    saturday = utc("2024-06-15")

    assert len(open_calendar().sessions(EUR, Span(saturday, saturday + DAY))) == 0


def _show(instant: int, form: str) -> str:
    return datetime.fromtimestamp(int(instant) / 1000, UTC).strftime(form)
