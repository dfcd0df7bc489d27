"""Bars in Polars: frames, and a lazy scan that reads only the pieces that a query can need. Needs Polars."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.io.plugins import register_io_source

from gapless.frames.bars import Piece, Read, SymbolBars
from gapless.frames.polars_pruning import kept
from gapless.vocabulary.batch import NO_TRADES

TS = pl.Datetime("ms", "UTC")
WORD = pl.Categorical()
_CHUNK = 1 << 17
"""Rows: to copy so many is cheaper than a chunk each for many symbols."""
_COLUMNS: dict[str, pl.DataType] = {
    "ts": TS,
    **dict.fromkeys(("open", "high", "low", "close", "volume", "vwap"), pl.Float64()),
    "trades": pl.Int64(),
    "final": pl.Boolean(),
}


def schema(*words: str) -> pl.Schema:
    """The columns of bars after these leading ones, which hold the same word in every row of a piece."""
    return pl.Schema({**dict.fromkeys(words, WORD), **_COLUMNS})


def frame(parts: Sequence[SymbolBars], *, many: bool) -> pl.DataFrame:
    """The bars of all: one chunk for each symbol, small ones together."""
    words = ("symbol",) if many else ()
    empty = pl.DataFrame(schema=schema(*words))
    return pl.concat([empty, *(_chunk(group, *words) for group in _groups(parts))])


def _groups(parts: Sequence[SymbolBars]) -> Iterator[list[SymbolBars]]:
    """The parts in their order, as many at a time as are small together: a frame of its own for each takes longer."""
    group: list[SymbolBars] = []
    rows = 0
    for part in parts:
        if group and rows + len(part.batch) > _CHUNK:
            yield group
            group, rows = [], 0
        group.append(part)
        rows += len(part.batch)
    if group:
        yield group


def _chunk(group: Sequence[SymbolBars], *words: str) -> pl.DataFrame:
    lengths = [len(part.batch) for part in group]
    symbols = pl.Series([part.symbol for part in group], dtype=WORD)
    leading = [symbols.gather(np.repeat(np.arange(len(group)), lengths)).alias(word) for word in words]
    columns = {
        name: values if len(group) == 1 else np.concatenate([part.columns[name] for part in group])
        for name, values in group[0].columns.items()
    }
    return pl.DataFrame([*leading, *(_series(name, values) for name, values in columns.items())])


def scan(pieces: Sequence[Piece], read: Read) -> pl.LazyFrame:
    """A query's source that reads the pieces one after another, when and as far as they are asked for."""

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        left = rows
        for piece in pieces if predicate is None else kept(pieces, predicate):
            if left == 0:
                return
            found = _read(piece, read, columns, predicate)
            if left is not None:
                found = found.head(left)
                left -= len(found)
            yield found

    return register_io_source(source, schema=schema("symbol", "timeframe"), is_pure=True)


def _read(piece: Piece, read: Read, columns: list[str] | None, predicate: pl.Expr | None) -> pl.DataFrame:
    """One piece; in a function of its own so that nothing holds on to it while the next one is read."""
    bars = _frame(read(piece), symbol=piece.symbol, timeframe=piece.timeframe)
    if predicate is not None:
        bars = bars.filter(predicate)
    return bars if columns is None else bars.select(columns)


def _frame(part: SymbolBars, **words: str) -> pl.DataFrame:
    rows = len(part.batch)
    leading = [pl.Series(name, [word], WORD).new_from_index(0, rows) for name, word in words.items()]
    return pl.DataFrame([*leading, *(_series(name, values) for name, values in part.columns.items())])


def _series(name: str, values: NDArray[Any]) -> pl.Series:
    series = pl.Series(name, values, nan_to_null=name in ("volume", "vwap"))
    if name == "ts":
        return series.cast(TS)
    if name == "trades" and (values == NO_TRADES).any():
        return series.set(series == NO_TRADES, None)
    return series
