"""export and import through the command line: there and back, goes on where it was, and a file of one's own."""

from pathlib import Path

import pytest

from cli.program import Ended, Gapless

_CSV = """Date;Open;High;Low;Last;Volume
01/02/2024 09:30;10;10.5;9.9;10.4;100
01/02/2024 09:31;10.4;10.6;10.3;10.5;200
"""
_OPTIONS = (
    *("--symbol", "AAPL", "--base", "1m", "--columns", "ts=Date,close=Last"),
    *("--time", "%m/%d/%Y %H:%M", "--zone", "America/New_York"),
)


@pytest.fixture
def own(gapless: Gapless) -> Gapless:
    """The program in a folder with a CSV file and no store."""
    (gapless.folder / "my.csv").write_text(_CSV)
    return gapless


@pytest.mark.parametrize("fmt", ["csv", "parquet", "arrow"])
def test_what_is_exported_can_be_imported(filled: tuple[Gapless, Ended], tmp_path: Path, fmt: str) -> None:
    """Into a new store, which prints the same bars and is as complete; the same export again writes nothing."""
    program, _ = filled
    out, store = str(tmp_path / "bars"), ("--store", str(tmp_path / "new.gapless"))
    made = program("export", "AAPL", "-t", "1m,1d", "--format", fmt, "--out", out, "--json").json()
    assert made["made"] == made["files"] >= 2
    again = program("export", "AAPL", "-t", "1m,1d", "--format", fmt, "--out", out)
    assert f"0 written, {made['files']} kept" in again.err
    taken = program("import", out, "--json", *store)
    assert taken.code == 0, taken.err
    assert (taken.json()["rows"], taken.json()["stored"]["inserted"]) == (made["rows"],) * 2
    assert all(row["percent"] == 100.0 for row in program("status", "--json", *store).json())
    words = ("bars", "AAPL", "-t", "1m", "--start", "15d", "--end", "10d")
    assert program(*words, *store).out == program(*words).out


def test_what_is_missing_in_an_export_is_named(filled: tuple[Gapless, Ended], tmp_path: Path) -> None:
    """Files are never a shorter answer without a word: the gaps are those of `bars`, and so is the exit code."""
    program, _ = filled
    words = ("AAPL", "-t", "1d", "--start", "2024-01-02", "--end", "3d")
    missing = program("bars", *words)
    done = program("export", *words, "--out", str(tmp_path / "days"))
    assert (done.code, missing.code) == (3, 3)
    assert "missing: AAPL 1d 2024-01-02" in done.err
    assert (tmp_path / "days").exists()
    whole = program("export", "AAPL", "-t", "30m", "--out", str(tmp_path / "whole"))
    assert (whole.code, "missing: " in whole.err, "add `-t 1m`" in whole.err) == (0, False, True)


def test_a_view_is_exported_as_it_is_printed(filled: tuple[Gapless, Ended], tmp_path: Path) -> None:
    """Regular sessions in half hours: the rows of `bars` in the same words."""
    program, _ = filled
    view = ("AAPL", "-t", "30m", "--start", "15d", "--end", "10d", "--session", "regular")
    done = program("export", *view, "--out", str(tmp_path / "half"), "--json")
    assert done.code == 0, done.err
    assert done.json()["rows"] == len(program("bars", *view).out.splitlines()) - 1


def test_a_file_of_ones_own_becomes_a_store(own: Gapless) -> None:
    """Its bars at the instants that its zone means; what lies between is not claimed to be whole."""
    done = own("import", "my.csv", *_OPTIONS)
    assert done.code == 0, done.err
    assert "2 bars of 1 series read from my.csv: 2 new" in done.err
    shown = own("bars", "AAPL", "-t", "1m", "--json", "--on-gap", "mark").json()
    assert [(row["time"], row["open"], row["close"]) for row in shown] == [
        ("2024-01-02T14:30:00Z", 10.0, 10.4),
        ("2024-01-02T14:31:00Z", 10.4, 10.5),
    ]


def test_other_numbers_come_in_only_if_told_so(own: Gapless) -> None:
    """Exit 2 and nothing changed; with `--replace` they are a correction."""
    own("import", "my.csv", *_OPTIONS, "--quiet")
    (own.folder / "my.csv").write_text(_CSV.replace("10.3;10.5", "10.3;10.55"))
    refused = own("import", "my.csv", *_OPTIONS)
    assert refused.code == 2
    assert "differ" in refused.error
    assert "--replace" in refused.hint
    done = own("import", "my.csv", *_OPTIONS, "--replace", "--json")
    assert done.json()["stored"] | {"stored_bytes": 0} == {
        "inserted": 0,
        "corrected": 1,
        "withdrawn": 0,
        "unchanged": 1,
        "stored_bytes": 0,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("my.csv",), "not said what the rows"),
        (("my.csv", "--base", "5m"), "`5m`"),
        (("my.csv", "--base", "1m", "--columns", "ts"), "`ts`"),
        (("my.csv", "--base", "1m", "--columns", "ts=A,ts=B"), "`ts=B`"),
        (("my.csv", "--base", "1m", "--columns", "price=Last"), "`price`"),
        (("my.csv", "--base", "1m", "--time", "roughly"), "`roughly`"),
        (("my.csv", "--base", "1m", "--zone", "Mars/Olympus"), "Mars/Olympus"),
        (("my.csv", "--base", "1m", "--stamp", "middle"), "`middle`"),
        (("nowhere.csv", "--base", "1m"), "nowhere.csv"),
        ((".", "--zone", "UTC"), "is a folder"),
    ],
)
def test_a_wrong_word_leaves_nothing_behind(own: Gapless, words: tuple[str, ...], said: str) -> None:
    """Exit 2, what was wrong, what to do; no store is made."""
    done = own("import", *words)
    assert (done.code, done.out) == (2, ""), done.err
    assert said in done.error
    assert done.hint
    assert [file.name for file in own.folder.iterdir()] == ["my.csv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("my.csv", "--base", "1m", "--symbol", "AAPL"), "no column `ts`"),
        (("my.csv", "--base", "1m", "--symbol", "AAPL", "--columns", "ts=When"), "no column `When`"),
        (("my.csv", "--base", "1m", "--columns", "ts=Date,close=Last"), "no column `symbol`"),
        (("my.csv", *_OPTIONS[:-2]), "no time zone"),
        (("my.csv", *_OPTIONS, "--time", "iso"), "not a time"),
        ((".",), "manifest"),
    ],
)
def test_a_file_that_is_something_else_is_told(own: Gapless, words: tuple[str, ...], said: str) -> None:
    """Exit 2 with what is missing, and not a bar is taken in."""
    done = own("import", *words)
    assert (done.code, done.out) == (2, ""), done.err
    assert said in done.error
    assert done.hint
    assert own("status", "--json").json() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "x", "--format", "xlsx"), "xlsx"),
        (("--format", "csv"), "--out"),
        (("TSLA", "--out", "x"), "TSLA"),
        (("--out", "x", "--format", "sqlite", "--session", "regular"), "raw bars"),
        (("--out", "x", "--session", "lunch"), "lunch"),
        (("--out", "report.json", "--format", "sqlite"), "there already"),
    ],
)
def test_a_wrong_word_makes_no_file(filled: tuple[Gapless, Ended], words: tuple[str, ...], said: str) -> None:
    """Exit 2, what was wrong, what to do."""
    program, _ = filled
    done = program("export", *words)
    assert (done.code, done.out) == (2, ""), done.err
    assert said in done.error
    assert done.hint
    assert not (program.folder / "x").exists()
