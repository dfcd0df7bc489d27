"""backup and restore through the command line: there and back, and never over something sound."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import gapless as library
from cli.program import Ended, Gapless

Filled = tuple[Gapless, Ended]
_BARS = ("bars", "AAPL", "-t", "1d", "--on-gap", "mark")


def test_what_is_backed_up_can_be_restored(filled: Filled, tmp_path: Path) -> None:
    """As another store, which prints the same bars; the sizes that are told are those of the files."""
    program, _ = filled
    copy, store = tmp_path / "copy.gapless", ("--store", str(tmp_path / "new.gapless"))
    made = program("backup", str(copy), "--json")
    assert made.code == 0, made.err
    assert made.json()["bytes"] == copy.stat().st_size
    back = program("restore", str(copy), *store)
    assert back.code == 0, back.err
    assert f"{(tmp_path / 'new.gapless').stat().st_size:,} bytes, every bar of it read and sound" in back.err
    assert (
        program(*_BARS, *store).out == program(*_BARS, "--store", str(copy)).out == program(*_BARS).out != ""
    )


def test_nothing_is_replaced_without_the_word_for_it(filled: Filled, tmp_path: Path) -> None:
    """Neither a file by a backup nor a store by a restore."""
    program, _ = filled
    copy, other = tmp_path / "copy.gapless", tmp_path / "other.gapless"
    copy.write_text("mine")
    refused = program("backup", str(copy))
    assert (refused.code, "`--replace`" in refused.hint) == (2, True)
    assert copy.read_text() == "mine"
    assert program("backup", str(other)).code == 0
    refused = program("restore", str(other), "--store", str(copy))
    assert refused.code == 2
    assert "exists already" in refused.error
    assert copy.read_text() == "mine"


def test_a_backup_replaces_the_one_before(filled: Filled, tmp_path: Path) -> None:
    """With `--replace`; nothing else stays beside it."""
    program, _ = filled
    for _ in range(2):
        assert program("backup", str(tmp_path / "copy.gapless"), "--replace").code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["copy.gapless"]


def test_damage_is_not_copied_over_a_sound_backup(filled: Filled, tmp_path: Path) -> None:
    """It ends with 7 and a hint; the backup is what it was."""
    program, _ = filled
    copy, damaged = tmp_path / "copy.gapless", tmp_path / "damaged.gapless"
    program("backup", str(copy))
    program("restore", str(copy), "--store", str(damaged))
    with closing(sqlite3.connect(damaged)) as db:
        db.execute("UPDATE segment SET payload = zeroblob(length(payload)) WHERE id = 1")
        db.commit()
    before = copy.read_bytes()
    refused = program("backup", str(copy), "--replace", "--store", str(damaged))
    assert (refused.code, "not copied" in refused.error) == (7, True)
    assert "verify --repair" in refused.hint
    assert copy.read_bytes() == before


def test_a_file_that_is_cut_off_is_restored(filled: Filled, tmp_path: Path) -> None:
    """No repair mends it, and the hint does not end there: what it says about a backup helps."""
    program, _ = filled
    copy, cut = tmp_path / "copy.gapless", tmp_path / "cut.gapless"
    program("backup", str(copy))
    cut.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    refused = program("verify", "--repair", "--store", str(cut))
    assert (refused.code, "is damaged" in refused.error) == (7, True)
    assert "`gapless restore --replace`" in refused.hint
    assert program("restore", "--replace", str(copy), "--store", str(cut)).code == 0
    assert program("verify", "--store", str(cut)).code == 0


def test_damage_is_told_by_day(filled: Filled, tmp_path: Path) -> None:
    """With both commands that heal it, in their order."""
    program, _ = filled
    store = tmp_path / "damaged.gapless"
    program("backup", str(store))
    with closing(sqlite3.connect(store)) as db:
        db.execute("UPDATE segment SET payload = zeroblob(length(payload))")
        db.commit()
    refused = program(*_BARS, "--store", str(store))
    assert refused.code == 7
    assert re.search(r"AAPL 1d from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d \(UTC\) are damaged", refused.error)
    assert re.search("`gapless verify --repair`.*then `gapless repair`", refused.hint)


@pytest.mark.parametrize(
    ("file", "store", "words"),
    [
        ("none.gapless", "a.gapless", "There is no backup"),
        ("copy.gapless", "sqlite:///a.db", "is a packed store"),
    ],
)
def test_what_cannot_be_restored_is_told(
    filled: Filled, tmp_path: Path, file: str, store: str, words: str
) -> None:
    """A backup that is not there, and one of the other kind; no store is made."""
    program, _ = filled
    program("backup", str(tmp_path / "copy.gapless"))
    there = store.replace("a.", f"{tmp_path}/a.")
    refused = program("restore", str(tmp_path / file), "--store", there)
    assert (refused.code, words in refused.error) == (2, True), refused.err
    assert {path.name for path in tmp_path.iterdir()} == {"copy.gapless"}


def test_python_does_the_same(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`Warehouse.backup` and `gapless.restore` tell the bytes."""
    program, _ = filled
    monkeypatch.chdir(program.folder)
    with library.open() as warehouse:
        size = warehouse.backup(tmp_path / "copy.gapless")
        held = warehouse.bars("AAPL", "1d", on_gap="mark").numpy()["close"].tolist()
    assert library.restore(tmp_path / "copy.gapless", str(tmp_path / "new.gapless")) == size
    with library.open(str(tmp_path / "new.gapless")) as again:
        assert again.bars("AAPL", "1d", on_gap="mark").numpy()["close"].tolist() == held
