"""Views to query: a hand-made market of two symbols, and a dataset that tells what it was asked for."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

TS = pa.timestamp("ms", "UTC")
JAN_2 = 1_735_776_000_000
"""2025-01-02 00:00 UTC in Unix milliseconds."""
MINUTE = 60_000
SCHEMA = pa.schema(
    [
        ("symbol", pa.string()),
        ("timeframe", pa.string()),
        ("ts", TS),
        ("close", pa.float64()),
        ("trades", pa.int64()),
    ]
)
ROWS = [
    ("AAPL", "1m", JAN_2, 243.5, 10),
    ("AAPL", "1m", JAN_2 + MINUTE, 244.0, 20),
    ("AAPL", "1d", JAN_2, 243.85, 900),
    ("X:BTCUSD", "1m", JAN_2, 94_500.0, 7),
    ("X:BTCUSD", "1m", JAN_2 + MINUTE, 94_600.0, None),
]


def bars() -> pa.Table:
    """Five bars."""
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in ROWS], SCHEMA)


class Recorder(ds.InMemoryDataset):  # type: ignore[misc]  # pyarrow publishes no types
    """The same bars as a dataset that keeps what its scans were asked for."""

    def __init__(self) -> None:
        super().__init__(bars())
        self.scans: list[tuple[list[str] | None, ds.Expression | None]] = []

    def scanner(self, **options: Any) -> ds.Scanner:  # noqa: ANN401 - Arrow's options
        """A scan, recorded."""
        self.scans.append((options.get("columns"), options.get("filter")))
        return super().scanner(**options)


class Stream(ds.InMemoryDataset):  # type: ignore[misc]  # pyarrow publishes no types
    """A dataset of whatever an iterator gives; `given` counts its batches."""

    def __init__(self, batches: Iterator[pa.RecordBatch], schema: pa.Schema = SCHEMA) -> None:
        super().__init__(schema.empty_table())
        self._source = batches
        self.given = 0

    def scanner(self, columns: list[str] | None = None, **_: object) -> ds.Scanner:
        """The one scan that the iterator is good for."""
        form = self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])
        return ds.Scanner.from_batches(pa.RecordBatchReader.from_batches(form, self._counted(form.names)))

    def _counted(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        for batch in self._source:
            self.given += 1
            yield batch.select(names)
