"""Packed columns: a batch as few bytes, exact to the last bit.

Vendors' numbers are decimals, so a column that sits on a decimal grid is kept as whole ticks, and prices as their
small distances: close from the last close, open from the last close, high above the body, low below it, the
average from the middle. What is on no grid stays doubles. pcodec packs both; a column without numbers costs a
few bytes.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, DeltaSpec, ModeSpec, standalone

from gapless.vocabulary.batch import NO_TRADES, Batch, Floats, Ints
from gapless.vocabulary.timeframe import MINUTE

VERSION = 2
"""The number of the layout and its checksum; it is written beside each payload. Payloads of 1 and 2 are the same."""

MERGED = 3
"""That of a payload into which several were merged: their `Lines`, then all their bars as one payload of 2."""

Column = NDArray[Any]
Block = tuple[int, Column]
"""A column's mark, and what is stored of it."""


class Lines(NamedTuple):
    """Of each payload that was merged, in their order: how many bars and withdrawn starts, and when it was written."""

    bars: Ints
    gone: Ints
    written: Ints


_BLOCK = struct.Struct("<bI")  # the block's mark, its length in bytes
_ABSENT = -1
_DOUBLES = -2  # any other mark is the column's number of decimals; of instants it is 1 for minutes, 0 for ms
_NOTHING = np.empty(0, np.int64)
_SAMPLE = 64
_FINEST = 12
"""Decimals: the vendor's coins have up to ten."""

# What each kind of column looks like is known, so pcodec need not find out: that is most of its time.
_LEVEL = 6  # 8 is a tenth slower and saves less than one byte in a hundred
_NOISE = ChunkConfig(_LEVEL, ModeSpec.classic(), DeltaSpec.no_op())
_WALK = ChunkConfig(_LEVEL, ModeSpec.classic(), DeltaSpec.try_consecutive(1))
_AMOUNTS = ChunkConfig(_LEVEL, ModeSpec.auto(), DeltaSpec.no_op())
_DOUBLE = ChunkConfig(_LEVEL)


def pack(batch: Batch, gone: Ints) -> bytes:
    """The bytes of these bars, and of the starts at which there is no bar any more."""
    prices = (batch.open, batch.high, batch.low, batch.close)
    blocks = [_pack_instants(batch.ts), _pack_instants(gone)]
    decimals, ticks = _grid(prices)
    if decimals == _DOUBLES:
        middle = None
        blocks += (_pack_column(price, _DOUBLES, _DOUBLE) for price in prices)
    else:
        open_, high, low, close = ticks
        middle = (decimals, open_ + high + low + close >> 2)
        blocks += (
            _pack_column(open_ - _last(close), decimals, _NOISE),
            _pack_column(high - np.maximum(open_, close), decimals, _NOISE),
            _pack_column(np.minimum(open_, close) - low, decimals, _NOISE),
            _pack_column(close, decimals, _WALK),
        )
    blocks += _pack_optional(batch.volume, None)
    blocks += _pack_optional(batch.vwap, middle)
    trades = batch.trades if (batch.trades != NO_TRADES).any() else batch.trades[:0]
    return b"".join((*blocks, _pack_column(trades, 0, _NOISE)))


def unpack(payload: bytes, into: Batch | None = None) -> tuple[Batch, Ints]:
    """The bars and the starts of withdrawn ones that `pack` was given; the bars in the columns of `into`, if given.

    Those have to be as long as the bars are many.
    """
    blocks = _blocks(payload)
    unit, ts = next(blocks)
    gone = _unpack_instants(next(blocks))
    bars = Batch.room(len(ts)) if into is None else into
    np.multiply(ts, _unit(unit), out=bars.ts)
    middle = _unpack_prices(blocks, bars)
    _unpack_optional(blocks, bars.volume, None)
    _unpack_optional(blocks, bars.vwap, middle)
    mark, trades = next(blocks)
    bars.trades[:] = NO_TRADES if mark == _ABSENT else trades
    return bars, gone


def unpack_starts(payload: bytes) -> tuple[Ints, Ints]:
    """The starts of the bars and of the withdrawn ones alone, for a fraction of the work."""
    blocks = _blocks(payload)
    return _unpack_instants(next(blocks)), _unpack_instants(next(blocks))


def pack_merged(lines: Lines, batch: Batch, gone: Ints) -> bytes:
    """The bytes of these bars and withdrawn starts, which stand one payload after the other."""
    kinds = zip(lines, (_NOISE, _NOISE, _WALK), strict=True)
    return b"".join((*(_pack_column(column, 0, config) for column, config in kinds), pack(batch, gone)))


def unpack_lines(payload: bytes) -> tuple[Lines, bytes]:
    """The lines that `pack_merged` was given, and the payload that follows them."""
    at, columns = 0, []
    for _ in Lines._fields:
        (_, column), at = _block(payload, at)
        columns.append(column)
    return Lines(*columns), payload[at:]


def merged_rows(payload: bytes) -> int:
    """How many bars a merged payload holds, those included that others of it replace."""
    (_, bars), _ = _block(payload, 0)
    return int(bars.sum())


# -- decimal grids -----------------------------------------------------------


def _grid(columns: Sequence[Floats]) -> tuple[int, list[Ints]]:
    """The fewest decimals that give every value to the last bit, and the columns as ticks of that size.

    Without such a grid: the mark of doubles, and nothing.
    """
    samples = [column[:: len(column) // _SAMPLE + 1] for column in columns]
    for decimals in range(_FINEST + 1):
        if _ticks(samples, decimals) and (ticks := _ticks(columns, decimals)):
            return decimals, ticks
    return _DOUBLES, []


def _ticks(columns: Sequence[Floats], decimals: int) -> list[Ints]:
    """The columns as whole ticks; nothing if any value is not exactly such a number.

    What is too large for a tick becomes some other number here, and so is not what it was on the way back.
    """
    whole = []
    for column in columns:
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = column * 10.0**decimals
            ticks = np.rint(rounded, out=rounded).astype(np.int64)
        back = np.divide(ticks, 10.0**decimals, out=rounded)
        if not (back.view(np.int64) == column.view(np.int64)).all():  # bits: also the sign of a zero
            return []
        whole.append(ticks)
    return whole


def _numbers(column: Column, decimals: int, into: Floats) -> None:
    """Ticks as numbers: the division rounds to the double that the decimal text would give."""
    into[:] = column  # apart from the division: together they would go through a buffer
    if decimals > 0:
        into /= 10.0**decimals


def _last(close: Ints) -> Ints:
    """The close before each bar; the first bar has none, its open is counted from its own close."""
    return np.concatenate((close[:1], close[:-1]))


def _reference(middle: tuple[int, Ints] | None, decimals: int) -> Ints | None:
    """What an average with so many decimals is counted from, None where the prices are finer or on no grid."""
    if middle is None or decimals < middle[0]:
        return None
    return middle[1] if decimals == middle[0] else middle[1] * 10 ** (decimals - middle[0])


# -- blocks ------------------------------------------------------------------


def _pack_column(column: Column, mark: int, config: ChunkConfig) -> bytes:
    if not len(column):
        return _BLOCK.pack(_ABSENT, 0)
    packed: bytes = standalone.simple_compress(np.ascontiguousarray(column), config)
    return _BLOCK.pack(mark, len(packed)) + packed


def _pack_instants(ts: Ints) -> bytes:
    whole = not (ts % MINUTE).any()
    return _pack_column(ts // MINUTE if whole else ts, int(whole), _WALK)


def _pack_optional(column: Floats, middle: tuple[int, Ints] | None) -> Iterator[bytes]:
    """Two blocks: where the column has no number, and the numbers that it has."""
    there = ~np.isnan(column)
    whole = there.all()
    present = column if whole else column[there]
    yield _pack_column(_NOTHING if whole or not len(present) else np.flatnonzero(~there), 0, _WALK)
    decimals, grid = _grid([present])
    if decimals == _DOUBLES or not len(present):
        yield _pack_column(present, _DOUBLES, _DOUBLE)
    elif (reference := _reference(middle, decimals)) is None:
        yield _pack_column(grid[0], decimals, _AMOUNTS if decimals else _NOISE)
    else:
        yield _pack_column(grid[0] - (reference if whole else reference[there]), decimals, _NOISE)


def _blocks(payload: bytes) -> Iterator[Block]:
    at = 0
    while at < len(payload):
        block, at = _block(payload, at)
        yield block


def _block(payload: bytes, at: int) -> tuple[Block, int]:
    """The block that starts there, and where the next one does."""
    mark, length = _BLOCK.unpack_from(payload, at)
    at += _BLOCK.size
    end = at + length
    return (mark, standalone.simple_decompress(payload[at:end]) if length else _NOTHING), end


def _unpack_instants(block: Block) -> Ints:
    mark, column = block
    return np.multiply(column, _unit(mark))


def _unit(mark: int) -> int:
    """What instants with this mark are counted in, in ms."""
    return MINUTE if mark == 1 else 1


def _unpack_prices(blocks: Iterator[Block], bars: Batch) -> tuple[int, Ints] | None:
    """Fill the four prices; returns their decimals and the middle of each bar, None where they are on no grid."""
    (decimals, open_), (_, high), (_, low), (_, close) = (next(blocks) for _ in range(4))
    middle = None
    if decimals != _DOUBLES:  # the columns are ours alone: all of this is done in place
        open_[:1] += close[:1]
        open_[1:] += close[:-1]
        high += np.maximum(open_, close)
        np.subtract(np.minimum(open_, close), low, out=low)
        sums = open_ + high
        sums += low
        sums += close
        sums >>= 2
        middle = (decimals, sums)
    for column, price in zip(
        (open_, high, low, close), (bars.open, bars.high, bars.low, bars.close), strict=True
    ):
        _numbers(column, decimals, price)
    return middle


def _unpack_optional(blocks: Iterator[Block], into: Floats, middle: tuple[int, Ints] | None) -> None:
    _, holes = next(blocks)
    decimals, column = next(blocks)
    if decimals == _ABSENT:
        into[:] = np.nan
        return
    reference = None if decimals == _DOUBLES else _reference(middle, decimals)
    if not len(holes):
        if reference is not None:
            column += reference
        _numbers(column, decimals, into)
        return
    present = np.ones(len(into), np.bool_)
    present[holes] = False
    numbers = np.empty(len(column))
    _numbers(column if reference is None else column + reference[present], decimals, numbers)
    into[:] = np.nan
    into[present] = numbers
