"""Sources: tables of people's own, row after row in chunks, each row with its place in the file."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gapless.errors import UsageError
from gapless.transfer.formats import pyarrow

_ROWS = 1 << 16
"""Rows in memory at a time."""
_DELIMITERS = ",;\t|"

Places = Callable[[Sequence[str]], dict[str, int]]
"""From the file's header to where our columns are."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows: our columns by name, and what each row is called in messages."""

    cells: Mapping[str, Sequence[Any]]
    rows: Sequence[int]
    word: str

    def place(self, row: int) -> str:
        """A row of this chunk, as a person finds it."""
        return f"{self.word} {self.rows[row]}"


def chunks(path: Path, places: Places) -> Iterator[Chunk]:
    """The rows of a `.parquet` file, or of CSV: with a header, UTF-8, and the delimiter that the header has most.

    Raises:
        UsageError: the file is neither.
    """
    return _parquet(path, places) if path.suffix == ".parquet" else _csv(path, places)


def _csv(path: Path, places: Places) -> Iterator[Chunk]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            first = file.readline()
            delimiter = max(_DELIMITERS, key=first.count)
            header = next(csv.reader([first], delimiter=delimiter, strict=True), [])
            found = places(header)
            lines = csv.reader(file, delimiter=delimiter, strict=True)
            numbered = ((lines.line_num + 1, row) for row in lines if row)
            while part := list(islice(numbered, _ROWS)):
                yield _csv_chunk(path, part, found, len(header))
        except (csv.Error, UnicodeDecodeError) as error:
            raise UsageError(
                f"`{path}` is not CSV in UTF-8: {error}.", hint="Save it as CSV with a header."
            ) from error


def _csv_chunk(path: Path, part: list[tuple[int, list[str]]], places: dict[str, int], width: int) -> Chunk:
    for line, row in part:
        if len(row) != width:
            raise UsageError(
                f"`{path}`, line {line}: it has {len(row)} cells, and the header {width}; nothing was imported.",
                hint="Mend the line and import the file again.",
            )
    numbers, rows = zip(*part, strict=True)
    return Chunk({name: [row[at] for row in rows] for name, at in places.items()}, numbers, "line")


def _parquet(path: Path, places: Places) -> Iterator[Chunk]:
    pa = pyarrow()
    try:
        with pa.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            found = {name: names[at] for name, at in places(names).items()}
            done = 0
            for batch in file.iter_batches(_ROWS, columns=list(dict.fromkeys(found.values()))):
                cells = {name: _plain(pa, batch.column(theirs)) for name, theirs in found.items()}
                yield Chunk(cells, range(done + 1, done + batch.num_rows + 1), "row")
                done += batch.num_rows
    except pa.ArrowException as error:
        raise UsageError(
            f"`{path}` cannot be read as Parquet: {error}.", hint="Check the file, or save it anew."
        ) from error


def _plain(pa: Any, column: Any) -> list[Any]:  # noqa: ANN401 - pyarrow is published without types
    """As Python has it. Times to the microsecond, the most that a datetime holds: finer ones are refused."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz))
    values: list[Any] = column.to_pylist()
    return values
