"""What a query sees, and what comes back."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gapless.errors import UsageError
from gapless.frames import Piece, SymbolBars
from gapless.frames.scans import scan
from gapless.sql import Limits, run_sql
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.span import Span
from sql.views import JAN_2, MINUTE, TS, Recorder, bars

STREAM = Limits(rows=None)


@pytest.mark.parametrize("limits", [Limits(), STREAM], ids=["in memory", "stream"])
def test_rows_and_columns_come_back(limits: Limits) -> None:
    """Python values in the order of the query; instants are aware and in UTC."""
    with run_sql(
        "select symbol, ts, close, trades from bars where timeframe = '1m' order by symbol, ts desc limit 3",
        {"bars": bars()},
        limits=limits,
    ) as result:
        assert result.columns == ("symbol", "ts", "close", "trades")
        assert result.rows == [
            ("AAPL", datetime(2025, 1, 2, 0, 1, tzinfo=UTC), 244.0, 20),
            ("AAPL", datetime(2025, 1, 2, tzinfo=UTC), 243.5, 10),
            ("X:BTCUSD", datetime(2025, 1, 2, 0, 1, tzinfo=UTC), 94_600.0, None),
        ]
        assert not result.cut


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select symbol, count(*) from bars group by 1 order by 1", [("AAPL", 3), ("X:BTCUSD", 2)]),
        ("with a as (select max(close) m from bars) select m from a;", [(94_600.0,)]),
        ("from BARS select count(*) where symbol = 'AAPL' -- how many", [(3,)]),
        ("values (1), (2)", [(1,), (2,)]),
        ("table bars limit 0", []),
        ("select unnest([1, 2]) union all from range(1)", [(1,), (2,), (0,)]),
        ("show tables", [("bars",), ("ledger",)]),
        ("with ledger as (select 7 x) from ledger", [(7,)]),
        (
            "pivot bars on symbol in ('AAPL', 'X:BTCUSD') using count(*) group by timeframe order by timeframe",
            [("1d", 1, 0), ("1m", 2, 2)],
        ),
        ("select column_name from (describe bars) limit 2", [("symbol",), ("timeframe",)]),
        (
            "select column_name, max from (summarize bars) where column_name = 'symbol'",
            [("symbol", "X:BTCUSD")],
        ),
        ("select current_setting from (select 1 current_setting)", [(1,)]),
    ],
)
def test_statements_that_read_are_run(query: str, rows: list[tuple[object, ...]]) -> None:
    """SELECT in all its forms, DESCRIBE, SUMMARIZE and SHOW TABLES."""
    assert run_sql(query, {"bars": bars(), "ledger": bars}).rows == rows


def test_a_query_can_be_explained() -> None:
    """EXPLAIN draws how DuckDB would go about it; EXPLAIN ANALYZE how it did."""
    for explain in ("explain", "EXPLAIN ANALYZE"):
        ((_, drawn),) = run_sql(f"{explain} select * from bars where close > 1", {"bars": bars()}).rows

        assert "Projections" in drawn


def test_the_session_lives_in_utc() -> None:
    """An instant without a zone in a query is UTC, whatever the machine's zone is."""
    result = run_sql(
        "select ts::varchar, ts = '2025-01-02 00:01', date_trunc('day', ts)::varchar, extract('hour' from ts) "
        "from bars where close = 244",
        {"bars": bars()},
    )

    assert result.rows == [("2025-01-02 00:01:00+00", True, "2025-01-02 00:00:00+00", 0)]
    assert run_sql("select ts at time zone 'America/New_York' from bars limit 1", {"bars": bars()}).rows == [
        (datetime(2025, 1, 1, 19),)  # noqa: DTZ001 - a wall clock, as asked for
    ]


def test_a_costly_view_is_made_only_for_a_query_that_names_it() -> None:
    """Neither other queries nor the list of views need it."""
    made = []

    def ledger() -> pa.Table:
        made.append("ledger")
        return pa.table({"outcome": ["bars"]})

    views = {"bars": bars(), "ledger": ledger}
    run_sql("select 'ledger' from bars", views)
    run_sql("show tables", views)
    assert made == []

    assert run_sql("select l.outcome from Ledger l, ledger", views).rows == [("bars",)]
    assert made == ["ledger"]


def test_sums_of_whole_numbers_are_whole_numbers() -> None:
    """DuckDB sums in 128 bits; readers get plain integers."""
    result = run_sql("select sum(trades) from bars", {"bars": bars()})

    assert result.rows == [(937,)]
    assert result.arrow().schema.field(0).type == pa.int64()
    assert run_sql("select 1.25::decimal(9, 2) x", {}).arrow().schema.field(0).type == pa.decimal128(9, 2)


@pytest.mark.parametrize("limits", [Limits(), STREAM], ids=["in memory", "stream"])
def test_a_whole_number_beyond_64_bits_is_said_not_bent(limits: Limits) -> None:
    """It is an error that says how to ask for it."""
    with (
        pytest.raises(UsageError, match="64 bits") as refused,
        run_sql("select 170141183460469231731687303715884105727::hugeint", {}, limits=limits) as result,
    ):
        result.arrow()

    assert "DOUBLE" in refused.value.hint


@pytest.mark.parametrize("limits", [Limits(), STREAM], ids=["in memory", "stream"])
def test_columns_of_one_name_get_two(limits: Limits) -> None:
    """Frames need names that differ."""
    with run_sql("select 1 a, 2 a", {}, limits=limits) as result:
        assert result.columns == ("a", "a_1")
        assert result.polars().rows() == [(1, 2)]


def test_the_result_becomes_a_frame_of_other_libraries() -> None:
    """Polars, pandas, Arrow, and whoever speaks Arrow's stream protocol."""
    result = run_sql("select symbol, ts, close from bars order by symbol, timeframe, ts", {"bars": bars()})

    assert result.polars().schema["ts"] == pl.Datetime("us", "UTC")
    assert isinstance(result.pandas()["ts"].dtype, pd.DatetimeTZDtype)
    assert result.pandas()["close"].tolist() == result.polars()["close"].to_list()
    assert pa.table(result) == result.arrow()


def test_a_result_says_what_it_is() -> None:
    """Whoever types a query at a prompt sees columns and rows, and whether there are more."""
    query = "select symbol, close from bars"
    whole, cut, stream = (
        run_sql(query, {"bars": bars()}, limits=Limits(rows=rows)) for rows in (9999, 1, None)
    )

    assert repr(whole) == f"<SqlResult symbol, close: {len(whole.rows)} rows>"
    assert repr(cut) == "<SqlResult symbol, close: 1 rows, cut>"
    assert repr(stream) == "<SqlResult symbol, close: a stream>"


def test_a_stream_keeps_its_order() -> None:
    """ORDER BY holds over all batches."""
    with run_sql("select i from range(300_000) t(i) order by i desc", {}, limits=STREAM) as result:
        batches = list(result.reader())

    assert len(batches) > 1
    assert pa.Table.from_batches(batches)["i"].to_numpy().tolist() == list(range(299_999, -1, -1))


def test_a_stream_is_read_once_and_a_table_as_often_as_wanted() -> None:
    """A second reading of a stream would be an empty one; it is refused instead."""
    stream = run_sql("select 1 a", {}, limits=STREAM)
    assert stream.reader().read_all().num_rows == 1
    with pytest.raises(UsageError, match="stream"):
        stream.reader()

    kept = run_sql("select 1 a", {}, limits=STREAM)
    assert kept.rows == kept.rows == [(1,)]


def test_filters_and_columns_reach_the_dataset() -> None:
    """Symbol, timeframe and time narrow what is read, not only what is shown."""
    recorder = Recorder()
    rows = run_sql(
        "select close from bars where timeframe = '1m' and symbol in ('AAPL', 'MSFT') "
        "and ts >= '2025-01-02 00:01' and ts < '2025-01-03'",
        {"bars": recorder},
    ).rows

    assert rows == [(244.0,)]
    ((columns, where),) = recorder.scans
    assert columns is not None
    assert "trades" not in columns
    assert where is not None
    assert bars().filter(where)["close"].to_pylist() == [244.0]


def test_a_join_reads_each_side_with_its_own_filter() -> None:
    """The same view twice is two scans."""
    recorder = Recorder()
    rows = run_sql(
        "select d.close, count(*) from bars d join bars m on m.symbol = d.symbol and m.timeframe = '1m' "
        "where d.timeframe = '1d' group by all",
        {"bars": recorder},
    ).rows

    assert rows == [(243.85, 2)]
    seen = {str(where).count('"1d"') for _, where in recorder.scans}
    assert seen == {0, 1}


def test_only_the_pieces_that_a_query_can_match_are_read() -> None:
    """Over a scan of a store, DuckDB's filter decides what is read at all."""
    read: list[Piece] = []

    def reading(piece: Piece) -> SymbolBars:
        read.append(piece)
        price = np.array([1.0])
        batch = Batch(
            ts=np.array([piece.span.start], np.int64),
            open=price,
            high=price,
            low=price,
            close=price,
            volume=price,
            vwap=price,
            trades=np.array([NO_TRADES], np.int64),
        )
        return SymbolBars(piece.symbol, batch, np.array([True]))

    day = 1440 * MINUTE
    pieces = [
        Piece(symbol, timeframe, Span(JAN_2 + n * day, JAN_2 + (n + 1) * day))
        for symbol in ("AAPL", "MSFT")
        for timeframe in ("1m", "1d")
        for n in range(3)
    ]
    query = "select symbol, ts from bars where symbol = 'MSFT' and timeframe = '1d' and ts < '2025-01-03'"

    assert run_sql(query, {"bars": scan(pieces, reading).dataset()}).rows == [
        ("MSFT", datetime(2025, 1, 2, tzinfo=UTC))
    ]
    assert read == [Piece("MSFT", "1d", Span(JAN_2, JAN_2 + day))]


def test_instants_keep_their_milliseconds() -> None:
    """The way through DuckDB's microseconds and back loses nothing."""
    stored = pa.table({"ts": pa.array([JAN_2 + 1, -1, 0], TS)})

    assert run_sql("from t", {"t": stored}).arrow()["ts"].cast(TS) == stored["ts"]
