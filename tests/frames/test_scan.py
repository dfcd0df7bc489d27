"""Lazy scans: only what a query needs is read, and never much of it at a time."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames.making import NEW_YEAR, Row, Shelf, bars_of, pieces_of, row_lists, utc
from gapless.errors import StoreDamaged
from gapless.frames import Piece, Scan, SymbolBars, scan
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE

SYMBOLS = ["AAPL", "MSFT", "X:BTCUSD"]
HOUR = 60 * MINUTE


def in_duckdb(scanned: Scan, query: str) -> list[Any]:
    """A query over the dataset, called `bars`."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone='UTC'")
        connection.register("bars", scanned.dataset())
        return connection.execute(query).fetchall()


# -- nothing is lost ---------------------------------------------------------


@dataclass(frozen=True)
class Filter:
    """One condition in four languages; `true` is what it means."""

    true: Callable[[str, str, Row], bool]
    arrow: ds.Expression
    polars: pl.Expr
    sql: str

    def __repr__(self) -> str:
        return self.sql


SIGNS = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "!=": ne}


def sql_time(ms: int) -> str:
    """A moment as SQL writes it."""
    return f"timestamptz '{utc(ms).isoformat()}'"


def by_time(sign: str, halves: int) -> Filter:
    """`ts` beside a moment, so many half minutes after new year: on a bar's start, or between two."""
    ms, compare = NEW_YEAR + halves * MINUTE // 2, SIGNS[sign]
    return Filter(
        lambda _symbol, _timeframe, row: bool(compare(row[0], ms)),
        compare(ds.field("ts"), pa.scalar(ms, pa.timestamp("ms", "UTC"))),
        compare(pl.col("ts"), utc(ms)),
        f"ts {sign} {sql_time(ms)}",
    )


def by_symbol(sign: str, symbol: str) -> Filter:
    """`symbol` beside a word; the order of words is that of their letters."""
    compare = SIGNS[sign]
    return Filter(
        lambda of, _timeframe, _row: bool(compare(of, symbol)),
        compare(ds.field("symbol"), symbol),
        compare(pl.col("symbol"), symbol),
        f"symbol {sign} '{symbol}'",
    )


def by_symbols(symbols: list[str]) -> Filter:
    """`symbol` among several."""
    return Filter(
        lambda of, _timeframe, _row: of in symbols,
        ds.field("symbol").isin(symbols),
        pl.col("symbol").is_in(symbols),
        f"symbol in ({', '.join(map(repr, symbols))})",
    )


def by_timeframe(timeframe: str) -> Filter:
    """One timeframe."""
    return Filter(
        lambda _symbol, of, _row: of == timeframe,
        ds.field("timeframe") == timeframe,
        pl.col("timeframe") == timeframe,
        f"timeframe = '{timeframe}'",
    )


def by_price(price: float) -> Filter:
    """Something that no piece can be judged by."""
    return Filter(
        lambda _symbol, _timeframe, row: row[4] > price,
        ds.field("close") > price,
        pl.col("close") > price,
        f"close > {price}",
    )


def without_vwap() -> Filter:
    """Where a number is missing."""
    return Filter(
        lambda _symbol, _timeframe, row: row[6] is None,
        ds.field("vwap").is_null(),
        pl.col("vwap").is_null(),
        "vwap is null",
    )


def between(first: int, last: int) -> Filter:
    """Inclusive at both ends, as SQL has it."""
    start, end = NEW_YEAR + first * MINUTE, NEW_YEAR + last * MINUTE
    return Filter(
        lambda _symbol, _timeframe, row: start <= row[0] <= end,
        by_time(">=", 2 * first).arrow & by_time("<=", 2 * last).arrow,
        pl.col("ts").is_between(utc(start), utc(end)),
        f"ts between {sql_time(start)} and {sql_time(end)}",
    )


def both(a: Filter, b: Filter) -> Filter:
    """And."""
    return Filter(
        lambda *bar: a.true(*bar) and b.true(*bar), a.arrow & b.arrow, a.polars & b.polars, f"({a} and {b})"
    )


def either(a: Filter, b: Filter) -> Filter:
    """Or."""
    return Filter(
        lambda *bar: a.true(*bar) or b.true(*bar), a.arrow | b.arrow, a.polars | b.polars, f"({a} or {b})"
    )


def no(a: Filter) -> Filter:
    """Not."""
    return Filter(lambda *bar: not a.true(*bar), ~a.arrow, ~a.polars, f"(not {a})")


moments = st.integers(-30, 30)
conditions = st.one_of(
    st.builds(by_time, st.sampled_from(list(SIGNS)), moments),
    st.builds(by_symbol, st.sampled_from(list(SIGNS)), st.sampled_from([*SYMBOLS, "NOBODY"])),
    st.builds(by_symbols, st.lists(st.sampled_from([*SYMBOLS, "NOBODY"]), min_size=1, max_size=3)),
    st.builds(by_timeframe, st.sampled_from(["1m", "5m", "1d"])),
    st.builds(by_price, st.floats(0.01, 1e6)),
    st.builds(without_vwap),
    st.builds(between, moments, moments),
)
filters = st.recursive(
    conditions,
    lambda f: st.builds(both, f, f) | st.builds(either, f, f) | st.builds(no, f),
    max_leaves=5,
)


@dataclass(frozen=True)
class Library:
    """Pieces with the bars in them, and what was read of them."""

    shelf: dict[Piece, list[Row]]
    taken: list[Piece]

    def read(self, piece: Piece) -> SymbolBars:
        """One piece."""
        self.taken.append(piece)
        return bars_of(piece.symbol, self.shelf[piece])

    def rows(self, wanted: Filter) -> list[tuple[str, str, int, float]]:
        """The slow answer: every bar of every piece looked at."""
        return [
            (piece.symbol, piece.timeframe, row[0], row[4])
            for piece, rows in self.shelf.items()
            for row in rows
            if wanted.true(piece.symbol, piece.timeframe, row)
        ]


def cut(symbol: str, timeframe: str, rows: list[Row], minutes: int) -> dict[Piece, list[Row]]:
    """A series in pieces of so many minutes, the first and last bar of a piece at its very ends if need be."""
    length = minutes * MINUTE
    found: dict[Piece, list[Row]] = {}
    for row in rows:
        start = row[0] - row[0] % length
        found.setdefault(Piece(symbol, timeframe, Span(start, start + length)), []).append(row)
    return found


@st.composite
def libraries(draw: st.DrawFn) -> Library:
    """Some series around new year, each cut its own way."""
    shelf: dict[Piece, list[Row]] = {}
    for symbol in SYMBOLS:
        for timeframe in ("1m", "5m"):
            rows = draw(row_lists(reach=12))
            shelf |= cut(symbol, timeframe, rows, draw(st.sampled_from([1, 2, 5])))
    return Library(shelf, [])


@settings(max_examples=50, deadline=None)
@given(libraries(), filters)
def test_a_filter_finds_every_row_and_no_other(library: Library, wanted: Filter) -> None:
    """DuckDB, Arrow and Polars find exactly the bars that a look at each of them finds, in the pieces' order."""
    expected = library.rows(wanted)
    scanned = scan(tuple(library.shelf), library.read)
    columns = ["symbol", "timeframe", "ts", "close"]

    found = in_duckdb(scanned, f"select symbol, timeframe, epoch_ms(ts), close from bars where {wanted.sql}")
    arrow = scanned.dataset().to_table(columns=columns, filter=wanted.arrow)
    lazy = scanned.polars().filter(wanted.polars).select(*columns[:2], pl.col("ts").dt.epoch("ms"), "close")

    assert sorted(found) == sorted(expected)
    assert pl.DataFrame(arrow).with_columns(pl.col("ts").dt.epoch("ms")).rows() == expected
    assert lazy.collect().rows() == expected
    assert sorted(lazy.collect(engine="streaming").rows()) == sorted(expected)


# -- nothing is read in vain -------------------------------------------------


NOON = NEW_YEAR + 12 * HOUR
NUMBERS = range(12)
"""Of `shelved`: pieces 0 to 3 are AAPL's four quarters of the day, 4 to 7 MSFT's, 8 to 11 bitcoin's."""


def shelved() -> tuple[list[Piece], Shelf]:
    """Three symbols, one day, a piece every six hours."""
    return pieces_of(SYMBOLS, spans=4, minutes=360), Shelf()


def after(ms: int) -> pl.Expr:
    """From this moment on."""
    return pl.col("ts") >= utc(ms)


@pytest.mark.parametrize(
    ("wanted", "read"),
    [
        (pl.col("symbol") == "MSFT", [4, 5, 6, 7]),
        (pl.col("symbol") != "MSFT", [0, 1, 2, 3, 8, 9, 10, 11]),
        (~(pl.col("symbol") == "MSFT"), [0, 1, 2, 3, 8, 9, 10, 11]),
        (pl.col("symbol").is_in(["AAPL", "NOBODY"]), [0, 1, 2, 3]),
        (pl.col("symbol").cast(pl.String).str.starts_with("X:"), [8, 9, 10, 11]),
        (pl.col("timeframe") == "5m", []),
        (after(NOON), [2, 3, 6, 7, 10, 11]),
        (pl.lit(utc(NOON)) <= pl.col("ts"), [2, 3, 6, 7, 10, 11]),
        (pl.col("ts") > utc(NOON), [2, 3, 6, 7, 10, 11]),
        (pl.col("ts") < utc(NOON - 6 * HOUR), [0, 4, 8]),
        (pl.col("ts") == utc(NOON), [2, 6, 10]),
        (pl.col("ts").is_between(utc(NOON), utc(NOON + HOUR)), [2, 6, 10]),
        (pl.col("ts").is_between(utc(NOON - HOUR), utc(NOON), closed="left"), [1, 2, 5, 6, 9, 10]),
        ((pl.col("symbol") == "AAPL") & after(NOON), [2, 3]),
        ((pl.col("symbol") == "AAPL") & after(NOON) & (pl.col("close") > 0), [2, 3]),
        ((pl.col("symbol") == "AAPL") | after(NOON + 6 * HOUR), [0, 1, 2, 3, 7, 11]),
        ((pl.col("symbol") == "AAPL") | (pl.col("close") < 0), list(NUMBERS)),
        (pl.col("ts").dt.hour() == 3, list(NUMBERS)),
        (pl.col("close") > 0, list(NUMBERS)),
    ],
    ids=str,
)
def test_polars_reads_only_the_pieces_that_can_match(wanted: pl.Expr, read: list[int]) -> None:
    """What a predicate says of symbol, timeframe and time picks the pieces; what else it says never loses one."""
    pieces, shelf = shelved()

    found = scan(pieces, shelf.read).polars().filter(wanted).select(pl.len()).collect().item()

    assert [pieces.index(piece) for piece in shelf.taken] == read
    everything = pl.concat(scan([piece], Shelf().read).polars() for piece in pieces).collect()
    assert found == len(everything.filter(wanted))


@pytest.mark.parametrize(
    ("wanted", "read"),
    [
        ("symbol = 'MSFT'", [4, 5, 6, 7]),
        ("symbol in ('AAPL', 'X:BTCUSD')", [0, 1, 2, 3, 8, 9, 10, 11]),
        ("symbol = 'AAPL' or symbol = 'MSFT'", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("timeframe = '5m'", []),
        ("ts >= '2024-01-01 12:00:00+00'", [2, 3, 6, 7, 10, 11]),
        ("ts < '2024-01-01 06:00:00+00'", [0, 4, 8]),
        ("ts between '2024-01-01 12:00+00' and '2024-01-01 13:00+00'", [2, 6, 10]),
        ("symbol = 'AAPL' and ts >= '2024-01-01 12:00+00' and close >= 0", [2, 3]),
        ("close >= 0", list(NUMBERS)),
    ],
)
def test_duckdb_reads_only_the_pieces_that_can_match(wanted: str, read: list[int]) -> None:
    """The `where` of a query reaches the dataset."""
    pieces, shelf = shelved()

    in_duckdb(scan(pieces, shelf.read), f"select sum(close) from bars where {wanted}")

    assert [pieces.index(piece) for piece in shelf.taken] == read


def test_nothing_is_read_before_somebody_asks() -> None:
    """Making a scan, its dataset, its frame and its stream costs no read; the first rows cost one."""
    pieces, shelf = shelved()
    scanned = scan(pieces, shelf.read)

    dataset, lazy, _stream = scanned.dataset(), scanned.polars(), scanned.__arrow_c_stream__()
    assert repr(scanned) == "<Scan of 3 symbols in 12 pieces>"
    assert dataset.schema.names == lazy.collect_schema().names()
    assert shelf.taken == []

    assert dataset.head(3).num_rows == 3
    assert shelf.taken == pieces[:1]
    assert lazy.head(3).collect().height == 3
    assert shelf.taken == [pieces[0], pieces[0]]
    late = lazy.filter(pl.col("symbol") == "MSFT").head(400).collect()
    assert late["ts"].to_list() == [utc(NEW_YEAR + n * MINUTE) for n in range(400)]
    assert shelf.taken[2:4] == pieces[4:6]
    before = len(shelf.taken)
    assert len(in_duckdb(scanned, "select close from bars limit 3")) == 3
    assert len(shelf.taken) < before + len(pieces)


def test_a_dataset_answers_as_arrows_own_do() -> None:
    """Counting, narrowing, choosing and computing columns, batches of a size."""
    pieces, shelf = shelved()
    dataset = scan(pieces, shelf.read).dataset()
    msft, late = ds.field("symbol") == "MSFT", ds.field("ts") >= pa.scalar(NOON, pa.timestamp("ms", "UTC"))

    assert isinstance(dataset, ds.Dataset)
    assert dataset.count_rows() == 3 * 1440
    assert dataset.filter(msft).filter(late).count_rows() == dataset.count_rows(filter=msft & late) == 720
    assert dataset.to_table(columns={"twice": ds.field("close") * 2}, filter=msft)["twice"][0].as_py() == 24.0
    assert max(len(found) for found in dataset.to_batches(batch_size=100)) == 100
    assert dataset.head(0).num_rows == 0
    assert dataset.schema.equals(dataset.to_table(filter=msft).schema)


def test_a_scan_without_pieces_is_empty_and_has_its_columns() -> None:
    """Nothing stored is no error."""
    nothing = scan((), Shelf().read)
    something = scan(pieces_of(["AAPL"], spans=1, minutes=1), Shelf().read)

    assert pa.table(nothing).schema == pa.table(something).schema
    assert pa.table(nothing).num_rows == 0
    assert nothing.polars().collect().schema == something.polars().collect().schema
    assert nothing.polars().filter(pl.col("symbol") == "AAPL", after(NOON)).collect().height == 0
    assert in_duckdb(nothing, "select count(*) from bars") == [(0,)]


def test_a_scan_is_a_stream_in_the_order_of_its_pieces() -> None:
    """Whoever takes Arrow streams takes scans; every batch has the same dictionary."""
    pieces, shelf = shelved()

    reader = pa.RecordBatchReader.from_stream(scan(pieces, shelf.read))
    batches = list(reader)

    assert [found["symbol"][0].as_py() for found in batches] == [piece.symbol for piece in pieces]
    assert [found["ts"][0].value for found in batches] == [piece.span.start for piece in pieces]
    assert {tuple(found["symbol"].dictionary.to_pylist()) for found in batches} == {tuple(SYMBOLS)}


def test_what_goes_wrong_while_reading_reaches_the_reader() -> None:
    """A damaged piece ends the query; Polars and Arrow raise the error itself, DuckDB tells it."""
    pieces, shelf = shelved()

    def read(piece: Piece) -> SymbolBars:
        if piece == pieces[5]:
            raise StoreDamaged("The checksum of a segment does not match.", hint="Run `gapless repair`.")
        return shelf.read(piece)

    damaged = scan(pieces, read)
    for ask in (damaged.polars().collect, damaged.dataset().to_table):
        with pytest.raises(StoreDamaged, match="checksum"):
            ask()
    with pytest.raises(pa.ArrowInvalid, match="checksum"):
        pa.table(damaged)
    with pytest.raises(duckdb.Error, match="checksum"):
        in_duckdb(damaged, "select sum(close) from bars")
    assert in_duckdb(damaged, "select count(*) from bars where symbol = 'AAPL'") == [(1440,)]


EARLY = """
import duckdb
from frames.making import Shelf, pieces_of
from gapless.frames import scan
pieces, shelf = pieces_of("ABCD", spans=50, minutes=5000), Shelf()
bars = scan(pieces, shelf.read).dataset()
with duckdb.connect() as connection:
    connection.execute("select close from bars limit 3")
reader = bars.scanner().to_reader()
reader.read_next_batch()
print(len(shelf.taken) < len(pieces))
"""


def test_a_query_that_stops_early_leaves_nothing_running() -> None:
    """A process that took the first rows and no more ends in peace: nobody reads on behind its back."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", EARLY],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
    )

    assert (run.stdout.strip(), run.stderr, run.returncode) == ("True", "", 0)


# -- memory is bounded -------------------------------------------------------

NAMES = [f"S{n:03}" for n in range(500)]
QUARTERS, QUARTER = 4, 6000
"""A year in quarters, each shorter than a real one so that the test is quick: memory is bounded by the piece."""


def many_pieces() -> tuple[list[Piece], Shelf]:
    """500 symbols, four pieces each."""
    return pieces_of(NAMES, spans=QUARTERS, minutes=QUARTER), Shelf()


def test_duckdb_adds_up_500_symbols_in_the_memory_of_a_few_pieces() -> None:
    """A year of 1m: every piece is read once and let go before long."""
    pieces, shelf = many_pieces()

    found = in_duckdb(scan(pieces, shelf.read), "select symbol, count(*), sum(trades) from bars group by 1")

    assert sorted(found) == [(name, QUARTERS * QUARTER, QUARTERS * QUARTER) for name in NAMES]
    assert len(shelf.taken) == len(pieces)
    assert shelf.most <= 16
    assert shelf.alive == 0


def test_polars_adds_up_500_symbols_in_the_memory_of_a_few_pieces() -> None:
    """The same in the streaming engine."""
    pieces, shelf = many_pieces()

    lazy = scan(pieces, shelf.read).polars()
    found = lazy.group_by("symbol").agg(pl.len(), pl.col("trades").sum()).collect(engine="streaming")

    assert sorted(found.rows()) == [(name, QUARTERS * QUARTER, QUARTERS * QUARTER) for name in NAMES]
    assert len(shelf.taken) == len(pieces)
    assert shelf.most <= 16
    assert shelf.alive == 0
