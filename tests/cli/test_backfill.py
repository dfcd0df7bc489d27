"""The main job through the command line: everything asked for is there, and nothing is asked for twice."""

import csv
import io
import json
import sqlite3

from cli.conftest import BACKFILL, SEED
from cli.program import Ended, Gapless
from gapless.sandbox import Served, SyntheticMarket
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base


def test_a_backfill_ends_whole(filled: tuple[Gapless, Ended]) -> None:
    """Exit 0; the matrix shows every series complete, the report every job."""
    _, done = filled
    assert done.code == 0, done.err
    assert [row.split()[2] for row in done.out.splitlines()[1:5]] == ["100.0%"] * 4
    assert "4 of 4 complete" in done.out
    assert "plan: " in done.err


def test_the_report_file_has_the_figures(filled: tuple[Gapless, Ended]) -> None:
    """The same figures as data."""
    program, _ = filled
    report = json.loads((program.folder / "report.json").read_text())
    assert (report["jobs"], report["completed"], report["exit_code"], report["success"]) == (4, 4, 0, 1.0)
    assert len(report["targets"]) == 4
    assert report["requests"] >= 4


def test_the_same_command_again_asks_for_nothing(filled: tuple[Gapless, Ended], vendor: Served) -> None:
    """The vendor's own counter stays where it was."""
    program, _ = filled
    before = vendor.stats()["total"]
    again = program.alone(*BACKFILL, "--json")
    assert again.code == 0
    assert again.json()["requests"] == 0
    assert vendor.stats()["total"] == before


def test_status_says_that_everything_is_there(filled: tuple[Gapless, Ended]) -> None:
    """As a matrix with its legend, and as data."""
    program, _ = filled
    drawn = program("status")
    assert drawn.code == 0
    assert "# complete" in drawn.out
    rows = program("status", "--json").json()
    assert [(row["symbol"], row["timeframe"]) for row in rows] == [
        ("AAPL", "1d"),
        ("AAPL", "5m"),
        ("X:BTCUSD", "1d"),
        ("X:BTCUSD", "5m"),
    ]
    assert all(row["percent"] == 100.0 and row["missing_ms"] == 0 for row in rows)


def test_bars_are_the_vendors(filled: tuple[Gapless, Ended]) -> None:
    """CSV in a pipe: the closes are those of the market behind the vendor."""
    program, _ = filled
    shown = program("bars", "X:BTCUSD", "-t", "1d")
    rows = list(csv.DictReader(io.StringIO(shown.out)))
    stamps = [int(row["ts"]) for row in rows]
    truth = SyntheticMarket(SEED).bars(
        Instrument.parse("X:BTCUSD"), Base.DAY, Span(stamps[0], stamps[-1] + 1)
    )
    assert len(rows) >= 19
    assert [float(row["close"]) for row in rows] == truth.close.tolist()
    assert {row["final"] for row in rows} == {"True"}


def test_gaps_explain_verify_have_nothing_to_complain_of(filled: tuple[Gapless, Ended]) -> None:
    """No gap, no damage, and a bar at noon."""
    program, _ = filled
    assert program("gaps", "--json").json() == []
    assert program("verify").code == 0
    last = program("bars", "X:BTCUSD", "-t", "1m", "--limit", "1", "--json").json()[0]
    said = program("explain", "X:BTCUSD", last["time"])
    assert ": bar" in said.out.splitlines()[0]


def test_an_export_is_a_plain_database(filled: tuple[Gapless, Ended]) -> None:
    """Any SQLite tool counts its rows."""
    program, _ = filled
    done = program("export", "AAPL", "-t", "1d", "--format", "sqlite", "--out", "plain.db", "--json")
    assert done.code == 0, done.err
    rows = sqlite3.connect(program.folder / "plain.db").execute(
        "SELECT COUNT(*) FROM market_data WHERE timeframe = '1d'"
    )
    assert rows.fetchone()[0] == done.json()["rows"] > 10


def test_what_is_piped_is_plain_and_narrow(filled: tuple[Gapless, Ended]) -> None:
    """No escape codes, no line over 80 columns."""
    program, done = filled
    for ended in (done, program("config", "--origin"), program("doctor")):
        assert "\x1b" not in ended.out + ended.err
        assert max(map(len, ended.out.splitlines())) <= 80


def test_a_plan_is_told_without_asking(gapless: Gapless, vendor: Served) -> None:
    """Jobs and requests, no store made, the vendor not asked, and the look-alike named."""
    before = vendor.stats()["total"]
    told = gapless("plan", "BTC", "X:BTCUSD", "-t", "1m", "--start", "10d", "--json")
    assert told.code == 0
    assert told.json()["requests"] == len(told.json()["jobs"]) == 2
    assert any("X:BTCUSD" in note for note in told.json()["notes"])
    assert vendor.stats()["total"] == before
    assert [file for file in gapless.folder.iterdir() if file.suffix == ".gapless"] == []


def test_an_own_limit_of_requests_ends_the_run(gapless: Gapless) -> None:
    """Exit 5, and the next run goes on."""
    first = gapless(*BACKFILL, "--max-requests", "1")
    assert first.code == 5
    assert "limit of 1 requests" in first.error
    assert gapless(*BACKFILL, "--quiet").code == 0


def test_a_plain_store_is_filled_the_same_way(gapless: Gapless) -> None:
    """`--store sqlite:///...` holds rows of every timeframe asked for."""
    done = gapless("backfill", "AAPL", "-t", "1d", "--start", "20d", "--store", "sqlite:///rows.db")
    assert done.code == 0, done.err
    rows = sqlite3.connect(gapless.folder / "rows.db").execute("SELECT COUNT(*) FROM market_data")
    assert rows.fetchone()[0] > 10


def test_an_update_that_leaves_gaps_says_so_in_its_exit_code(gapless: Gapless) -> None:
    """As a backfill does: 3, so that whoever runs it every day can see it."""
    assert gapless("backfill", "AAPL", "NOSUCH", "-t", "1d", "--start", "20d").code == 3
    done = gapless("update", "--quiet")
    assert (done.code, done.err) == (3, "")
    assert gapless("update", "AAPL", "--quiet").code == 0


def test_a_timeframe_that_was_never_asked_for_has_no_status(filled: tuple[Gapless, Ended]) -> None:
    """Exit 2, and what there is instead."""
    done = filled[0]("status", "AAPL", "-t", "1h")
    assert (done.code, done.error) == (2, "error: Nothing was ever asked for in 1h.")
    assert done.hint == "hint: There is 1d, 5m."


def test_a_symbol_that_was_mistyped_can_be_forgotten(gapless: Gapless) -> None:
    """It is no gap any more, and nobody asks for it; what else is wanted goes on."""
    assert gapless("backfill", "AAPL", "NOSUCH", "-t", "1d", "--start", "20d").code == 3
    refused = gapless("forget", "NOSUCH", "-t", "1m")
    assert (refused.code, "Nothing that was asked for" in refused.error) == (2, True)
    done = gapless("forget", "NOSUCH")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Wanted no longer: 1 of what was asked for. Bars that are stored stay.\n"
    assert "never asked for" in gapless("forget", "NOSUCH").error
    assert gapless("gaps", "--json").json() == []
    assert gapless("update", "--quiet").code == 0
    bars = gapless("bars", "AAPL", "--json").json()
    assert gapless("forget", "AAPL", "--json").json() == {"forgotten": 1}
    assert gapless("bars", "AAPL", "--start", bars[0]["time"], "--end", "now", "--json").json() == bars
