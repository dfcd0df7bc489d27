"""Base bars to the bars of a timeframe, column by column."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from gapless.resample.grid import window_starts
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats, Ints
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.timeframe import Timeframe

_PIECE = 1 << 16
"""Bars worked on at a time: columns of half a megabyte."""
_SHORT = 6
"""Up to this many bars a window, one step per bar for all windows is faster than one call per window."""


def derive(batch: Batch, timeframe: Timeframe, asset_class: AssetClass) -> Batch:
    """The bars of `timeframe` made from shorter (or equally long) bars, stamped with their window's start.

    First open, highest high, lowest low, last close, sum of volume and trades; `vwap` is weighted by volume
    over the bars that have one. A sum with a missing term is missing. A window without a bar has none, and a
    bar alone in its window keeps its numbers to the last bit. The batch's edges may cut its first and last
    window: read an `aligned` span to have them whole.
    """
    cuts = _cuts(batch.ts, timeframe, asset_class)
    pieces = (batch.take(slice(a, b)) for a, b in pairwise(cuts))
    return Batch.concat(_derive(piece, timeframe, asset_class) for piece in pieces)


def _cuts(ts: Ints, timeframe: Timeframe, asset_class: AssetClass) -> list[int]:
    """Positions that cut the bars between windows into pieces that the processor's cache can hold."""
    starts = window_starts(ts[_PIECE::_PIECE], timeframe, asset_class)
    return sorted({0, *np.searchsorted(ts, starts).tolist(), len(ts)})


def _derive(batch: Batch, timeframe: Timeframe, asset_class: AssetClass) -> Batch:
    """The bars of one piece, which is not empty."""
    starts = window_starts(batch.ts, timeframe, asset_class)
    first = np.append(0, np.flatnonzero(starts[1:] != starts[:-1]) + 1)
    if len(first) == len(batch):
        return replace(batch, ts=starts)
    last = np.append(first[1:], len(batch)) - 1
    volume = np.add.reduceat(batch.volume, first)
    return Batch(
        ts=starts[first],
        open=batch.open[first],
        high=_extreme(np.maximum, batch.high, first, last),
        low=_extreme(np.minimum, batch.low, first, last),
        close=batch.close[last],
        volume=volume,
        vwap=np.where(first == last, batch.vwap[first], _vwap(batch, first, volume)),
        trades=_trades(batch.trades, first),
    )


def _extreme(pick: np.ufunc, column: Floats, first: Ints, last: Ints) -> Floats:
    """The highest or lowest number of each window, `first` to `last` inclusive."""
    longest = int((last - first).max()) + 1
    if longest > _SHORT:
        found: Floats = pick.reduceat(column, first)
        return found
    found = column[first]
    for step in range(1, longest):
        # Shorter windows meet their last bar again, which changes no extreme.
        pick(found, column[np.minimum(first + step, last)], out=found)
    return found


def _vwap(batch: Batch, first: Ints, volume: Floats) -> Floats:
    """The volume-weighted price of each window, NaN where no volume with a price is in it."""
    money = batch.volume * batch.vwap
    missing = np.isnan(money)
    if missing.any():
        money = np.where(missing, 0.0, money)
        volume = np.add.reduceat(np.where(missing, 0.0, batch.volume), first)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is meant
        mean: Floats = np.add.reduceat(money, first) / volume
    return mean


def _trades(trades: Ints, first: Ints) -> Ints:
    """The number of trades of each window, `NO_TRADES` where one of its bars has none."""
    total: Ints = np.add.reduceat(trades, first)
    unknown = trades == NO_TRADES
    if unknown.any():
        total[np.logical_or.reduceat(unknown, first)] = NO_TRADES
    return total
