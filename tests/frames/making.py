"""What these tests read: bars as plain rows, and pieces whose reading is counted."""

import weakref
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gapless.frames import Piece, SymbolBars
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE

Row = tuple[int, float, float, float, float, float | None, float | None, int | None, bool]
"""One bar: ts, open, high, low, close, volume, vwap, trades, final; None where there is no number."""

COLUMNS = ["ts", "open", "high", "low", "close", "volume", "vwap", "trades", "final"]
NEW_YEAR = 1_704_067_200_000
"""2024-01-01 00:00 UTC."""


def bars_of(symbol: str, rows: Sequence[Row]) -> SymbolBars:
    """The rows as columns, missing numbers as a batch writes them."""
    ts, *prices, trades, final = zip(*rows, strict=True) if rows else ((),) * len(COLUMNS)
    floats = [np.array([np.nan if x is None else x for x in column], np.float64) for column in prices]
    counts = np.array([NO_TRADES if x is None else x for x in trades], np.int64)
    columns: list[Any] = [np.array(ts, np.int64), *floats, counts]
    return SymbolBars(symbol, Batch(*columns), np.array(final, np.bool_))


def plain(n: int, price: float = 1.0) -> Row:
    """The bar of the n-th minute of 2024."""
    return (NEW_YEAR + n * MINUTE, price, price, price, price, 10.0, price, 3, True)


_prices = st.floats(0.01, 1e6)
_maybe = st.none() | _prices


def row_lists(most: int = 8, reach: int = 9_000_000) -> st.SearchStrategy[list[Row]]:
    """Bars at rising minutes, at most `reach` from new year, any of them with numbers missing."""
    minutes = st.lists(st.integers(-reach, reach), max_size=most, unique=True).map(sorted)
    numbers = st.tuples(_prices, _prices, _prices, _prices, _maybe, _maybe, st.none() | st.integers(0, 2**60))
    return minutes.flatmap(
        lambda at: st.tuples(*(st.tuples(numbers, st.booleans()) for _ in at)).map(
            lambda drawn: [
                (NEW_YEAR + n * MINUTE, *row, final) for n, (row, final) in zip(at, drawn, strict=True)
            ]
        )
    )


def utc(ms: int) -> datetime:
    """A moment as Python's own."""
    return datetime.fromtimestamp(ms / 1000, UTC)


class Shelf:
    """Pieces on a shelf: a bar every minute; counts what is taken down, and how much of it is in use at once."""

    def __init__(self) -> None:
        self.taken: list[Piece] = []
        self.alive = self.most = 0
        self._lock = Lock()

    def read(self, piece: Piece) -> SymbolBars:
        """The bars of a piece; its price is its symbol's place in the alphabet."""
        ts = np.arange(piece.span.start, piece.span.end, MINUTE, dtype=np.int64)
        price = float(ord(piece.symbol[0]) - ord("A"))
        closes = np.full(len(ts), price)
        columns = [ts, closes, closes, closes, closes, closes, closes, np.ones(len(ts), np.int64)]
        with self._lock:
            self.taken.append(piece)
            self.alive += 1
            self.most = max(self.most, self.alive)
        # The prices live as long as anybody still looks at the piece.
        weakref.finalize(closes, self._gone)
        return SymbolBars(piece.symbol, Batch(*columns), np.ones(len(ts), np.bool_))

    def _gone(self) -> None:
        with self._lock:
            self.alive -= 1


def pieces_of(symbols: Sequence[str], *, spans: int, minutes: int, timeframe: str = "1m") -> list[Piece]:
    """Each symbol in so many spans of so many minutes, which follow one another from new year on."""
    length = minutes * MINUTE
    return [
        Piece(symbol, timeframe, Span(NEW_YEAR + n * length, NEW_YEAR + (n + 1) * length))
        for symbol in symbols
        for n in range(spans)
    ]
