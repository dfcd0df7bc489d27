"""Base bars to the bars of one timeframe or of many, column by column."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gapless.resample.grid import window_starts
from gapless.resample.hours import Hours
from gapless.resample.windows import Pairs, Windows
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats, Ints
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.timeframe import Timeframe

_PIECE = 1 << 16
"""Bars worked on at a time: columns of half a megabyte."""
_FIVE = 5
"""Minutes of the one timeframe whose windows are always short enough to be summed step by step."""
_KINDS = tuple(column.dtype for column in Batch.empty().columns.values())
"""What each column of a batch is made of; all are eight bytes wide."""


def derive(batch: Batch, timeframe: Timeframe, asset_class: AssetClass, hours: Hours | None = None) -> Batch:
    """The bars of `timeframe` made from shorter (or equally long) bars, stamped with their window's start.

    First open, highest high, lowest low, last close, sum of volume and trades; `vwap` is weighted by volume
    over the bars that have one. A sum with a missing term is missing. A window without a bar has none, and a
    bar alone in its window keeps its numbers to the last bit. The batch's edges may cut its first and last
    window: read an `aligned` span to have them whole.

    With `hours` only the base bars inside of them count, and those have to be minutes (or shorter) for every
    timeframe: see `base_of`. Sessions of all the days in the batch have to be in `hours`.
    """
    return derive_many(batch, (timeframe,), asset_class, hours)[timeframe.name]


def derive_many(
    batch: Batch, timeframes: Iterable[Timeframe], asset_class: AssetClass, hours: Hours | None = None
) -> dict[str, Batch]:
    """The bars of many timeframes by name; made of minutes, they equal those of one `derive` each to the last bit.

    Intraday timeframes are made together: each takes its prices and trades from the next shorter one. Sums of
    floating-point numbers depend on their order, so volumes and `vwap` are always summed from the base bars.
    """
    kept = batch if hours is None else hours.only(batch)
    wanted = sorted(timeframes, key=lambda timeframe: timeframe.minutes or 0)
    intraday = [timeframe for timeframe in wanted if timeframe.minutes is not None]
    # Each intraday window is made of whole windows of every shorter one; weeks do not make months.
    chains = [intraday, *([timeframe] for timeframe in wanted if timeframe.minutes is None)]
    made = (_chain(kept, chain, asset_class, hours) for chain in chains if chain)
    return {name: bars for bars_by_name in made for name, bars in bars_by_name.items()}


def _chain(
    batch: Batch, timeframes: Sequence[Timeframe], asset_class: AssetClass, hours: Hours | None
) -> dict[str, Batch]:
    """The bars of timeframes each of which nests in the next."""
    cuts = _cuts(batch.ts, timeframes[-1], asset_class, hours)
    pieces = [batch.take(slice(a, b)) for a, b in pairwise(cuts)]
    grids = [list(_grid(piece.ts, timeframes, asset_class, hours)) for piece in pieces]
    rows = [sum(len(grid[k][0]) for grid in grids) for k in range(len(timeframes))]
    block = np.empty(len(_KINDS) * sum(rows))
    tables = [_Table(cells) for cells in np.split(block, len(_KINDS) * np.cumsum(rows[:-1]))]
    with np.errstate(invalid="ignore"):  # prices without volume: 0 / 0 is the NaN that is meant
        for piece, grid in zip(pieces, grids, strict=True):
            for table, bars in zip(tables, _climb(piece, timeframes, grid), strict=True):
                table.append(bars)
    return {timeframe.name: table.batch() for timeframe, table in zip(timeframes, tables, strict=True)}


def _cuts(ts: Ints, timeframe: Timeframe, asset_class: AssetClass, hours: Hours | None) -> list[int]:
    """Positions that cut the bars between windows into pieces that the processor's cache can hold."""
    starts = window_starts(ts[_PIECE::_PIECE], timeframe, asset_class, hours)
    return sorted({0, *np.searchsorted(ts, starts).tolist(), len(ts)})


def _grid(
    ts: Ints, timeframes: Sequence[Timeframe], asset_class: AssetClass, hours: Hours | None
) -> Iterator[tuple[Ints, Ints]]:
    """Of each timeframe the stamps of its windows, and which bar of the one before each window begins with."""
    for timeframe in timeframes:
        starts = window_starts(ts, timeframe, asset_class, hours)
        begins = np.empty(len(ts), np.bool_)
        begins[0] = True
        np.not_equal(starts[1:], starts[:-1], out=begins[1:])
        first = begins.nonzero()[0]
        ts = starts[first]
        yield ts, first


def _climb(
    base: Batch, timeframes: Sequence[Timeframe], grid: Sequence[tuple[Ints, Ints]]
) -> Iterator[Batch]:
    """The bars of one piece, which is not empty, in one timeframe after another."""
    terms, bars, at = _Terms.of(base), base, grid[0][1]
    stepped = False
    for timeframe, (ts, first) in zip(timeframes, grid, strict=True):
        if len(first) == len(bars) and not stepped:
            yield replace(bars, ts=ts)
            continue
        at = first if bars is base else at[first]
        windows = Windows.starting(first, len(bars))
        # Sums in another order differ in their last bits: how they are made must not depend on other windows.
        stepped = stepwise = timeframe.minutes == _FIVE
        of_base = windows if bars is base and stepwise else Windows.starting(at, len(base), stepwise=stepwise)
        bars = _merged(bars, ts, windows, *terms.summed(of_base))
        yield bars


def _merged(bars: Batch, ts: Ints, windows: Windows, volume: Floats, vwap: Floats) -> Batch:
    """One bar for each window; its stamp, volume and vwap are given."""
    trades = windows.counts(bars.trades)
    if bars.trades.min() == NO_TRADES:
        trades[windows.lowest(bars.trades) == NO_TRADES] = NO_TRADES
    return Batch(
        ts=ts,
        open=bars.open[windows.first],
        high=windows.highest(bars.high),
        low=windows.lowest(bars.low),
        close=bars.close[windows.last],
        volume=volume,
        vwap=vwap,
        trades=trades,
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """What is summed from base bars.

    `pairs` holds volume and money (volume times price), and 0 for money that is missing; `weights` the volume
    of the money that is there, None where all is there.
    """

    base: Batch
    pairs: Pairs
    weights: Pairs | None

    @classmethod
    def of(cls, base: Batch) -> "_Terms":
        """The terms of these base bars."""
        pairs = np.empty(len(base), np.complex128)
        pairs.real = base.volume
        np.multiply(base.volume, base.vwap, out=pairs.imag)
        missing = np.isnan(pairs.imag)
        if not missing.any():
            return cls(base, pairs, None)
        pairs.imag[missing] = 0.0
        return cls(base, pairs, np.where(missing, 0.0, base.volume).astype(np.complex128))

    def summed(self, windows: Windows) -> tuple[Floats, Floats]:
        """Volume and volume-weighted price of each window; a lone bar keeps its price.

        The price is NaN where no volume with a price is in the window.
        """
        sums = windows.sums(self.pairs)
        weights = sums if self.weights is None else windows.sums(self.weights)
        vwap = sums.imag / weights.real
        alone = windows.first == windows.last
        return sums.real, np.where(alone, self.base.vwap[windows.first], vwap)


class _Table:
    """Bars to come, in one block of memory: asking for it once is cheaper than once a column and piece."""

    def __init__(self, cells: Floats) -> None:
        columns = cells.reshape(len(_KINDS), -1)
        self._bars = Batch(*(column.view(kind) for column, kind in zip(columns, _KINDS, strict=True)))
        self._columns = tuple(self._bars.columns.values())
        self._filled = 0

    def append(self, bars: Batch) -> None:
        """Put these bars after those that are there."""
        end = self._filled + len(bars)
        for mine, column in zip(self._columns, bars.columns.values(), strict=True):
            mine[self._filled : end] = column
        self._filled = end

    def batch(self) -> Batch:
        """All the bars."""
        return self._bars
