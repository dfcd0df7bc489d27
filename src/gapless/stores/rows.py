"""Rows: bars of the plain store as rows of SQL, with a checksum for each stretch of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, Double, Table, insert, select

from gapless.stores.database import driver
from gapless.stores.records import Listed
from gapless.stores.schema import Whole, beside_shared
from gapless.vocabulary.batch import NO_TRADES, Batch, Ints
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base

TABLES = beside_shared()
_STRETCH = {Base.MINUTE: DAY, Base.DAY: 32 * DAY}
"""How long a stretch with one checksum is, by base: short enough to be read whole whenever a part is asked for."""


def _numbers() -> list[Column[Any]]:
    return [
        *(Column(name, Double, nullable=False) for name in ("open", "high", "low", "close")),
        Column("volume", Double),
        Column("vwap", Double),
        Column("trades", Whole),
    ]


BAR = Table(
    "bar",
    TABLES,
    Column("series_id", Whole, primary_key=True),
    Column(
        "provisional", Whole, primary_key=True
    ),  # 1: can still change; in the key, so that a reader need not look
    Column("ts", Whole, primary_key=True),  # Unix ms
    *_numbers(),
    Column("written", Whole, nullable=False),  # Unix ms of the write that brought these numbers
    sqlite_with_rowid=False,
)

REVISION = Table(
    "bar_revision",
    TABLES,
    Column("series_id", Whole, primary_key=True),
    Column("ts", Whole, primary_key=True),
    *_numbers(),
    Column("written", Whole, primary_key=True),
    Column("replaced", Whole, nullable=False),  # Unix ms of the write that corrected or withdrew it
    Column("checksum", Whole, nullable=False),
    sqlite_with_rowid=False,
)

STRETCH = Table(
    "bar_stretch",
    TABLES,
    Column("series_id", Whole, primary_key=True),
    Column("number", Whole, primary_key=True),  # of the stretch, counted from 1970
    Column("bars", Whole, nullable=False),
    Column("checksum", Whole, nullable=False),  # of all its bars, in any order
    sqlite_with_rowid=False,
)

_COLUMNS = [column.name for column in BAR.columns if column.name not in ("series_id", "provisional")]
_CASTS = ", ".join(  # a damaged row may hold text where a number was: it becomes a number, a wrong one
    f"CAST({name} AS {'REAL' if isinstance(BAR.c[name].type, Double) else 'INTEGER'})" for name in _COLUMNS
)
_IN_SPAN = "series_id = ? AND provisional IN (0, 1) AND ts >= ? AND ts < ?"
_TOGETHER = 400
"""Rows in one INSERT: fewer steps of SQLite's machine for each, and below its limit of variables."""
_FETCH = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Bars, and for each one when its numbers were written (Unix ms)."""

    bars: Batch
    written: Ints

    @classmethod
    def of(cls, bars: Batch, written: int) -> "Rows":
        """Bars of one write."""
        return cls(bars, np.full(len(bars), written, np.int64))

    @classmethod
    def concat(cls, parts: list["Rows"]) -> "Rows":
        """The rows of all, one after another."""
        written = np.concatenate([np.empty(0, np.int64), *(part.written for part in parts)])
        return cls(Batch.concat(part.bars for part in parts), written)

    def take(self, index: NDArray[Any] | slice) -> "Rows":
        """The rows at these positions."""
        return Rows(self.bars.take(index), self.written[index])

    def between(self, span: Span) -> "Rows":
        """The rows whose bars start inside `span`."""
        first, last = np.searchsorted(self.bars.ts, (span.start, span.end))
        return self.take(slice(int(first), int(last)))

    def checksums(self, *more: Ints) -> NDArray[np.uint64]:
        """A number for each row that another row has by a chance of one in 2^64."""
        mixed = np.full(len(self.bars), _SEED)
        for column in (*self.bars.columns.values(), self.written, *more):
            mixed = (mixed ^ _bits(column)) * _ODD
            mixed ^= mixed >> _HALF
        return mixed


_SEED, _ODD, _HALF = np.uint64(0x243F6A8885A308D3), np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


def _bits(column: NDArray[Any]) -> NDArray[np.uint64]:
    """The bits that are the same for equal numbers: SQLite keeps one kind of zero and no kind of NaN."""
    if column.dtype == np.float64:
        column = np.where(np.isnan(column), np.nan, column + 0.0)
    return column.view(np.uint64)


# -- rows --------------------------------------------------------------------


def insert_rows(connection: Connection, series_id: int, bars: Batch, written: int) -> None:
    """Write rows that are not there yet, as final ones, by the driver's fastest path: many in one statement."""
    columns = _values(bars)
    width, count = len(columns), len(bars)
    cells: list[float | None] = [None] * (width * count)
    for at, column in enumerate(columns):
        cells[at::width] = column
    whole = count - count % _TOGETHER
    chunks = (cells[at : at + width * _TOGETHER] for at in range(0, width * whole, width * _TOGETHER))
    db = driver(connection)
    db.executemany(_insert(series_id, written, _TOGETHER), chunks)
    if whole < count:
        db.execute(_insert(series_id, written, count - whole), cells[width * whole :])


def read_rows(connection: Connection, series_id: int, span: Span) -> Rows:
    """The rows of a series that start inside `span`, as SQLite has them: nothing is checked."""
    final, provisional = (_read(connection, series_id, mark, span) for mark in (0, 1))
    if not len(provisional.bars):
        return final
    both = Rows.concat([final, provisional])
    return both.take(np.argsort(both.bars.ts, kind="stable"))


def _read(connection: Connection, series_id: int, mark: int, span: Span) -> Rows:
    query = (
        f"SELECT {_CASTS} FROM bar WHERE series_id = ? AND provisional = ? AND ts >= ? AND ts < ? ORDER BY ts"  # noqa: S608  our own names
    )
    cursor = driver(connection).execute(query, (series_id, mark, span.start, span.end))
    return Rows.concat([_rows(part) for part in iter(lambda: cursor.fetchmany(_FETCH), [])])


def count_rows(connection: Connection, series_id: int, span: Span) -> int:
    """How many rows of a series start inside `span`."""
    query = f"SELECT count(*) FROM bar WHERE {_IN_SPAN}"  # noqa: S608  our own names
    return int(connection.exec_driver_sql(query, (series_id, span.start, span.end)).scalar_one())


def written_since(connection: Connection, series_id: int, span: Span, moment: int) -> bool:
    """Whether any row that starts inside `span` got its numbers after `moment` (Unix ms)."""
    query = f"SELECT 1 FROM bar WHERE {_IN_SPAN} AND written > ? LIMIT 1"  # noqa: S608  our own names
    values = (series_id, span.start, span.end, moment)
    return connection.exec_driver_sql(query, values).first() is not None


def delete_rows(connection: Connection, series_id: int, starts: Ints) -> None:
    """Delete the rows of these bars."""
    doomed = [(series_id, ts) for ts in starts.tolist()]
    query = "DELETE FROM bar WHERE series_id = ? AND provisional IN (0, 1) AND ts = ?"
    driver(connection).executemany(query, doomed)


def delete_span(connection: Connection, series_id: int, span: Span) -> None:
    """Delete the rows of a series that start inside `span`."""
    query = f"DELETE FROM bar WHERE {_IN_SPAN}"  # noqa: S608  our own names
    connection.exec_driver_sql(query, (series_id, span.start, span.end))


def _insert(series_id: int, written: int, rows: int) -> str:
    """What is the same in all rows stands in the statement: each value that is bound takes its time."""
    row = f"({series_id}, 0, {', '.join('?' * (len(_COLUMNS) - 1))}, {written})"
    return f"INSERT INTO bar (series_id, provisional, {', '.join(_COLUMNS)}) VALUES {', '.join([row] * rows)}"  # noqa: S608  our own names


def _values(bars: Batch) -> list[list[float | None]]:
    """The columns as lists, in the order of the table; SQLite makes NULL of NaN."""
    *columns, trades = (column.tolist() for column in bars.columns.values())
    if (bars.trades == NO_TRADES).any():
        trades = [None if n == NO_TRADES else n for n in trades]
    return [*columns, trades]


def _rows(cells: list[tuple[Any, ...]]) -> Rows:
    ts, *floats, trades, written = zip(*cells, strict=True)
    known = [NO_TRADES if n is None else n for n in trades]
    open_, high, low, close, volume, vwap = (np.array(column, np.float64) for column in floats)
    batch = Batch(np.array(ts, np.int64), open_, high, low, close, volume, vwap, np.array(known, np.int64))
    return Rows(batch, np.array(written, np.int64))


# -- earlier numbers ---------------------------------------------------------


def keep_revisions(connection: Connection, series_id: int, rows: Rows, replaced: int) -> None:
    """Keep rows that are corrected or withdrawn at `replaced` (Unix ms), for readers of earlier moments."""
    rows = rows.take(rows.written < replaced)  # numbers that stood for no time were never anyone's
    at = np.full(len(rows.bars), replaced, np.int64)
    columns = [
        *_values(rows.bars),
        rows.written.tolist(),
        at.tolist(),
        rows.checksums(at).view(np.int64).tolist(),
    ]
    names = [*_COLUMNS, "replaced", "checksum"]
    found = [
        {"series_id": series_id, **dict(zip(names, row, strict=True))} for row in zip(*columns, strict=True)
    ]
    if found:
        connection.execute(insert(REVISION), found)


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """Rows that were, the moment at which each was `replaced` (Unix ms), and whether all of them are `sound`."""

    rows: Rows
    replaced: Ints
    sound: bool


def read_revisions(connection: Connection, series_id: int, span: Span, as_of: int | None = None) -> Earlier:
    """The rows of `span` that are no more: of those only the ones that stood at `as_of` (Unix ms), or all."""
    stood = "" if as_of is None else f" AND written <= {as_of} AND replaced > {as_of}"
    query = (
        f"SELECT {_CASTS}, CAST(replaced AS INTEGER), CAST(checksum AS INTEGER) FROM bar_revision"  # noqa: S608  our own names
        f" WHERE series_id = ? AND ts >= ? AND ts < ?{stood} ORDER BY ts"
    )
    values = (series_id, span.start, span.end)
    if not (cells := driver(connection).execute(query, values).fetchall()):
        return Earlier(Rows.concat([]), np.empty(0, np.int64), sound=True)
    rows = _rows([row[:-2] for row in cells])
    replaced, checksum = (np.array(column, np.int64) for column in list(zip(*cells, strict=True))[-2:])
    sums = rows.checksums(replaced).view(np.int64)
    return Earlier(rows, replaced, bool((sums == checksum).all()))


def revised(connection: Connection, series_id: int) -> Span | None:
    """From the first to the last bar that was ever corrected or withdrawn."""
    query = "SELECT min(ts), max(ts) FROM bar_revision WHERE series_id = ?"
    first, last = connection.exec_driver_sql(query, (series_id,)).one()
    return None if first is None else Span(first, last + 1)


# -- stretches ---------------------------------------------------------------

Sums = dict[int, tuple[int, int]]
"""By a stretch's number: its bars, and the exclusive-or of their checksums."""


def stretches_of(listed: Listed, span: Span) -> Span:
    """`span` grown to whole stretches."""
    width = _STRETCH[listed.base]
    return Span(span.start // width * width, -(-span.end // width) * width)


def stretches_within(listed: Listed, span: Span) -> Span | None:
    """The whole stretches inside `span`, None where there is none."""
    width = _STRETCH[listed.base]
    start, end = -(-span.start // width) * width, span.end // width * width
    return Span(start, end) if start < end else None


def summed_bars(connection: Connection, listed: Listed, span: Span) -> int:
    """How many bars the stretches of `span` (whole ones) hold."""
    width = _STRETCH[listed.base]
    query = "SELECT total(bars) FROM bar_stretch WHERE series_id = ? AND number >= ? AND number < ?"
    values = (listed.id, span.start // width, span.end // width)
    return int(connection.exec_driver_sql(query, values).scalar_one())


def each_stretch(listed: Listed, span: Span) -> Iterator[Span]:
    """The stretches that `span` touches, one by one."""
    width, whole = _STRETCH[listed.base], stretches_of(listed, span)
    return (Span(at, at + width) for at in range(whole.start, whole.end, width))


def sound(connection: Connection, listed: Listed, span: Span, rows: Rows) -> bool:
    """Whether these rows are all that was written to the stretches of `span` (whole ones), in their order.

    Checksums do not mind the order; pages that changed places do.
    """
    rises = bool((rows.bars.ts[1:] > rows.bars.ts[:-1]).all())
    return rises and _summed(listed, rows) == _sums(connection, listed, span)


def account(connection: Connection, listed: Listed, came: Rows, went: Rows) -> None:
    """Bring the stretches' checksums up to date with rows that came and went."""
    new, old = _summed(listed, came), _summed(listed, went)
    width = _STRETCH[listed.base]
    touched = sorted(new.keys() | old.keys())
    before = _sums(connection, listed, Span(touched[0] * width, (touched[-1] + 1) * width))
    none = (0, 0)
    after = []
    for number in touched:
        (had, was), (plus, more), (minus, less) = (sums.get(number, none) for sums in (before, new, old))
        after.append((listed.id, number, had + plus - minus, was ^ more ^ less))
    db = driver(connection)
    db.executemany("DELETE FROM bar_stretch WHERE series_id = ? AND number = ?", [row[:2] for row in after])
    db.executemany("INSERT INTO bar_stretch VALUES (?, ?, ?, ?)", [row for row in after if row[2]])


def forget_stretches(connection: Connection, listed: Listed, span: Span) -> None:
    """Drop the checksums of the stretches of `span` (whole ones): what was there is lost."""
    width = _STRETCH[listed.base]
    query = "DELETE FROM bar_stretch WHERE series_id = ? AND number >= ? AND number < ?"
    connection.exec_driver_sql(query, (listed.id, span.start // width, span.end // width))


def _summed(listed: Listed, rows: Rows) -> Sums:
    if not len(rows.bars):
        return {}
    numbers = rows.bars.ts // _STRETCH[listed.base]
    first = np.append(0, np.flatnonzero(numbers[1:] != numbers[:-1]) + 1)
    bars = np.diff(np.append(first, len(numbers)))
    mixed = np.bitwise_xor.reduceat(rows.checksums(), first).view(np.int64)
    counted = zip(bars.tolist(), mixed.tolist(), strict=True)
    return dict(zip(numbers[first].tolist(), counted, strict=True))


def _sums(connection: Connection, listed: Listed, span: Span) -> Sums:
    width = _STRETCH[listed.base]
    chosen = select(STRETCH.c.number, STRETCH.c.bars, STRETCH.c.checksum).where(
        STRETCH.c.series_id == listed.id,
        STRETCH.c.number >= span.start // width,
        STRETCH.c.number < span.end // width,
    )
    return {row.number: (row.bars, row.checksum) for row in connection.execute(chosen)}
