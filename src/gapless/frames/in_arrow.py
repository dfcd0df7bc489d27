"""Bars in Arrow: record batches that share memory with the arrays they are made of. Needs pyarrow."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gapless.frames.bars import SymbolBars
from gapless.vocabulary.batch import NO_TRADES

WORD = pa.dictionary(pa.int32(), pa.string())
TS = pa.timestamp("ms", tz="UTC")
_COLUMNS = [
    ("ts", TS),
    *((name, pa.float64()) for name in ("open", "high", "low", "close", "volume", "vwap")),
    ("trades", pa.int64()),
    ("final", pa.bool_()),
]


def schema(*words: str) -> pa.Schema:
    """The columns of bars after these leading ones, which hold the same word in every row of a batch."""
    return pa.schema([*((word, WORD) for word in words), *_COLUMNS])


class Words:
    """Columns of one word in every row, over one dictionary: so that all batches of a stream have the same."""

    def __init__(self, words: Iterable[str]) -> None:
        self._codes = {word: code for code, word in enumerate(dict.fromkeys(words))}
        self._dictionary = pa.array(list(self._codes), pa.string())

    def column(self, word: str, rows: int) -> pa.Array:
        """This word, so many times."""
        codes = np.full(rows, self._codes[word], np.int32)
        return pa.DictionaryArray.from_arrays(codes, self._dictionary)


def batch(part: SymbolBars, **leading: pa.Array) -> pa.RecordBatch:
    """The bars of one symbol, after these columns."""
    columns = [_column(name, values) for name, values in part.columns.items()]
    return pa.record_batch([*leading.values(), *columns], schema=schema(*leading))


def table(parts: Sequence[SymbolBars], *, many: bool) -> pa.Table:
    """The bars of all, one chunk a symbol."""
    if not many:
        return pa.Table.from_batches(map(batch, parts), schema=schema())
    words = Words(part.symbol for part in parts)
    batches = (batch(part, symbol=words.column(part.symbol, len(part.batch))) for part in parts)
    return pa.Table.from_batches(batches, schema=schema("symbol"))


def _column(name: str, values: NDArray[Any]) -> pa.Array:
    if name == "ts":
        return pa.array(values.view("datetime64[ms]")).view(TS)
    if name == "trades":
        missing = values == NO_TRADES
        return pa.array(values, mask=missing if missing.any() else None)
    return pa.array(values, from_pandas=name in ("volume", "vwap"))


def stream(part: SymbolBars) -> bytes:
    """The bars of one symbol as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema()) as writer:
        writer.write_batch(batch(part))
    found: bytes = sink.getvalue().to_pybytes()
    return found
