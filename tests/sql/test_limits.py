"""Where a query ends: limits, interruption, and errors on the way."""

import itertools
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.errors import OwnLimit, StoreDamaged, UsageError
from gapless.sql import Limits, run_sql
from sql.views import Stream, bars

ENDLESS = "select sum(a.i * b.i) from range(3_000_000) a(i), range(1_000_000) b(i)"
STREAM = Limits(rows=None)
ONE_BATCH = bars().to_batches()[0]


def test_more_rows_than_the_limit_are_cut_and_marked() -> None:
    """The mark can be seen, and says how many there are."""
    result = run_sql("from range(1_000_000_000_000) t(i)", {}, limits=Limits(rows=1_000))

    assert result.rows == [(i,) for i in range(1_000)]
    assert result.cut
    assert result.note == "cut after 1,000 rows: there are more"


def test_as_many_rows_as_the_limit_are_not_cut() -> None:
    """A mark would be a false alarm."""
    result = run_sql("from range(1_000) t(i)", {}, limits=Limits(rows=1_000))

    assert len(result.rows) == 1_000
    assert (result.cut, result.note) == (False, "")


@settings(max_examples=30, deadline=None)
@given(there=st.integers(0, 40), most=st.integers(1, 40))
def test_a_result_is_cut_exactly_where_there_is_more(there: int, most: int) -> None:
    """The first rows stay, and the mark is there if and only if rows are missing."""
    result = run_sql(f"select i from range({there}) t(i) order by i", {}, limits=Limits(rows=most))

    assert result.rows == [(i,) for i in range(min(there, most))]
    assert result.cut is (there > most)


def test_the_usual_limit_is_ten_thousand_rows() -> None:
    """Whoever wants all says so."""
    assert len(run_sql("from range(20_000)", {}).rows) == 10_000
    assert len(run_sql("from range(20_000)", {}, limits=STREAM).rows) == 20_000


@pytest.mark.parametrize(
    "query",
    [
        ENDLESS,
        "with recursive t as (select 1 i union all select i + 1 from t) select count(*) from t",
        "select a.i from range(3_000_000) a(i), range(1_000_000) b(i) where a.i + b.i = -1",
    ],
)
def test_a_query_that_takes_too_long_is_stopped(query: str) -> None:
    """It says how long it had and what to do."""
    with pytest.raises(OwnLimit, match=r"0\.2 seconds") as stopped:
        run_sql(query, {}, limits=Limits(seconds=0.2))

    assert "--timeout" in stopped.value.hint


def test_a_view_that_never_ends_is_stopped_too() -> None:
    """The time limit reaches into what feeds the query."""
    endless = Stream(itertools.repeat(ONE_BATCH))

    with pytest.raises(OwnLimit):
        run_sql("select sum(close) from bars", {"bars": endless}, limits=Limits(seconds=2.0))

    given = endless.given
    assert given > 0
    assert endless.given == given


def test_the_time_limit_holds_for_a_stream_until_its_last_row() -> None:
    """Who reads on after the time is over is told."""
    with (
        run_sql("from range(1_000_000_000_000)", {}, limits=Limits(seconds=0.3, rows=None)) as result,
        pytest.raises(OwnLimit),
    ):
        for _ in result.reader():
            pass


def test_a_stream_reads_no_further_than_it_is_followed() -> None:
    """A big result needs no memory for what nobody has asked for yet."""
    endless = Stream(itertools.repeat(ONE_BATCH))
    with run_sql("select close from bars", {"bars": endless}, limits=STREAM) as result:
        assert next(result.reader()).num_rows > 0

    assert endless.given < 10_000


def test_ctrl_c_stops_a_query() -> None:
    """DuckDB looks at no signal while it works; the query ends all the same."""
    script = textwrap.dedent(f"""
        import os, signal, threading
        from gapless.sql import Limits, run_sql

        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            run_sql({ENDLESS!r}, {{}}, limits=Limits(seconds=60))
        except KeyboardInterrupt:
            print("stopped")
    """)
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120
    )

    assert (run.returncode, run.stdout) == (0, "stopped\n"), run.stderr


def test_a_forgotten_stream_does_not_keep_the_program_alive(tmp_path: Path) -> None:
    """An open scan of a dataset is closed when Python ends."""
    script = tmp_path / "forgets.py"
    script.write_text(
        textwrap.dedent("""
            import itertools
            from gapless.sql import Limits, run_sql
            from sql.views import Stream, bars

            endless = Stream(itertools.repeat(bars().to_batches()[0]))
            result = run_sql("select close from bars", {"bars": endless}, limits=Limits(rows=None))
            reader = result.reader()
            print(next(reader).num_rows > 0)
        """)
    )
    run = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (run.returncode, run.stdout) == (0, "True\n"), run.stderr


@pytest.mark.parametrize("limits", [Limits(), STREAM], ids=["in memory", "stream"])
@pytest.mark.parametrize("sound", [0, 1, 5_000])
def test_a_damaged_store_stays_a_damaged_store(sound: int, limits: Limits) -> None:
    """What a view raises comes out as it is, not as DuckDB's account of it, however late it happens."""
    damage = StoreDamaged("Segment 3 is damaged.", hint="Run `gapless verify`.")

    def batches() -> Iterator[pa.RecordBatch]:
        yield from itertools.repeat(ONE_BATCH, sound)
        raise damage

    with (
        pytest.raises(StoreDamaged) as raised,
        run_sql(
            "select max(close) from bars" if limits.rows else "select close from bars",
            {"bars": Stream(batches())},
            limits=limits,
        ) as result,
    ):
        result.arrow()

    assert raised.value is damage


def test_a_view_that_cannot_be_made_says_why() -> None:
    """Its error is not touched."""

    def ledger() -> pa.Table:
        raise StoreDamaged("The ledger is damaged.")

    with pytest.raises(StoreDamaged, match="ledger is damaged"):
        run_sql("from ledger", {"ledger": ledger})


@pytest.mark.parametrize(
    ("query", "says", "hint"),
    [
        ("select * from bar", "no view `bar`", "bars (symbol, timeframe, ts, close, trades); ledger"),
        ("select prize from bars", "prize", "bars (symbol, timeframe, ts, close, trades)"),
        ("select sum(symbol) from bars", "sum", "bars (symbol"),
        ("selec 1", 'near "selec"', "bars (symbol"),
        ("select 'x'::int", "Could not convert string 'x'", ""),
        (
            "select i, (case when i < 150_000 then '1' else 'x' end)::int from range(200_000) t(i)",
            "convert",
            "",
        ),
    ],
)
@pytest.mark.parametrize("limits", [Limits(rows=1_000_000), STREAM], ids=["in memory", "stream"])
def test_what_is_wrong_with_a_query_is_said_shortly(query: str, says: str, hint: str, limits: Limits) -> None:
    """DuckDB's first words, on one line, with the views and their columns beside."""
    with (
        pytest.raises(UsageError) as refused,
        run_sql(query, {"bars": bars(), "ledger": bars}, limits=limits) as result,
    ):
        result.arrow()

    assert says in refused.value.message
    assert "\n" not in refused.value.message
    assert "LINE 1" not in refused.value.message
    assert hint in refused.value.hint


@pytest.mark.parametrize("name", ["seconds", "rows", "memory", "threads"])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    """It would let no query run."""
    with pytest.raises(UsageError, match=name):
        Limits(**{name: 0})


def test_queries_run_side_by_side() -> None:
    """Each has a connection of its own; one that is stopped stops no other."""
    failed: list[Exception] = []

    def doomed() -> None:
        try:
            run_sql(ENDLESS, {}, limits=Limits(seconds=0.2))
        except OwnLimit as error:
            failed.append(error)

    beside = threading.Thread(target=doomed)
    beside.start()
    counts = [run_sql("select count(*) from bars", {"bars": bars()}).rows for _ in range(10)]
    beside.join()

    assert counts == [[(5,)]] * 10
    assert len(failed) == 1
