"""Packed columns: exact to the last bit, small where numbers are plain."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gapless.stores import open_store
from gapless.stores.codec import pack, unpack
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats, Ints
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Entry, Outcome
from gapless.vocabulary.timeframe import MINUTE, Base
from shared_data import bitfinex_btcusd_2016, spy_2011
from stores.making import batch, minutes

NONE = np.empty(0, np.int64)
anything = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.builds(
    lambda whole, places: whole / 10**places, st.integers(-(10**9), 10**9), st.integers(0, 10)
)
wild = st.one_of(anything, decimals)


def same_bits(left: Floats | Ints, right: Floats | Ints) -> bool:
    """Whether two columns are the same to the last bit; every NaN is one NaN."""
    if left.dtype == np.float64:
        left, right = (np.where(np.isnan(c), np.nan, c) for c in (left, right))
    return left.dtype == right.dtype and np.array_equal(left.view(np.int64), right.view(np.int64))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Any batch: prices on a grid or wild, columns with holes, instants whole minutes or not."""
    rows = draw(st.integers(0, 40))
    unit = draw(st.sampled_from([1, MINUTE]))
    elements = draw(st.sampled_from([wild, decimals]))
    instants = draw(st.lists(st.integers(-(10**7), 10**8), min_size=rows, max_size=rows, unique=True))

    def column(values: st.SearchStrategy[float]) -> Floats:
        return draw(hnp.arrays(np.float64, rows, elements=values))

    holes = st.one_of(st.just(float("nan")), elements)
    trades = draw(hnp.arrays(np.int64, rows, elements=st.integers(-1, 10**6)))
    open_, high, low, close = (column(elements) for _ in range(4))
    ts = np.array(sorted(instants), np.int64) * unit
    return Batch(ts, open_, high, low, close, column(holes), column(holes), trades)


@settings(max_examples=150, deadline=None)
@given(bars=batches(), gone=st.lists(st.integers(0, 10**13), max_size=5, unique=True))
def test_what_is_packed_is_unpacked_to_the_last_bit(bars: Batch, gone: list[int]) -> None:
    """Signs of zeros, tiny and huge numbers, holes: all of it comes back."""
    starts = np.array(sorted(gone), np.int64)
    back, back_gone = unpack(pack(bars, starts))
    for name, column in bars.columns.items():
        assert same_bits(column, getattr(back, name)), name
    assert back_gone.tolist() == starts.tolist()


def test_columns_without_numbers_cost_next_to_nothing() -> None:
    """A batch without vwap and trades is as small as if it had no such columns."""
    full = batch(minutes(1000))
    rows = len(full)
    bare = replace(full, vwap=np.full(rows, np.nan), trades=np.full(rows, NO_TRADES, np.int64))
    assert len(pack(full, NONE)) - len(pack(bare, NONE)) > 20
    assert not np.isfinite(unpack(pack(bare, NONE))[0].vwap).any()


@pytest.mark.parametrize(("recorded", "most"), [(spy_2011, 4.0), (bitfinex_btcusd_2016, 8.0)])
def test_recorded_minutes_are_small(recorded: object, most: float) -> None:
    """Real minutes take 4 (a stock) and 8 (a coin) bytes a bar at most."""
    assert callable(recorded)
    bars: Batch = recorded()
    assert len(pack(bars, NONE)) / len(bars) < most


@pytest.mark.parametrize(("recorded", "most"), [(spy_2011, 6.0), (bitfinex_btcusd_2016, 6.5)])
def test_a_file_of_recorded_minutes_is_small(tmp_path: Path, recorded: object, most: float) -> None:
    """The whole file of a store, from a month of a stock to a year of a coin: tables, indexes and ledger included."""
    assert callable(recorded)
    bars: Batch = recorded()
    store = open_store(f"{tmp_path}/market.gapless")
    for at in range(0, len(bars), 50_000):
        page = bars.take(slice(at, at + 50_000))
        span = Span(int(page.ts[0]), int(page.ts[-1]) + MINUTE)
        spy = Instrument.parse("SPY")
        entry = Entry(spy, Base.MINUTE, span, Outcome.BARS, recorded=1, rows=len(page))
        store.write(Checked(spy, Base.MINUTE, page, (entry,)))
    store.close()
    assert (tmp_path / "market.gapless").stat().st_size / len(bars) < most
