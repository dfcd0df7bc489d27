"""What callers name: one symbol or many, in whatever holds them."""

from typing import Any, cast

import numpy as np
import pytest

from gapless.app.naming import instruments_of, timeframes_of
from gapless.errors import UsageError


@pytest.mark.parametrize(
    ("named", "tickers"),
    [
        ("AAPL", ["AAPL"]),
        (["AAPL", "X:BTCUSD", "AAPL", "x:BTCUSD"], ["AAPL", "X:BTCUSD"]),
        ((name for name in ("MSFT", "AAPL")), ["MSFT", "AAPL"]),
        (np.array(["AAPL", "MSFT"]), ["AAPL", "MSFT"]),
        ((), []),
        (None, []),
    ],
)
def test_a_string_is_one_symbol_and_each_counts_once(named: Any, tickers: list[str]) -> None:  # noqa: ANN401
    """Read letter by letter, `AAPL` would be three other stocks."""
    assert [instrument.ticker for instrument in instruments_of(named)] == tickers


def test_a_string_is_one_timeframe() -> None:
    """As for symbols."""
    assert [frame.name for frame in timeframes_of("5m")] == ["5m"]
    assert [frame.name for frame in timeframes_of(["1h", "5m", "1h"])] == ["1h", "5m"]


@pytest.mark.parametrize("named", [5, [5], [None], [["AAPL"]], ["AAPL", 1.5], [""]])
def test_what_is_no_name_is_said_to_be_none(named: object) -> None:
    """One sentence instead of a fault of ours."""
    with pytest.raises(UsageError, match=r"names no symbols|is not a ticker"):
        instruments_of(cast("Any", named))
