"""Tickers as people write them."""

import pytest

from gapless.errors import UsageError
from gapless.vocabulary.instrument import AssetClass, Instrument


@pytest.mark.parametrize(
    ("text", "asset_class", "ticker"),
    [
        ("AAPL", AssetClass.STOCKS, "AAPL"),
        ("BRK.B", AssetClass.STOCKS, "BRK.B"),
        ("KIMpL", AssetClass.STOCKS, "KIMpL"),
        ("aapl", AssetClass.STOCKS, "aapl"),
        ("BTC", AssetClass.STOCKS, "BTC"),
        (" X:BTCUSD ", AssetClass.CRYPTO, "X:BTCUSD"),
        ("x:BTCUSD", AssetClass.CRYPTO, "X:BTCUSD"),
        ("C:EURUSD", AssetClass.FOREX, "C:EURUSD"),
        ("I:SPX", AssetClass.INDICES, "I:SPX"),
    ],
)
def test_the_prefix_alone_says_the_class(text: str, asset_class: AssetClass, ticker: str) -> None:
    """The ticker keeps its case, and nothing is guessed from its spelling."""
    found = Instrument.parse(text)

    assert (found.asset_class, found.ticker, str(found)) == (asset_class, ticker, ticker)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "X:",
        "AA PL",
        "A/B",
        "..",
        "A..B",
        "../etc",
        "ÄPFEL",
        "A" * 33,
        "X:BTC:USD",
        "A?b=c",
        "A%2F",
    ],
)
def test_what_no_ticker_looks_like_is_refused(text: str) -> None:
    """The message repeats what was written and the hint shows how tickers look."""
    with pytest.raises(UsageError, match="is not a ticker") as caught:
        Instrument.parse(text)

    assert f"`{text}`" in caught.value.message
    assert "X:BTCUSD" in caught.value.hint


def test_an_unknown_prefix_is_named_with_those_that_are_known() -> None:
    """Options are not offered: the person learns what is."""
    with pytest.raises(UsageError, match="prefix `O:`") as caught:
        Instrument.parse("O:SPY250314C00560000")

    assert all(prefix in caught.value.hint for prefix in ("X:", "C:", "I:"))


def test_the_zone_whose_midnight_starts_a_day() -> None:
    """US markets count from midnight in New York, those without a floor from midnight UTC."""
    zones = {asset_class.value: asset_class.zone for asset_class in AssetClass}

    assert zones == {
        "stocks": "America/New_York",
        "crypto": "UTC",
        "forex": "UTC",
        "indices": "America/New_York",
    }


def test_only_indices_have_no_volume() -> None:
    """An index is a number, not something that is traded."""
    assert [c for c in AssetClass if not c.has_volume] == [AssetClass.INDICES]
