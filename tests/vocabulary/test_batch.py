"""Columns of bars against lists of rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.span import Span
from hand_made_market import bars

starts = st.sets(st.integers(0, 60), max_size=25)


def with_vwap(*vwap: float) -> Batch:
    """Bars at 0, 1, 2 ... with these vwaps and no count of trades."""
    ones = np.ones(len(vwap))
    none = np.full(len(vwap), NO_TRADES, np.int64)
    return Batch(np.arange(len(vwap)), ones, ones, ones, ones, ones, np.array(vwap, np.float64), none)


def test_the_columns_have_a_fixed_order() -> None:
    """Stores and exports rely on it."""
    names = "ts open high low close volume vwap trades".split()

    assert list(Batch.empty().columns) == names
    assert len(Batch.empty()) == 0


def test_missing_equals_missing() -> None:
    """A vwap that the vendor left out twice is no change, one that came later is."""
    assert with_vwap(1.0, float("nan")) == with_vwap(1.0, float("nan"))
    assert with_vwap(1.0, float("nan")) != with_vwap(1.0, 2.0)
    assert with_vwap(1.0) != with_vwap(1.0, 2.0)
    assert with_vwap(1.0) != "bars"
    assert with_vwap(1.0, float("nan")).same_rows(with_vwap(3.0, float("nan"))).tolist() == [False, True]


@pytest.mark.parametrize("name", ["open", "high", "low", "close", "volume", "vwap", "trades", "ts"])
def test_one_changed_number_makes_bars_differ(name: str) -> None:
    """Every column counts."""
    changed = {**bars([1, 2]).columns}
    changed[name] = changed[name] + np.array([0, 1], changed[name].dtype)

    assert Batch(**changed) != bars([1, 2])


@given(starts, st.integers(-5, 65), st.integers(1, 40))
def test_between_are_the_bars_that_start_inside(ts: set[int], start: int, length: int) -> None:
    """The start of a span is inside, its end is not."""
    inside = [at for at in sorted(ts) if start <= at < start + length]

    assert bars(ts).between(Span(start, start + length)).ts.tolist() == inside


@given(starts, st.integers(0, 60))
def test_bars_cut_apart_and_put_together_are_the_same(ts: set[int], cut: int) -> None:
    """`concat` keeps order and loses nothing, with empty parts among them."""
    whole = bars(ts)
    early, late = whole.take(whole.ts < cut), whole.take(whole.ts >= cut)

    assert Batch.concat([early, Batch.empty(), late]) == whole
    assert Batch.concat([]) == Batch.empty()
