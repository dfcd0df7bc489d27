"""From when on bars are final, in answers written by hand."""

import pytest

from gapless.plan import final_until
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.timeframe import Base
from hand_made_market import endless_day, new_york_day, ny, plain_session, sessions, utc

STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX

WEEK = sessions(
    [
        new_york_day("2024-11-27"),
        # 28 November is Thanksgiving
        new_york_day("2024-11-29", close="13:00", post="17:00"),
        new_york_day("2024-12-02"),
        new_york_day("2024-12-03"),
    ]
)
CLOCKS = sessions(
    [
        new_york_day("2024-03-08"),
        new_york_day("2024-03-11"),  # clocks went forward on the 10th
        new_york_day("2024-11-01"),
        new_york_day("2024-11-04"),  # and back on the 3rd
    ]
)
COINS = sessions([endless_day(f"2024-06-{day:02}") for day in range(10, 17)])
MONEY = sessions(
    [
        plain_session(utc("2024-06-13"), utc("2024-06-14")),
        plain_session(utc("2024-06-14"), utc("2024-06-14 21:00")),
        plain_session(utc("2024-06-16 21:00"), utc("2024-06-17"), day=utc("2024-06-16")),
        plain_session(utc("2024-06-17"), utc("2024-06-18")),
    ]
)


@pytest.mark.parametrize("base", Base)
@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2024-12-02 00:00", "2024-12-02 00:00"),
        ("2024-12-02 03:59", "2024-12-02 00:00"),
        ("2024-12-02 09:45", "2024-12-02 00:00"),
        ("2024-12-02 16:30", "2024-12-02 00:00"),
        ("2024-12-02 20:59:59", "2024-12-02 00:00"),
        ("2024-12-02 21:00", "2024-12-02 21:00"),
        ("2024-12-02 23:30", "2024-12-02 23:30"),
        ("2024-11-29 17:59", "2024-11-29 00:00"),
        ("2024-11-29 18:00", "2024-11-29 18:00"),
        ("2024-11-30 12:00", "2024-11-30 12:00"),
        ("2024-11-28 12:00", "2024-11-28 12:00"),
    ],
    ids=[
        "midnight",
        "night",
        "open",
        "extended",
        "a second short of settled",
        "settled",
        "late",
        "half day, closed but not settled",
        "half day, settled",
        "Saturday",
        "holiday",
    ],
)
def test_a_stock_session_becomes_final_as_a_whole_an_hour_after_its_extended_close(
    base: Base, now: str, until: str
) -> None:
    """Until 21:00 in New York no bar of the day is final, not even those of the morning."""
    assert final_until(STOCKS, base, WEEK, ny(now)) == ny(until)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2024-03-09 01:59", "2024-03-08 05:00"),
        ("2024-03-09 02:00", "2024-03-09 02:00"),
        ("2024-03-12 00:59", "2024-03-11 04:00"),
        ("2024-03-12 01:00", "2024-03-12 01:00"),
        ("2024-11-02 00:59", "2024-11-01 04:00"),
        ("2024-11-02 01:00", "2024-11-02 01:00"),
        ("2024-11-05 01:59", "2024-11-04 05:00"),
        ("2024-11-05 02:00", "2024-11-05 02:00"),
    ],
)
def test_the_clocks_of_new_york_decide(now: str, until: str) -> None:
    """21:00 in New York is 02:00 UTC in winter and 01:00 in summer; midnight 05:00 and 04:00."""
    assert final_until(STOCKS, Base.MINUTE, CLOCKS, utc(now)) == utc(until)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2024-06-12 12:00", "2024-06-12 11:00"),
        ("2024-06-12 12:00:59", "2024-06-12 11:00"),
        ("2024-06-12 00:30", "2024-06-11 23:30"),
    ],
)
def test_a_coin_s_minutes_become_final_one_by_one(now: str, until: str) -> None:
    """Each an hour after it, on the whole minute: the market never closes."""
    assert final_until(CRYPTO, Base.MINUTE, COINS, utc(now)) == utc(until)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2024-06-12 00:59", "2024-06-11"),
        ("2024-06-12 01:00", "2024-06-12"),
        ("2024-06-12 23:59", "2024-06-12"),
    ],
)
def test_a_coin_s_day_becomes_final_an_hour_after_its_midnight(now: str, until: str) -> None:
    """A day bar holds the whole UTC day."""
    assert final_until(CRYPTO, Base.DAY, COINS, utc(now)) == utc(until)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2024-06-14 21:59", "2024-06-14"),
        ("2024-06-14 22:00", "2024-06-14 22:00"),
        ("2024-06-15 12:00", "2024-06-15 12:00"),
        ("2024-06-16 22:00", "2024-06-16"),
    ],
    ids=["Friday's close", "an hour later", "Saturday", "Sunday evening"],
)
def test_a_forex_friday_ends_early(now: str, until: str) -> None:
    """Its day bar is final an hour after the week's close, 21:00 UTC in summer."""
    assert final_until(FOREX, Base.DAY, MONEY, utc(now)) == utc(until)


def test_without_sessions_all_of_the_past_is_final() -> None:
    """Nothing trades that could still change."""
    assert final_until(STOCKS, Base.MINUTE, sessions([]), 5_000) == 5_000
