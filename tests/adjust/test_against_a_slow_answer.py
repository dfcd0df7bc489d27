"""Factors and bars against a plain answer: one bar at a time, in exact fractions."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjust.making import LATE, days_of, dividend, split
from gapless.adjust import Adjust, adjusted, adjustment
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.steps import CorporateAction
from gapless.vocabulary.timeframe import DAY, MINUTE
from hand_made_market import ny

FIRST = date(2024, 2, 20)  # the clocks change on 10 March
LENGTH = 40
NEAR = 1e-14  # a few roundings

Splits = dict[str, tuple[str, str]]
"""From and to by date."""


def day(number: int) -> str:
    """A date in the stretch that is tested."""
    return str(FIRST + timedelta(number))


dates = st.integers(0, LENGTH).map(day)
shares = st.sampled_from(["1", "2", "3", "7", "20", "1.05", "0.5"])
splits_by_date: st.SearchStrategy[Splits] = st.dictionaries(dates, st.tuples(shares, shares), max_size=6)
cash_by_date = st.dictionaries(dates, st.sampled_from(["0", "0.24", "1", "2.5"]), max_size=6)
prices = st.integers(1_000, 100_000).map(lambda cents: cents / 100)
closes_by_date = st.dictionaries(dates, prices, max_size=LENGTH).map(lambda d: dict(sorted(d.items())))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Minutes anywhere in the stretch, some without a vwap or a number of trades."""
    start = ny(day(0)) - DAY
    minutes = draw(st.lists(st.integers(0, (LENGTH + 3) * 1440), unique=True, max_size=30).map(sorted))
    table = [draw(st.tuples(*[prices] * 6)) for _ in minutes]
    open_, high, low, close, volume, vwap = np.array(table, np.float64).reshape(-1, 6).T.copy()
    vwap[::3] = np.nan
    trades = np.where(np.arange(len(minutes)) % 4, 5, NO_TRADES)
    ts = np.array([start + m * MINUTE for m in minutes], np.int64)
    return Batch(ts, open_, high, low, close, volume, vwap, trades)


def as_chosen(actions: Sequence[CorporateAction], batch: Batch, days: Batch) -> Batch:
    """The batch adjusted for every one of the actions, whatever the prices say of the splits."""
    decisions = {action.date: True for action in actions if action.kind == "split"}
    return adjusted(batch, adjustment(actions, days, Adjust.ALL, now=LATE, decisions=decisions).factors)


def actions_of(splits: Splits, cash: dict[str, str]) -> list[CorporateAction]:
    """Rows as a vendor lists them."""
    rows = [split(on, before, after) for on, (before, after) in splits.items()]
    return rows + [dividend(on, amount) for on, amount in cash.items()]


def shares_between(splits: Splits, after: str, until: str) -> Fraction:
    """What one share of the date `after` has become on `until`."""
    out = Fraction(1)
    for on, (old, new) in splits.items():
        if after < on <= until:
            out *= Fraction(new) / Fraction(old)
    return out


def kept_since(ts: int, splits: Splits, cash: dict[str, str], closes: dict[str, float]) -> Fraction:
    """The part of a price at `ts` that later dividends leave."""
    out = Fraction(1)
    for on, amount in cash.items():
        before = [known for known in closes if known < on]
        if ts < ny(on) and before:
            eve = max(before)
            close = Fraction(closes[eve]) / shares_between(splits, eve, on)
            if Fraction(amount) < close:
                out *= 1 - Fraction(amount) / close
    return out


@given(splits=splits_by_date, cash=cash_by_date, closes=closes_by_date, batch=batches())
def test_every_bar_is_scaled_by_all_that_came_after_it(
    splits: Splits, cash: dict[str, str], closes: dict[str, float], batch: Batch
) -> None:
    """Bar by bar, price by price; what is missing stays missing."""
    out = as_chosen(actions_of(splits, cash), batch, days_of(closes))

    for row, ts in enumerate(batch.ts.tolist()):
        became = Fraction(1)
        for on, (old, new) in splits.items():
            if ts < ny(on):
                became *= Fraction(new) / Fraction(old)
        scale = kept_since(ts, splits, cash, closes) / became
        for name in ("open", "high", "low", "close", "vwap"):
            raw = float(getattr(batch, name)[row])
            expected = raw if np.isnan(raw) else float(Fraction(raw) * scale)
            assert getattr(out, name)[row] == pytest.approx(expected, rel=NEAR, nan_ok=True)
        assert out.volume[row] == pytest.approx(float(Fraction(float(batch.volume[row])) * became), rel=NEAR)
    assert out.ts.tolist() == batch.ts.tolist()
    assert out.trades.tolist() == batch.trades.tolist()


@given(batch=batches(), closes=closes_by_date)
def test_without_actions_the_bars_are_the_same(batch: Batch, closes: dict[str, float]) -> None:
    """Not a copy of them: the very bars."""
    assert as_chosen([], batch, days_of(closes)) is batch


@given(splits=splits_by_date, batch=batches())
def test_splits_change_no_money(splits: Splits, batch: Batch) -> None:
    """Price times volume of a bar is what it was."""
    out = as_chosen(actions_of(splits, {}), batch, Batch.empty())

    assert out.close * out.volume == pytest.approx(batch.close * batch.volume, rel=NEAR)


@given(splits=splits_by_date, cut=dates, batch=batches())
def test_splits_in_two_rounds_are_splits_in_one(splits: Splits, cut: str, batch: Batch) -> None:
    """Adjusted for the early ones first and for the late ones then, or for all at once."""

    def some(which: Callable[[str], bool]) -> list[CorporateAction]:
        return actions_of({on: ratio for on, ratio in splits.items() if which(on)}, {})

    early = as_chosen(some(lambda on: on < cut), batch, Batch.empty())
    both = as_chosen(some(lambda on: on >= cut), early, Batch.empty())
    once = as_chosen(some(lambda _: True), batch, Batch.empty())

    assert both.close == pytest.approx(once.close, rel=NEAR)
    assert both.volume == pytest.approx(once.volume, rel=NEAR)


@given(splits=splits_by_date, batch=batches())
def test_the_bars_that_are_given_stay_as_they_are(splits: Splits, batch: Batch) -> None:
    """Raw bars are shared with other readers."""
    before = {name: column.copy() for name, column in batch.columns.items()}

    as_chosen(actions_of(splits, {}), batch, Batch.empty())

    assert all(np.array_equal(batch.columns[name], before[name], equal_nan=True) for name in before)


@given(number=st.integers(1, 10**6), ratio=st.sampled_from([2, 3, 7, 10, 20, 49]))
def test_a_price_that_divides_evenly_is_a_whole_number(number: int, ratio: int) -> None:
    """49 shares for one of 49 dollars: each is worth 1, not 0.9999999999999999."""
    raw = days_of({day(0): float(number * ratio)})

    out = as_chosen([split(day(1), "1", str(ratio))], raw, raw)

    assert out.close.tolist() == [float(number)]
