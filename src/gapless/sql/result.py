"""What a query gave: columns and rows, in memory or as a stream."""

import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gapless.errors import UsageError
from gapless.frames.extras import extra

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class SqlResult:
    """The rows of a query.

    With a limit of rows they are in memory, `cut` tells whether there were more, and `note` says so in words.
    Without one they are read from the store as they are asked for: once, by whichever of `rows`, `arrow`, `polars`,
    `pandas` and `reader` comes first; close it (`with`) if you stop before the end. Instants are UTC.
    """

    def __init__(
        self,
        schema: "pa.Schema",
        batches: "Iterator[pa.RecordBatch]",
        close: Callable[[], None],
        *,
        most: int | None,
    ) -> None:
        self._schema = schema
        self._batches = batches
        # An open stream would keep Python from ending: it is closed with this object, at the latest at exit.
        self._close = weakref.finalize(self, close)
        self._table: pa.Table | None = None
        self._handed_out = False
        self.cut = False
        self.note = ""
        if most is not None:
            self._take(most)

    def __repr__(self) -> str:
        held = "a stream" if self._table is None else f"{self._table.num_rows:,} rows"
        return f"<SqlResult {', '.join(self.columns)}: {held}{', cut' if self.cut else ''}>"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, each one once."""
        return tuple(self._schema.names)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """All rows as Python values; instants are aware datetimes."""
        return list(zip(*(column.to_pylist() for column in self.arrow().columns), strict=True))

    def reader(self) -> "pa.RecordBatchReader":
        """The rows as a stream of record batches.

        Raises:
            UsageError: the stream has been read.
        """
        if self._table is not None:
            return self._table.to_reader()
        if self._handed_out or not self._close.alive:
            raise UsageError(
                "This result was a stream, and it is being read, was read or was closed.",
                hint="Keep what `arrow()` returned, or run the query again.",
            )
        self._handed_out = True
        import pyarrow as pa  # noqa: PLC0415 - pyarrow is an extra

        return pa.RecordBatchReader.from_batches(self._schema, self._stream())

    def arrow(self) -> "pa.Table":
        """All rows in an Arrow table."""
        if self._table is None:
            self._table = self.reader().read_all()
        return self._table

    def polars(self) -> "pl.DataFrame":
        """All rows in a Polars frame.

        Raises:
            UsageError: Polars is not installed.
        """
        with extra("polars", "polars"):
            import polars as pl  # noqa: PLC0415 - Polars is an extra
        return pl.DataFrame(self.arrow())

    def pandas(self) -> "pd.DataFrame":
        """All rows in a pandas frame.

        Raises:
            UsageError: pandas is not installed.
        """
        with extra("pandas", "pandas"):
            import pandas as _  # noqa: F401, ICN001, PLC0415 - pandas is an extra; Arrow makes the frame
        return self.arrow().to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.reader().__arrow_c_stream__(requested_schema)

    def close(self) -> None:
        """End the query, if it still runs. What is in memory stays."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _stream(self) -> "Iterator[pa.RecordBatch]":
        try:
            yield from self._batches
        finally:
            self.close()

    def _take(self, most: int) -> None:
        found = self.reader().read_all()
        self.cut = found.num_rows > most
        self._table = found.slice(0, most)
        if self.cut:
            self.note = f"cut after {most:,} rows: there are more"
