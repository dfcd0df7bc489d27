"""What a new user gets wrong: one line what and why, one line what to do, the right exit code, nothing lost."""

import signal
import socket
import sqlite3

import pytest

from cli.conftest import asking
from cli.program import Ended, Gapless, ended, until
from gapless.sandbox import Served

_ASKED = ("-t", "1d", "--start", "10d")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("frobnicate",), "No such command"),
        (("status", "--frob"), "No such option"),
        (("backfill",), "symbols, timeframes (-t) and a first day (--start) are missing."),
        (("backfill", "AAPL", "-t", "1d"), "a first day (--start) is missing."),
        (("backfill", "--preset", "huge"), "`huge` is not a preset"),
        (("backfill", "AAPL", "--preset", "quick"), "own symbols"),
        (("backfill", "AAPL,MSFT", *_ASKED), "`AAPL,MSFT` is not a ticker"),
        (("backfill", "AAPL", "-t", "7m", "--start", "10d"), "`7m` is not a timeframe"),
        (("backfill", "Q:AAPL", *_ASKED), "prefix `Q:`"),
        (("backfill", "AAPL", "-t", "1d", "--start", "2024-02-01", "--end", "2024-01-01"), "not after"),
        (("backfill", "AAPL", "-t", "1d", "--start", "2030-01-01"), "future"),
        (("backfill", "AAPL", "-t", "1d", "--start", "yesterday"), "not a date"),
        (("backfill", "AAPL", *_ASKED, "--plan", "gold"), "not a plan"),
        (("backfill", "AAPL", *_ASKED, "--rate", "fast"), "not a rate"),
        (("backfill", "AAPL", *_ASKED, "--max-requests", "few"), "not a whole number"),
        (("backfill", "AAPL", *_ASKED, "--base-url", "http://example.com"), "in the clear"),
        (("backfill", "AAPL", *_ASKED, "--store", "mongodb://here"), "not a store"),
        (("status",), "no store"),
        (("sandbox", "--latency", "slow"), "not a latency"),
        (("sandbox", "--replay", "nowhere"), "no folder"),
    ],
)
def test_a_wrong_word_is_a_usage_error(gapless: Gapless, words: tuple[str, ...], said: str) -> None:
    """Exit 2, with a hint, and no store is made."""
    done = gapless(*words)
    assert done.code == 2, done.err
    assert said in done.error
    assert done.hint
    assert "Traceback" not in done.err
    assert done.out == ""
    assert [file for file in gapless.folder.iterdir() if "gapless" in file.name] == []


def test_symbols_with_commas_between_are_told_apart(gapless: Gapless) -> None:
    """Timeframes are written so, therefore the hint says how symbols are."""
    assert "separate them with spaces" in gapless("plan", "AAPL,MSFT", *_ASKED).hint


def test_a_port_of_a_sandbox_that_is_taken_is_told(gapless: Gapless) -> None:
    """In one plain sentence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = gapless("sandbox", "--port", str(port))
    assert done.code == 2
    assert done.error == f"error: The sandbox cannot listen on 127.0.0.1:{port}: Address already in use."


def test_no_word_at_all_gets_the_help(gapless: Gapless) -> None:
    """As a page and not as an error, on standard error; exit 2, as with most programs."""
    done = gapless()
    assert (done.code, done.out) == (2, "")
    assert "\n  backfill  Fetch what is missing" in done.err
    assert "error:" not in done.err


def test_a_symbol_that_was_never_asked_for_has_no_revisions_to_list(
    filled: tuple[Gapless, Ended],
) -> None:
    """Its name was mistyped, most likely: that is told, as by every other question."""
    program, _ = filled
    done = program("revisions", "NOSUCH")
    assert (done.code, "never asked for" in done.error) == (2, True)


def test_a_ticker_that_nobody_knows_leaves_a_gap_with_its_reason(gapless: Gapless) -> None:
    """Exit 3: the vendor says nothing about it, which is not believed on one look."""
    done = gapless("backfill", "NOSUCH", *_ASKED)
    assert done.code == 3, done.err
    gaps = gapless("gaps", "--json").json()
    assert gaps
    assert gaps[0]["symbol"] == "NOSUCH"
    assert gaps[0]["reason"]
    assert gaps[0]["due"].endswith("Z")


@pytest.mark.parametrize(("key", "said"), [("wrong", "Unknown API Key"), ("", "no API key")])
def test_a_key_that_is_unknown_or_missing(gapless: Gapless, key: str, said: str) -> None:
    """Exit 4; the key itself is not in the message."""
    done = gapless("backfill", "AAPL", *_ASKED, MASSIVE_API_KEY=key)
    assert done.code == 4, done.err
    assert said in done.error
    assert "wrong" not in done.error
    assert (gapless.folder / "market.gapless").exists() == bool(key)


def test_a_key_without_entitlement_is_told_in_the_vendors_words(gapless: Gapless) -> None:
    """Exit 4, the reason kept beside the gap; what the key may see is stored all the same."""
    done = gapless("backfill", "AAPL", "X:BTCUSD", *_ASKED, MASSIVE_API_KEY="stocks-only")
    assert done.code == 4, done.err
    refused = gapless("gaps", "--json").json()
    assert {gap["symbol"] for gap in refused} == {"X:BTCUSD"}
    assert {gap["outcome"] for gap in refused} == {"refused"}
    assert "not entitled" in refused[0]["reason"]


def test_a_file_of_another_program_is_left_alone(gapless: Gapless) -> None:
    """Exit 7; not a byte of it is changed."""
    file = gapless.folder / "market.gapless"
    db = sqlite3.connect(file)
    db.execute("CREATE TABLE mine (x)")
    db.commit()
    db.close()
    before = file.read_bytes()
    done = gapless("backfill", "AAPL", *_ASKED)
    assert done.code == 7, done.err
    assert "another program" in done.error
    assert done.hint
    assert file.read_bytes() == before


def test_a_store_of_a_newer_gapless_is_left_alone(gapless: Gapless) -> None:
    """Exit 7; the hint is to upgrade."""
    assert gapless("backfill", "AAPL", *_ASKED).code == 0
    db = sqlite3.connect(gapless.folder / "market.gapless")
    db.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    db.commit()
    db.close()
    done = gapless("status")
    assert done.code == 7, done.err
    assert "newer gapless" in done.error
    assert "pgrade" in done.hint


def test_a_folder_is_no_store(gapless: Gapless) -> None:
    """A store is one file."""
    (gapless.folder / "market.gapless").mkdir()
    done = gapless("backfill", "AAPL", *_ASKED)
    assert done.code in (2, 7), done.err
    assert "folder" in done.error


def test_a_report_that_cannot_be_written_costs_no_bar(gapless: Gapless) -> None:
    """Exit 7, and the bars are there."""
    done = gapless("backfill", "AAPL", *_ASKED, "--report", "missing/report.json")
    assert done.code == 7
    assert "done and kept" in done.error
    assert gapless("status", "--json").json()[0]["percent"] == 100.0


def test_a_port_in_use_is_told(gapless: Gapless) -> None:
    """Exit 2, with the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = gapless("sandbox", "--port", port)
    assert done.code == 2
    assert port in done.error
    assert done.hint


def test_a_second_run_on_the_same_series_is_turned_away(gapless: Gapless, slow_vendor: Served) -> None:
    """Exit 6 while the first works, which is not disturbed."""
    patient = asking(gapless.folder, slow_vendor)
    words = ("backfill", "X:BTCUSD", "-t", "1m", "--start", "1y")  # eleven pages, a second each
    with patient.started(*words, GAPLESS_RATE="1/s") as process:
        until(lambda: slow_vendor.stats()["total"] > 0)
        second = patient(*words, GAPLESS_RATE="1/s")
        process.send_signal(signal.SIGINT)
        first = ended(process)
    assert second.code == 6, second.err
    assert "another run" in second.err
    assert first.code == 130, first.err
