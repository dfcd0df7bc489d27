"""Formats: the bars of one file as bytes, the same bytes for the same bars, and back."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gapless.errors import UsageError
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats

Final = NDArray[np.bool_]
_COLUMNS = (*Batch.empty().columns, "final")
_PRICES = ("open", "high", "low", "close")
_TOGETHER = 20_000
"""Rows of CSV that are text in memory at a time."""


@dataclass(frozen=True, slots=True)
class Format:
    """How bars become a file; `read` raises ValueError where the bytes are something else."""

    name: str
    write: Callable[[BinaryIO, Batch, Final], None]
    read: Callable[[bytes], Batch]


def format_named(name: str) -> Format:
    """A format by its name, ready to use.

    Raises:
        UsageError: there is no such format, or its library is not installed.
    """
    if name not in FORMATS:
        raise UsageError(
            f"`{name}` is not a format of an export.", hint=f"Use one of: {', '.join(FORMATS)}, sqlite."
        )
    if name != "csv":
        pyarrow()
    return FORMATS[name]


def pyarrow() -> ModuleType:
    """The library for Parquet and Arrow files.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: PLC0415 - heavy, and an extra
    except ImportError as error:
        raise UsageError(
            "Parquet and Arrow files need pyarrow, which is not installed.",
            hint='Run `pip install "gapless[arrow]"`, or use csv.',
        ) from error
    return pyarrow  # type: ignore[no-any-return]  # published without types


# -- CSV ---------------------------------------------------------------------


def _write_csv(file: BinaryIO, batch: Batch, final: Final) -> None:
    file.write((",".join(_COLUMNS) + "\n").encode())
    for at in range(0, len(batch), _TOGETHER):
        rows = slice(at, at + _TOGETHER)
        file.write(_csv_text(batch.take(rows), final[rows]).encode())


def _csv_text(batch: Batch, final: Final) -> str:
    """Times as ISO text in UTC, numbers as the shortest text that is read as the same number."""
    seconds = np.datetime_as_string(batch.ts.astype("datetime64[ms]"), unit="s")
    columns = [
        [f"{second}Z" for second in seconds.tolist()],
        *([repr(x) if x == x else "" for x in _floats(batch, name).tolist()] for name in _FLOATS),  # noqa: PLR0124 - NaN alone differs from itself
        ["" if n == NO_TRADES else str(n) for n in batch.trades.tolist()],
        ["true" if yes else "false" for yes in final.tolist()],
    ]
    return "".join([",".join(row) + "\n" for row in zip(*columns, strict=True)])


def _read_csv(data: bytes) -> Batch:
    lines = csv.reader(io.StringIO(data.decode(), newline=""))
    if (header := next(lines, [])) != list(_COLUMNS):
        raise ValueError(f"its columns are {', '.join(header)}")
    return Batch.concat(_csv_bars(rows) for rows in iter(lambda: list(islice(lines, _TOGETHER)), []))


def _csv_bars(rows: list[list[str]]) -> Batch:
    ts, *floats, trades, _ = zip(*rows, strict=True)
    open_, high, low, close, volume, vwap = map(_numbers, floats)
    starts = np.array([stamp.removesuffix("Z") for stamp in ts], "datetime64[ms]").astype(np.int64)
    counts = np.array([int(n) if n else NO_TRADES for n in trades], np.int64)
    return Batch(starts, open_, high, low, close, volume, vwap, counts)


def _numbers(cells: Sequence[str]) -> Floats:
    return np.array([float(x) if x else np.nan for x in cells], np.float64)


# -- Parquet and Arrow -------------------------------------------------------


def _write_parquet(file: BinaryIO, batch: Batch, final: Final) -> None:
    # Times that rise by a minute take next to nothing as differences; prices repeat, so a dictionary is best.
    pyarrow().parquet.write_table(
        _table(batch, final),
        file,
        compression="zstd",
        row_group_size=1 << 17,
        use_dictionary=[name for name in _COLUMNS if name not in ("ts", "final")],
        column_encoding={"ts": "DELTA_BINARY_PACKED"},
    )


def _read_parquet(data: bytes) -> Batch:
    pa = pyarrow()
    return _batch(pa.parquet.ParquetFile(pa.BufferReader(data)).read())


def _write_arrow(file: BinaryIO, batch: Batch, final: Final) -> None:
    table = _table(batch, final)
    with pyarrow().ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _read_arrow(data: bytes) -> Batch:
    return _batch(pyarrow().ipc.open_file(data).read_all())


def _table(batch: Batch, final: Final) -> Any:  # noqa: ANN401 - a pyarrow.Table, published without types
    pa = pyarrow()
    absent = batch.trades == NO_TRADES
    arrays = [
        pa.array(batch.ts.astype("datetime64[ms]"), pa.timestamp("ms", "UTC")),
        *(_nullable(_floats(batch, name)) for name in _FLOATS),
        pa.array(np.where(absent, 0, batch.trades), mask=absent),
        pa.array(final),
    ]
    fields = [
        pa.field(name, array.type, nullable=name in _NULLABLE)
        for name, array in zip(_COLUMNS, arrays, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _nullable(column: Floats) -> Any:  # noqa: ANN401 - a pyarrow.Array, published without types
    absent = np.isnan(column)
    return pyarrow().array(np.where(absent, 0.0, column), mask=absent)


def _batch(table: Any) -> Batch:  # noqa: ANN401 - a pyarrow.Table, published without types
    if table.column_names != list(_COLUMNS):
        raise ValueError(f"its columns are {', '.join(table.column_names)}")
    pa = pyarrow()
    columns = {name: table[name].combine_chunks() for name in _COLUMNS[:-1]}
    open_, high, low, close, volume, vwap = (
        np.array(columns[name].cast(pa.float64()).fill_null(np.nan), np.float64) for name in _FLOATS
    )
    starts = np.array(columns["ts"].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()), np.int64)
    counts = np.array(columns["trades"].cast(pa.int64()).fill_null(NO_TRADES), np.int64)
    return Batch(starts, open_, high, low, close, volume, vwap, counts)


_FLOATS = (*_PRICES, "volume", "vwap")
_NULLABLE = ("volume", "vwap", "trades")


def _floats(batch: Batch, name: str) -> Floats:
    """A column with one kind of zero, because stores keep only one."""
    column: Floats = getattr(batch, name) + 0.0
    return column


FORMATS = {
    form.name: form
    for form in (
        Format("parquet", _write_parquet, _read_parquet),
        Format("csv", _write_csv, _read_csv),
        Format("arrow", _write_arrow, _read_arrow),
    )
}
"""Every format of an exported folder by its name, which is also how its files end."""
