"""Names that mean something else at the vendor."""

import pytest

from gapless.plan import lookalike_hint
from gapless.vocabulary.instrument import Instrument


@pytest.mark.parametrize(
    ("ticker", "meant"),
    [
        ("BTC", "X:BTCUSD"),
        ("eth", "X:ETHUSD"),
        ("BTCUSD", "X:BTCUSD"),
        ("BTC-USD", "X:BTCUSD"),
        ("SOLEUR", "X:SOLEUR"),
        ("EURUSD", "C:EURUSD"),
        ("SPX", "I:SPX"),
        ("BRK-B", "BRK.B"),
        ("aapl", "AAPL"),
    ],
)
def test_a_name_with_a_lookalike_is_told(ticker: str, meant: str) -> None:
    """The hint repeats what was written and gives what may have been meant."""
    hint = lookalike_hint(Instrument.parse(ticker))

    assert f"`{ticker}`" in hint
    assert meant in hint


@pytest.mark.parametrize("ticker", ["AAPL", "BRK.B", "KIMpL", "X:BTCUSD", "C:EURUSD", "I:SPX", "USD", "V"])
def test_a_plain_name_needs_no_hint(ticker: str) -> None:
    """Most names mean what they say."""
    assert not lookalike_hint(Instrument.parse(ticker))
