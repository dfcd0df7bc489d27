"""Dates as people write them: in the zone of the exchange, back from today, or refused in one sentence."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.living import utc
from gapless.app.instants import day_start, iso, parse_instant
from gapless.errors import UsageError
from gapless.vocabulary.instrument import AssetClass

STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX
NOON = utc("2026-11-24T17:00")
"""Noon in New York, on the day after a Monday."""


@pytest.mark.parametrize(
    ("text", "asset_class", "meant"),
    [
        ("2024-01-02", STOCKS, "2024-01-02T05:00"),
        ("2024-07-02", STOCKS, "2024-07-02T04:00"),
        ("2024-07-02", CRYPTO, "2024-07-02T00:00"),
        ("2024-07-02", FOREX, "2024-07-02T00:00"),
        ("2024-07-02T09:30", STOCKS, "2024-07-02T13:30"),
        ("2024-07-02T09:30", CRYPTO, "2024-07-02T09:30"),
        ("2024-07-02T09:30Z", STOCKS, "2024-07-02T09:30"),
        ("2024-07-02T09:30+02:00", CRYPTO, "2024-07-02T07:30"),
        ("now", STOCKS, "2026-11-24T17:00"),
        ("1d", STOCKS, "2026-11-23T05:00"),
        ("30d", STOCKS, "2026-10-25T04:00"),  # before the clocks went back
        ("30d", CRYPTO, "2026-10-25T00:00"),
        ("2w", CRYPTO, "2026-11-10T00:00"),
        ("1y", CRYPTO, "2025-11-24T00:00"),
    ],
)
def test_text_means_an_instant(text: str, asset_class: AssetClass, meant: str) -> None:
    """A date begins at the midnight of the exchange; a zone that is written wins."""
    assert parse_instant(text, asset_class, now=NOON, param="start") == utc(meant)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2024-13-01", "2024-02-30", "01/02/2024", "30", "d", "-3d", "5x"]
)
def test_text_that_is_no_date_is_refused(text: str) -> None:
    """The message names the parameter and what was written, the hint shows how to write it."""
    with pytest.raises(UsageError, match="`start`") as caught:
        parse_instant(text, STOCKS, now=NOON, param="start")
    assert text in caught.value.message
    assert "2024-01-31" in caught.value.hint


def test_whole_numbers_of_numpy_are_milliseconds() -> None:
    """What an array of starts holds is taken like Python's own numbers."""
    assert parse_instant(np.int64(1_704_171_600_000), STOCKS, now=NOON, param="start") == utc(
        "2024-01-02T05:00"
    )


@pytest.mark.parametrize("wrong", [3.5, np.datetime64("2024-01-02T05:00"), ("2024-01-02",)])
def test_what_is_no_moment_is_refused(wrong: object) -> None:
    """Half milliseconds, and an instant of NumPy: in UTC, but without a zone it would be read as local time."""
    with pytest.raises(UsageError, match=r"`start` was .*, which is not a date") as caught:
        parse_instant(wrong, STOCKS, now=NOON, param="start")  # type: ignore[arg-type]
    assert "2024-01-31" in caught.value.hint


def test_longer_ago_than_there_are_dates_is_refused() -> None:
    """A slip of the finger is a usage error, not a crash."""
    with pytest.raises(UsageError, match="`start` was `99999y`"):
        parse_instant("99999y", STOCKS, now=NOON, param="start")


def test_a_datetime_needs_a_zone() -> None:
    """A naive one could mean anything."""
    with pytest.raises(UsageError, match="no time zone"):
        parse_instant(datetime(2024, 1, 2, 9, 30), STOCKS, now=NOON, param="start")  # noqa: DTZ001 - that is the point


def test_values_of_python_are_taken_as_they_are() -> None:
    """Milliseconds, dates and datetimes with a zone."""
    at = datetime(2024, 1, 2, 9, 30, tzinfo=ZoneInfo("America/New_York"))
    assert parse_instant(1_700_000_000_000, STOCKS, now=NOON, param="start") == 1_700_000_000_000
    assert parse_instant(date(2024, 1, 2), STOCKS, now=NOON, param="start") == utc("2024-01-02T05:00")
    assert parse_instant(at, CRYPTO, now=NOON, param="start") == utc("2024-01-02T14:30")


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_a_day_starts_at_the_last_midnight_before(moment: datetime) -> None:
    """Whatever the clocks do: it reads 00:00 on the same date in New York."""
    instant = int(moment.timestamp()) * 1000
    started = datetime.fromtimestamp(day_start(instant, STOCKS) / 1000, ZoneInfo("America/New_York"))
    here = datetime.fromtimestamp(instant / 1000, ZoneInfo("America/New_York"))
    assert (started.date(), started.hour, started.minute) == (here.date(), 0, 0)


def test_an_instant_is_shown_in_utc() -> None:
    """To the minute, with the zone said."""
    assert iso(utc("2024-07-02T13:30")) == "2024-07-02 13:30 UTC"
