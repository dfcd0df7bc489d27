"""Pieces as an Arrow dataset: who scans it hands its filter over, and only the pieces that can match are read.

Needs pyarrow.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from gapless.frames.bars import Piece, Read
from gapless.frames.in_arrow import TS, Words, batch, schema

_SCHEMA = schema("symbol", "timeframe")
_NUMBER = 8
"""The bytes of a piece's number, which is all that its fragment holds."""


class PieceDataset(ds.FileSystemDataset):  # type: ignore[misc]  # pyarrow publishes no types
    """Bars that are read piece by piece when somebody scans them; columns `symbol`, `timeframe`, then the bar's.

    To Arrow each piece is a fragment of a partitioned dataset, so Arrow itself decides which pieces a filter
    can match. The fragments are never opened: a scan reads their pieces, one at a time, in the reader's own
    thread. What goes round `scanner` (`join`, `sort_by`) finds nothing to open and fails; take `to_table` first.
    """

    def __init__(self, pieces: Sequence[Piece], read: Read) -> None:
        form = ds.IpcFileFormat()
        super().__init__([_fragment(form, n, piece) for n, piece in enumerate(pieces)], _SCHEMA, form)
        self._pieces, self._read = pieces, read
        self._symbols = Words(piece.symbol for piece in pieces)
        self._timeframes = Words(piece.timeframe for piece in pieces)
        self._where: tuple[ds.Expression, ...] = ()

    def filter(self, expression: ds.Expression) -> "PieceDataset":
        """The same dataset, narrowed to the rows of which `expression` is true."""
        narrowed = PieceDataset(self._pieces, self._read)
        narrowed._where = (*self._where, expression)
        return narrowed

    def scanner(
        self,
        columns: Any = None,  # noqa: ANN401 - names, or expressions by name, as Arrow takes them
        filter: ds.Expression | None = None,  # noqa: A002 - Arrow's name for it
        **options: Any,  # noqa: ANN401 - Arrow's other options, handed through
    ) -> "PieceScanner":
        """A scan of these columns, of the rows of which `filter` is true."""
        where = [*self._where, *([] if filter is None else [filter])]
        return PieceScanner(
            self, {"columns": columns, "filter": reduce(and_, where) if where else None, **options}
        )

    def read(self, where: ds.Expression | None) -> Iterator[pa.RecordBatch]:
        """The pieces that can hold a row of which `where` is true, in order, whole; each is read when asked for."""
        for fragment in self.get_fragments(filter=where):
            yield self._whole(self._pieces[int.from_bytes(fragment.buffer.to_pybytes())])

    def _whole(self, piece: Piece) -> pa.RecordBatch:
        """One piece; in a function of its own so that nothing holds on to it while the next one is read."""
        bars = self._read(piece)
        return batch(
            bars,
            symbol=self._symbols.column(piece.symbol, len(bars.batch)),
            timeframe=self._timeframes.column(piece.timeframe, len(bars.batch)),
        )


class PieceScanner:
    """One scan: what `pyarrow.dataset.Scanner` offers, without threads that read ahead of the reader."""

    def __init__(self, dataset: PieceDataset, options: dict[str, Any]) -> None:
        self._dataset, self._options = dataset, options
        self.dataset_schema: pa.Schema = _SCHEMA
        self.projected_schema: pa.Schema = self._scanner(_SCHEMA.empty_table()).projected_schema

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """The batches of one piece after another."""
        for whole in self._dataset.read(self._options["filter"]):
            found = self._scanner(whole).to_batches()
            del whole  # only the batches that are still to come may keep it
            yield from found

    def to_reader(self) -> pa.RecordBatchReader:
        """The same as a stream."""
        return pa.RecordBatchReader.from_batches(self.projected_schema, self.to_batches())

    def to_table(self) -> pa.Table:
        """Everything at once."""
        return self.to_reader().read_all()

    def head(self, num_rows: int) -> pa.Table:
        """The first rows; no piece is read that does not hold one of them."""
        taken, left = [], num_rows
        for found in self.to_batches() if left else ():
            taken.append(found.slice(0, left))
            left -= len(taken[-1])
            if not left:
                break
        return pa.Table.from_batches(taken, self.projected_schema)

    def count_rows(self) -> int:
        """How many rows there are."""
        return sum(len(found) for found in self.to_batches())

    def _scanner(self, source: pa.Table | pa.RecordBatch) -> ds.Scanner:
        return ds.InMemoryDataset(source).scanner(**self._options)


def _fragment(form: ds.FileFormat, number: int, piece: Piece) -> ds.Fragment:
    return form.make_fragment(
        pa.py_buffer(number.to_bytes(_NUMBER)),
        partition_expression=(ds.field("symbol") == piece.symbol)
        & (ds.field("timeframe") == piece.timeframe)
        & (ds.field("ts") >= pa.scalar(piece.span.start, TS))
        & (ds.field("ts") < pa.scalar(piece.span.end, TS)),
    )
