"""Bars that are not read until somebody asks for rows: one piece at a time, and only the pieces that can match."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gapless.frames.bars import Piece, Read
from gapless.frames.extras import extra

if TYPE_CHECKING:
    import polars as pl

    from gapless.frames.in_dataset import PieceDataset


@dataclass(frozen=True, eq=False)
class Scan:
    """Pieces in order and how to read one. Columns: `symbol`, `timeframe`, then those of `Bars`.

    As an Arrow stream (`__arrow_c_stream__`) it is read from end to end. `dataset` and `polars` take filters:
    what they say of symbol, timeframe and time decides which pieces are read at all.
    """

    pieces: tuple[Piece, ...] = field(repr=False)
    read: Read = field(repr=False)

    def __repr__(self) -> str:
        symbols = len({piece.symbol for piece in self.pieces})
        return f"<Scan of {symbols:,} symbols in {len(self.pieces):,} pieces>"

    def dataset(self) -> "PieceDataset":
        """An Arrow dataset, for DuckDB and all that scan one: `d = scan.dataset(); duckdb.sql("from d")`.

        Raises:
            UsageError: pyarrow is not installed.
        """
        with extra("arrow", "pyarrow"):
            from gapless.frames.in_dataset import PieceDataset  # noqa: PLC0415 - pyarrow is an extra
        return PieceDataset(self.pieces, self.read)

    def polars(self) -> "pl.LazyFrame":
        """A lazy Polars frame; `collect(engine="streaming")` keeps few pieces in memory whatever the history.

        Raises:
            UsageError: Polars is not installed.
        """
        with extra("polars", "polars"):
            from gapless.frames.in_polars import scan as lazily  # noqa: PLC0415 - Polars is an extra
        return lazily(self.pieces, self.read)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.dataset().scanner().to_reader().__arrow_c_stream__(requested_schema)


def scan(pieces: Sequence[Piece], read: Read) -> Scan:
    """A scan of these pieces.

    `read` gives only bars that start inside the piece's span; it may be called from any thread, and again.
    """
    return Scan(tuple(pieces), read)
