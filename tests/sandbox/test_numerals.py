"""Number text is Go's, for one number and for whole columns."""

import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.sandbox.numerals import go_g, rows_json
from gapless.vocabulary.batch import NO_TRADES, Batch


def oracle(number: float) -> str:
    """Go's `FormatFloat(number, 'g', -1, 64)` by its definition: shortest digits, exponent from 1e6 and below 1e-4."""
    if number == 0:
        return "0"
    sign, digits, power = Decimal(repr(float(number))).normalize().as_tuple()
    text, exponent = "".join(map(str, digits)), len(digits) - 1 + int(power)
    if -4 <= exponent < 6:
        return format(Decimal((sign, digits, int(power))), "f")
    fraction = "." + text[1:] if len(text) > 1 else ""
    return f"{'-' if sign else ''}{text[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def batch(column: list[float]) -> Batch:
    """Bars in which every number is from `column`."""
    numbers = np.array(column, np.float64)
    ts = 1_700_000_000_000 + 60_000 * np.arange(len(numbers))
    return Batch(ts, *(numbers,) * 6, np.arange(len(numbers)) + 9_998)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5.617399e7, "5.617399e+07"),
        (1e-6, "1e-06"),
        (812345.0, "812345"),
        (1234567.0, "1.234567e+06"),
        (10.2, "10.2"),
    ],
)
def test_recorded_numbers_are_written_as_they_were_recorded(number: float, text: str) -> None:
    """Exponents start at a million and below a ten-thousandth; whole numbers have no point."""
    assert go_g(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_double_is_written_as_go_would(number: float) -> None:
    """The definition, worked out in decimals, gives the same text."""
    assert go_g(number) == oracle(number)


ticks = st.integers(0, 10**9).map(lambda n: n / 100)
coins = st.integers(0, 10**14).map(lambda n: n / 10**8)
anything = st.floats(0, 1e18, allow_nan=False)


@given(st.lists(ticks, min_size=1, max_size=30) | st.lists(ticks | coins | anything, min_size=1, max_size=30))
def test_columns_are_written_number_by_number_as_go_would(column: list[float]) -> None:
    """The fast way for whole columns leaves the same text as the slow one, whatever is mixed."""
    rows = [
        f'{{"v":{text},"vw":{text},"o":{text},"c":{text},"h":{text},"l":{text},'
        f'"t":{1_700_000_000_000 + 60_000 * at},"n":{at + 9_998}}}'
        for at, text in enumerate(map(oracle, column))
    ]
    assert rows_json(batch(column)).decode() == ",".join(rows)


def test_what_is_missing_has_no_key() -> None:
    """A bar without volume-weighted price and number of trades has neither `vw` nor `n`."""
    whole = batch([10.0, 11.5])
    bars = replace(whole, vwap=np.array([np.nan, 11.5]), trades=np.array([NO_TRADES, 7]))
    first, second = json.loads(b"[" + rows_json(bars) + b"]")
    assert list(first) == ["v", "o", "c", "h", "l", "t"]
    assert list(second) == ["v", "vw", "o", "c", "h", "l", "t", "n"]


def test_bars_of_an_index_have_prices_and_a_stamp_only() -> None:
    """No volume anywhere means that it is an index."""
    nothing = np.array([np.nan])
    bars = replace(batch([6650.25]), volume=nothing, vwap=nothing, trades=np.array([NO_TRADES]))
    assert json.loads(rows_json(bars)) == dict.fromkeys("ochl", 6650.25) | {"t": 1_700_000_000_000}
