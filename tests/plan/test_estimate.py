"""What spans are estimated to cost."""

import pytest

from gapless.plan.estimate import Estimate, typical_density
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base
from hand_made_market import endless_day, new_york_day, ny, sessions, utc

TWO = sessions([new_york_day("2024-01-12"), new_york_day("2024-01-16")])


def test_minutes_are_counted_where_the_market_was_open() -> None:
    """From Friday noon over a long weekend to Tuesday 05:00: 480 minutes and 60."""
    span = Span(ny("2024-01-12 12:00"), ny("2024-01-16 05:00"))

    assert Estimate(Base.MINUTE, TWO, 1.0, 50_000).bars(span) == 540
    assert Estimate(Base.MINUTE, TWO, 0.5, 50_000).bars(span) == 270


def test_days_are_counted_by_their_midnight() -> None:
    """A span that begins after midnight has no bar of that day."""
    days = Estimate(Base.DAY, TWO, 1.0, 50_000)

    assert days.bars(Span(ny("2024-01-12"), ny("2024-01-17"))) == 2
    assert days.bars(Span(ny("2024-01-12 00:01"), ny("2024-01-17"))) == 1
    assert days.bars(Span(ny("2024-01-12"), ny("2024-01-16"))) == 1


@pytest.mark.parametrize(
    ("page_bars", "requests"), [(50_000, 1), (1920, 1), (1919, 2), (960, 2), (100, 20), (1, 1920)]
)
def test_pages_are_full_pages_and_the_rest(page_bars: int, requests: int) -> None:
    """Two whole days are 1,920 minutes."""
    both = Span(ny("2024-01-12"), ny("2024-01-17"))

    assert Estimate(Base.MINUTE, TWO, 1.0, page_bars).requests(both) == requests


def test_to_learn_that_there_is_nothing_costs_a_request_too() -> None:
    """A weekend has no bars, but asking is asking."""
    weekend = Span(ny("2024-01-13"), ny("2024-01-15"))

    assert Estimate(Base.MINUTE, TWO, 1.0, 50_000).requests(weekend) == 1


def test_a_typical_density_is_that_of_a_liquid_instrument() -> None:
    """780 of 960 minutes for a stock, every minute for a coin, and never more than all."""
    coins = sessions([endless_day("2024-01-01")])
    short = sessions([(0, 0, 0, utc("1970-01-01 01:00"), utc("1970-01-01 01:00"))])

    assert typical_density(AssetClass.STOCKS, TWO) == pytest.approx(0.8125)
    assert typical_density(AssetClass.CRYPTO, coins) == 1.0
    assert typical_density(AssetClass.STOCKS, short) == 1.0
    assert typical_density(AssetClass.STOCKS, sessions([])) == 1.0
