"""bars: many symbols, views, gaps, and what may be typed wrongly."""

import csv
import io
import shlex
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from cli.program import Ended, Gapless

NEW_YORK = ZoneInfo("America/New_York")
_MISSING = ("bars", "X:BTCUSD", "-t", "1d", "--start", "25d", "--end", "15d")
"""Five days of these ten are stored: the backfill began 20 days ago."""


def rows(done: Ended) -> list[dict[str, str]]:
    """Standard output as CSV."""
    return list(csv.DictReader(io.StringIO(done.out)))


def test_several_symbols_have_a_column(filled: tuple[Gapless, Ended]) -> None:
    """First in CSV, JSON and the table; `--limit` counts for each of them, and what it leaves out is told."""
    program, _ = filled
    words = ("bars", "X:BTCUSD", "AAPL", "-t", "1d", "--limit", "2", "--end", "5d")
    done = program(*words)
    assert done.out.startswith("symbol,time,ts,open,")
    assert [row["symbol"] for row in rows(done)] == ["X:BTCUSD"] * 2 + ["AAPL"] * 2
    assert done.err.startswith("The last 4 of ")
    told = program(*words, "--json").json()
    assert [row["symbol"] for row in told] == [row["symbol"] for row in rows(done)]
    drawn = program.on_terminal(*words).lines
    assert drawn[0].split()[:3] == ["symbol", "time", "(UTC)"]
    assert max(map(len, drawn)) <= 80


@pytest.mark.parametrize(
    ("columns", "heads", "left_out"),
    [
        (120, "open high low close volume trades", ""),
        (80, "open high low close", "No room for volume, trades: a wider terminal"),
        (60, "high low close", "No room for open, volume, trades: a wider terminal"),
    ],
)
def test_a_narrow_table_leaves_columns_out(
    filled: tuple[Gapless, Ended], columns: int, heads: str, left_out: str
) -> None:
    """Whole ones, and says which: no digit of a number that is shown is cut."""
    words = ("bars", "X:BTCUSD", "AAPL", "-t", "1d", "--end", "5d")
    done = filled[0].on_terminal(*words, columns=columns)
    assert done.lines[0].split() == ["symbol", "time", "(UTC)", *heads.split()]
    assert max(map(len, done.lines)) <= columns
    prices = [float(row["close"]) for row in rows(filled[0](*words))]
    at = done.lines[0].split().index("close")
    assert {line.split()[at].replace(",", "") for line in done.lines[1:]} <= {f"{p:.8g}" for p in prices}
    assert left_out in done.err


def test_one_symbol_has_none(filled: tuple[Gapless, Ended]) -> None:
    """The form of the output is told by what is asked for, not by what is found."""
    program, _ = filled
    assert program("bars", "AAPL", "--end", "5d").out.startswith("time,ts,open,")


def test_regular_sessions_are_the_exchanges_hours(filled: tuple[Gapless, Ended]) -> None:
    """Half past nine to four in New York; without the option there is more."""
    program, _ = filled
    words = ("bars", "AAPL", "-t", "5m", "--start", "10d", "--end", "5d")
    shown, everything = rows(program(*words, "--session", "regular")), rows(program(*words))
    times = {datetime.fromisoformat(row["time"]).astimezone(NEW_YORK).time() for row in shown}
    assert (min(times), max(times)) == (time(9, 30), time(15, 55))
    assert len(everything) > len(shown) > 0


def test_missing_bars_are_an_error_that_says_how_to_get_them(gapless: Gapless) -> None:
    """Exit 3, nothing printed, the stretch with its reason; the command of the hint mends it, in this very store."""
    store = ("--store", "my store.gapless")
    gapless("backfill", "X:BTCUSD", "-t", "1d", "--start", "10d", "--quiet", *store)
    words = ("bars", "X:BTCUSD", "--start", "20d", "--end", "5d", *store)
    done = gapless(*words)
    assert (done.code, done.out) == (3, "")
    assert "never asked for" in done.error
    command = shlex.split(done.hint.split("`")[1])
    assert command[:2] == ["gapless", "backfill"]
    assert "--on-gap mark" in done.hint
    assert gapless(*command[1:], "--quiet").code == 0
    whole = gapless(*words)
    assert (whole.code, len(rows(whole))) == (0, 15)


def test_a_warning_names_each_gap_and_is_an_exit_code(filled: tuple[Gapless, Ended]) -> None:
    """What is there is printed, a line for each gap on standard error, exit 3."""
    program, _ = filled
    done = program(*_MISSING, "--on-gap", "warn")
    assert (done.code, len(rows(done))) == (3, 5)
    (line,) = done.err.splitlines()
    assert line.startswith("missing: X:BTCUSD 1d ")
    assert "never asked for" in line


def test_a_mark_is_no_error(filled: tuple[Gapless, Ended]) -> None:
    """Exit 0, and how many gaps there are is told; where there is none, nothing is."""
    program, _ = filled
    done = program(*_MISSING, "--on-gap", "mark")
    assert (done.code, len(rows(done))) == (0, 5)
    assert "missing: 1." in done.err
    whole = program("bars", "X:BTCUSD", "--start", "15d", "--end", "5d", "--on-gap", "warn")
    assert (whole.code, whole.err) == (0, "")


def test_a_table_marks_the_bar_after_a_gap(gapless: Gapless) -> None:
    """With what the mark means below it."""
    rows = "".join(f"2024-01-02T14:{minute}:00Z,10,11,9,10,5\n" for minute in (30, 31, 40))
    (gapless.folder / "my.csv").write_text("ts,open,high,low,close,volume\n" + rows)
    gapless("import", "my.csv", "--symbol", "AAPL", "--base", "1m", "--quiet")
    words = ("bars", "AAPL", "-t", "1m", "--start", "2024-01-02T14:30Z", "--end", "2024-01-02T14:41Z")
    lines = gapless.on_terminal(*words, "--on-gap", "mark").lines
    assert [line[:17].rstrip() for line in lines[1:4]] == [
        "2024-01-02 14:30",
        "2024-01-02 14:31",
        "2024-01-02 14:40!",
    ]
    assert lines[4:] == ["! bars are missing before this one"]


def test_missing_bars_can_be_fetched_first(gapless: Gapless) -> None:
    """Asked for, stored, printed; and wanted from then on."""
    gapless("backfill", "AAPL", "-t", "1d", "--start", "10d", "--quiet")
    done = gapless("bars", "X:BTCUSD", "--start", "15d", "--end", "5d", "--on-gap", "fetch")
    assert (done.code, len(rows(done))) == (0, 10), done.err
    assert "X:BTCUSD" in gapless("status").out


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("aapl",), "AAPL"),
        (("BTC",), "X:BTCUSD"),
        (("AAPL", "btcusd", "--start", "5d"), "X:BTCUSD"),
        (("x:BTCUSD", "x:btcusd"), "X:BTCUSD"),
        (("x:BTCUSD", "MSFT"), ""),
    ],
)
def test_a_name_like_a_stored_one_is_asked_about(
    filled: tuple[Gapless, Ended], words: tuple[str, ...], meant: str
) -> None:
    """In capitals, or as the coin in dollars: before the hint that fetches what was typed."""
    program, _ = filled
    done = program("bars", *words)
    assert done.code in (2, 3)
    assert ("Did you mean" in done.hint) == bool(meant)
    assert f"Did you mean {meant}, which is stored? If not: `gapless backfill" in done.hint or not meant


def test_nothing_was_known_before_it_was_read(filled: tuple[Gapless, Ended]) -> None:
    """As of a day before the backfill there is not a bar."""
    program, _ = filled
    done = program("bars", "X:BTCUSD", "--start", "15d", "--end", "5d", "--as-of", "5d", "--on-gap", "mark")
    assert (done.code, rows(done)) == (0, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bars",), "SYMBOLS"),
        (("bars", "AAPL", "-t", "7m"), "`7m` is not a timeframe"),
        (("bars", "AAPL", "--session", "lunch"), "lunch"),
        (("bars", "AAPL", "--adjust", "inflation"), "inflation"),
        (("bars", "AAPL", "--on-gap", "ignore"), "ignore"),
        (("bars", "AAPL", "--as-of", "soon"), "soon"),
        (("bars", "AAPL", "--start", "5d", "--end", "10d"), "not after"),
        (("bars", "AAPL", "--limit", "-1"), "--limit"),
        (("bars", "AAPL", "--json", "--chart"), "do not go together"),
        (("bars", "TSLA"), "TSLA"),
    ],
)
def test_a_wrong_word_is_told(filled: tuple[Gapless, Ended], words: tuple[str, ...], said: str) -> None:
    """Exit 2, what was wrong, what to do; nothing on standard output."""
    program, _ = filled
    done = program(*words)
    assert (done.code, done.out) == (2, ""), done.err
    assert said in done.error
    assert done.hint
