"""Bars as frames: the same numbers in NumPy, Arrow, Polars, pandas and DuckDB."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames.making import COLUMNS, NEW_YEAR, Row, bars_of, plain, row_lists, utc
from gapless.frames import Bars
from gapless.vocabulary.steps import Gap
from gapless.vocabulary.timeframe import MINUTE, Base

THREE = [plain(0), (NEW_YEAR + MINUTE, 1.0, 2.0, 0.5, 1.5, None, None, None, False), plain(2)]


def one(rows: list[Row]) -> Bars:
    """These bars of AAPL."""
    return Bars("1m", (bars_of("AAPL", rows),))


def nothing_for_nan(values: list[Any]) -> list[Any]:
    """NaN is how NumPy and pandas write None."""
    return [None if isinstance(value, float) and np.isnan(value) else value for value in values]


def rows_of_numpy(b: Bars) -> list[tuple[Any, ...]]:
    """The rows as a NumPy user sees them, missing numbers as None."""
    columns = b.numpy()
    lists = {name: nothing_for_nan(column.tolist()) for name, column in columns.items()}
    lists["ts"] = columns["ts"].astype(np.int64).tolist()
    lists["trades"] = [None if n == -1 else n for n in lists["trades"]]
    return list(zip(*lists.values(), strict=True))


def rows_of_pandas(b: Bars) -> list[tuple[Any, ...]]:
    """The rows as a pandas user sees them, the index first."""
    frame = b.pandas().reset_index()
    frame["ts"] = frame["ts"].dt.as_unit("ms").astype(np.int64)
    return list(zip(*(nothing_for_nan(frame[name].tolist()) for name in frame), strict=True))


def rows_of_duckdb(b: Bars) -> list[tuple[Any, ...]]:
    """The rows as a query over these bars gives them."""
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order=true")
        connection.register("b", b)
        return connection.execute("select * replace (epoch_ms(ts) as ts) from b").fetchall()


def rows_of_arrow(b: Bars) -> list[tuple[Any, ...]]:
    """The rows of the Arrow table."""
    table = b.arrow()
    number = table.column_names.index("ts")
    columns = table.set_column(number, "ts", table["ts"].cast(pa.int64())).to_pydict()
    return list(zip(*columns.values(), strict=True))


def rows_of_polars(b: Bars) -> list[tuple[Any, ...]]:
    """The rows of the Polars frame."""
    return b.polars().with_columns(pl.col("ts").dt.epoch("ms")).rows()


@settings(max_examples=60, deadline=None)
@given(st.lists(row_lists(), max_size=4), st.booleans())
def test_every_library_sees_the_same_bars(symbols: list[list[Row]], many: bool) -> None:
    """Value by value, what went in is what comes out, whichever way it is read."""
    lists = symbols if many else symbols[:1]
    b = Bars("1m", tuple(bars_of(f"S{n}", rows) for n, rows in enumerate(lists)), many=many)
    expected = [(f"S{n}", *row) if many else row for n, rows in enumerate(lists) for row in rows]
    # pandas keeps numbers of trades as float64, exact up to 2**53.
    floats = [(*row[:-2], None if row[-2] is None else float(row[-2]), row[-1]) for row in expected]

    assert len(b) == len(expected)
    assert rows_of_numpy(b) == expected
    assert rows_of_arrow(b) == expected
    assert rows_of_polars(b) == expected
    assert rows_of_duckdb(b) == expected
    assert rows_of_pandas(b) == floats


@pytest.mark.parametrize("many", [False, True])
def test_no_bars_have_the_schema_of_some(many: bool) -> None:
    """A program that reads an empty answer meets the same columns and types."""
    some = Bars("1m", (bars_of("AAPL", THREE),), many=many)
    empty = Bars("1m", (bars_of("AAPL", []),), many=many)
    none = Bars("1m", (), many=many)

    for b in (empty, none):
        assert len(b) == len(b.polars()) == len(b.pandas()) == b.arrow().num_rows == 0
        assert b.polars().schema == some.polars().schema
        assert b.arrow().schema == some.arrow().schema
        assert b.pandas().dtypes.to_dict() == some.pandas().dtypes.to_dict()
        assert [level.dtype for level in _levels(b.pandas())] == [
            level.dtype for level in _levels(some.pandas())
        ]
        assert {name: column.dtype.kind for name, column in b.numpy().items()} == {
            name: column.dtype.kind for name, column in some.numpy().items()
        }


def _levels(frame: pd.DataFrame) -> list[pd.Index]:
    return [frame.index.get_level_values(name) for name in frame.index.names]


def test_the_columns_are_named_and_typed_as_promised() -> None:
    """Arrow's schema, written out by hand."""
    leading = pa.field("symbol", pa.dictionary(pa.int32(), pa.string()))
    numbers = [pa.field(name, pa.float64()) for name in ("open", "high", "low", "close", "volume", "vwap")]
    ts, trades = pa.field("ts", pa.timestamp("ms", tz="UTC")), pa.field("trades", pa.int64())
    expected = [leading, ts, *numbers, trades, pa.field("final", pa.bool_())]

    assert Bars("1m", (bars_of("AAPL", THREE),), many=True).arrow().schema == pa.schema(expected)
    assert one(THREE).arrow().schema == pa.schema(expected[1:])


def test_what_is_missing_is_null_and_nothing_else_is() -> None:
    """NaN and the mark for no trades never reach a reader who has nulls."""
    for frame in (one(THREE).polars(), pl.DataFrame(one(THREE).arrow())):
        assert frame.null_count().row(0, named=True) == {
            name: int(name in ("volume", "vwap", "trades")) for name in COLUMNS
        }
        assert frame["trades"].to_list() == [3, None, 3]


def test_one_symbol_is_handed_over_without_a_copy() -> None:
    """Arrow and NumPy look at the very memory that the store's reader filled."""
    b = one([plain(n) for n in range(5)])
    ts, close = b.parts[0].batch.ts, b.parts[0].batch.close

    assert b.arrow()["ts"].chunk(0).buffers()[1].address == ts.ctypes.data
    assert b.arrow()["close"].chunk(0).buffers()[1].address == close.ctypes.data
    assert np.shares_memory(b.numpy()["ts"], ts)
    assert np.shares_memory(b.numpy()["close"], close)


def test_arrays_cannot_be_written_to() -> None:
    """Nobody changes what another reader of the same bars sees."""
    b = one(THREE)

    with pytest.raises(ValueError, match="read-only"):
        b.numpy()["close"][0] = 0.0
    frame = b.pandas()
    frame["close"] *= 2  # a frame is the caller's own
    assert b.parts[0].batch.close.tolist() == [1.0, 1.5, 1.0]


def test_libraries_take_bars_as_they_are() -> None:
    """The Arrow protocol is all that DuckDB, Polars, pandas and pyarrow ask for."""
    b = one(THREE)

    assert len(b) == 3
    with duckdb.connect() as connection:
        found = connection.execute("select count(*), sum(trades), min(epoch_ms(ts)) from b").fetchall()
    assert found == [(3, 6, NEW_YEAR)]
    assert pl.DataFrame(b).equals(b.polars())
    assert pa.table(b) == b.arrow()
    if hasattr(pd.DataFrame, "from_arrow"):  # since pandas 3
        assert pd.DataFrame.from_arrow(b)["close"].tolist() == [1.0, 1.5, 1.0]


def test_the_clock_of_a_frame_never_jumps() -> None:
    """On the day New York's clocks go back, minutes follow each other by one minute, in UTC, in every library."""
    before = int(datetime(2024, 11, 3, 5, 58, tzinfo=UTC).timestamp()) * 1000  # 01:58 EDT, two minutes to EST
    b = one([(before + n * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1, True) for n in range(5)])
    expected = [utc(before + n * MINUTE) for n in range(5)]

    index = b.pandas().index
    assert str(index.tz) == "UTC"
    assert index.to_pydatetime().tolist() == expected
    assert b.polars()["ts"].to_list() == expected
    assert b.arrow()["ts"].to_pylist() == expected


def test_pandas_users_find_what_they_know() -> None:
    """One symbol by time; several by symbol and time, in the order asked for, ready for `loc` and `unstack`."""
    msft, aapl = bars_of("MSFT", THREE), bars_of("AAPL", THREE[:2])
    single = Bars("1m", (aapl,)).pandas()
    both = Bars("1m", (msft, aapl), many=True).pandas()

    assert single.index.name == "ts"
    assert list(single.columns) == COLUMNS[1:]
    assert single.loc["2024-01-01 00:01":"2024-01-01 00:02", "close"].tolist() == [1.5]
    assert {str(single[name].dtype) for name in COLUMNS[1:-1]} == {"float64"}
    assert list(both.index.names) == ["symbol", "ts"]
    assert both.loc["AAPL"].equals(single)
    wide = both["close"].unstack("symbol")  # noqa: PD010 - what pandas users write, and nothing to aggregate
    wide["SPREAD"] = wide["MSFT"] - wide["AAPL"]
    assert wide["SPREAD"].tolist()[:2] == [0.0, 0.0]
    assert np.isnan(wide["SPREAD"].tolist()[2])


def test_bars_say_what_they_are() -> None:
    """The `repr` has symbols, timeframe, number, reach and gaps on one line."""
    gap = Gap("AAPL", Base.MINUTE, NEW_YEAR, NEW_YEAR + MINUTE, "failed", "no answer", None)
    five = tuple(bars_of(symbol, [plain(n)]) for n, symbol in enumerate("ABCDE"))

    assert repr(Bars("5m", (bars_of("AAPL", THREE),), gaps=(gap,))) == (
        "<Bars AAPL 5m: 3 bars from 2024-01-01 00:00 to 2024-01-01 00:02 UTC, 1 gap>"
    )
    assert repr(Bars("1m", five, many=True)) == (
        "<Bars A, B, C and 2 more 1m: 5 bars from 2024-01-01 00:00 to 2024-01-01 00:04 UTC, 0 gaps>"
    )
    assert repr(Bars("1m", ())) == "<Bars 1m: 0 bars, 0 gaps>"


ALONE = """
import sys
class Absent:
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
from frames.making import bars_of, pieces_of, plain, Shelf
from gapless.errors import UsageError
from gapless.frames import Bars, scan
b = Bars("1m", (bars_of("A", [plain(0)]), bars_of("B", [plain(0)])), many=True)
s = scan(pieces_of("AB", spans=2, minutes=3), Shelf().read)
try:
    print(len({call}))
except UsageError as error:
    print(error.hint)
"""


def alone(call: str, absent: list[str]) -> str:
    """What a call prints in a process where some libraries are not installed."""
    code = ALONE.format(call=call, absent=absent)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    return run.stdout.strip()


@pytest.mark.parametrize(
    ("call", "present", "answer"),
    [
        ("b.numpy()['ts']", "", "2"),
        ("b.polars()", "polars", "2"),
        ("s.polars().collect()", "polars", "12"),
        ("b.pandas()", "pandas", "2"),
        ("b.arrow()", "pyarrow", "2"),
        ("s.dataset().to_table()", "pyarrow", "12"),
    ],
)
def test_each_frame_needs_its_own_library_and_no_other(call: str, present: str, answer: str) -> None:
    """Polars works without pyarrow, pandas without either."""
    others = [name for name in ("polars", "pandas", "pyarrow", "duckdb") if name != present]

    assert alone(call, others) == answer


@pytest.mark.parametrize(
    ("call", "absent", "named"),
    [
        ("b.polars()", "polars", "polars"),
        ("s.polars().collect()", "polars", "polars"),
        ("b.pandas()", "pandas", "pandas"),
        ("b.arrow()", "pyarrow", "arrow"),
        ("b.__arrow_c_stream__()", "pyarrow", "arrow"),
        ("s.dataset().to_table()", "pyarrow", "arrow"),
    ],
)
def test_a_missing_library_is_named_with_the_way_to_get_it(call: str, absent: str, named: str) -> None:
    """The error says which extra to install."""
    assert alone(call, [absent]) == f'Run: pip install "gapless[{named}]"'
