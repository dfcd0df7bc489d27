"""Timeframes and the two bases under them."""

import pytest

from gapless.errors import UsageError
from gapless.vocabulary.timeframe import TIMEFRAMES, Base, Timeframe

NAMES = "1m 5m 15m 30m 1h 2h 4h 1d 1w 1mo".split()


def test_the_offer_is_ten_timeframes_from_two_bases() -> None:
    """Shortest first; days and longer come from day bars, all else from minutes."""
    assert list(TIMEFRAMES) == NAMES
    assert [name for name in NAMES if TIMEFRAMES[name].base is Base.DAY] == ["1d", "1w", "1mo"]
    assert [name for name in NAMES if not TIMEFRAMES[name].derived] == ["1m", "1d"]


def test_intraday_timeframes_know_their_minutes() -> None:
    """Calendar timeframes have no fixed length."""
    assert [TIMEFRAMES[name].minutes for name in NAMES] == [1, 5, 15, 30, 60, 120, 240, None, None, None]


def test_a_base_knows_its_step_in_milliseconds() -> None:
    """A minute and a nominal day."""
    assert (Base.MINUTE.step, Base.DAY.step) == (60_000, 86_400_000)


def test_a_name_is_read_and_written_alike() -> None:
    """Spaces around it do not matter."""
    assert str(Timeframe.parse(" 15m ")) == "15m"


@pytest.mark.parametrize("text", ["", "7m", "1M", "1D", "60", "minute"])
def test_any_other_name_is_refused_with_the_list(text: str) -> None:
    """`1M` is not a minute and not a month: nobody should have to guess."""
    with pytest.raises(UsageError, match="timeframe") as caught:
        Timeframe.parse(text)

    assert all(name in caught.value.hint for name in NAMES)
