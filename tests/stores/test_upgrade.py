"""Stores of released versions: what they hold is served, and what has another layout gets today's."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gapless.app.opening import opened
from gapless.errors import StorageError, StoreDamaged
from gapless.stores import open_store
from stores.making import KINDS, file_of
from stores.released.make import told
from stores.releases import RELEASES, said, unpacked

_EACH = [(version, kind) for version in RELEASES for kind in KINDS]


def test_there_is_a_store_of_every_release() -> None:
    """Those that the changelog names, but for the one that is being made."""
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text().splitlines()
    named = [line.split("[")[1].split("]")[0] for line in changelog if line.startswith("## [")]
    assert set(RELEASES) >= {name for name in named if name[0].isdigit()}


@pytest.mark.parametrize(("version", "kind"), _EACH)
def test_a_store_of_a_released_version_is_read_as_that_version_read_it(
    version: str, kind: str, tmp_path: Path
) -> None:
    """Every bar, every bar as it was before a correction, every entry of the ledger; and nothing is damaged."""
    store = opened(unpacked(version, kind, tmp_path))
    assert told(store) == said(version, kind)
    assert list(store.verify()) == []
    store.close()


def test_bars_that_can_still_change_go_out_of_the_view(tmp_path: Path) -> None:
    """Of 0.1.0 `market_data` showed them too; the ledger knows which they are."""
    url = unpacked("0.1.0", "plain", tmp_path)
    before = _counted(file_of(url), "market_data")
    opened(url).close()
    final, now = (_counted(file_of(url), view) for view in ("market_data", "market_data_now"))
    assert now == before
    assert 0 < final < before


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_as_it_was_is_kept(kind: str, tmp_path: Path) -> None:
    """Beside the store, under its name and the number of its layout; opening it again keeps nothing more."""
    url = unpacked("0.1.0", kind, tmp_path)
    name = file_of(url).name
    shutil.copy(file_of(url), tmp_path / "was")
    opened(url).close()
    opened(url).close()
    assert {p.name for p in tmp_path.iterdir()} == {name, f"{name}.schema1", "was"}
    assert _dump(tmp_path / f"{name}.schema1") == _dump(tmp_path / "was")


def test_a_damaged_file_is_not_brought_up_to_date(tmp_path: Path) -> None:
    """It says so, and nothing is changed."""
    url = unpacked("0.1.0", "plain", tmp_path)
    file = file_of(url)
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    file.write_bytes(data)
    with pytest.raises(StoreDamaged, match="not brought up to date"):
        opened(url)
    assert file.read_bytes() == data


def test_a_packed_one_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    """Its tables are those of today; it is left as it is."""
    url = unpacked("0.1.0", "packed", tmp_path)
    before = file_of(url).read_bytes()
    store = open_store(url, read_only=True)
    assert told(store) == said("0.1.0", "packed")
    store.close()
    assert file_of(url).read_bytes() == before


def test_one_that_may_only_be_read_says_what_it_needs(tmp_path: Path) -> None:
    """The layout is not guessed at."""
    url = unpacked("0.1.0", "plain", tmp_path)
    before = file_of(url).read_bytes()
    with pytest.raises(StorageError, match="earlier gapless") as caught:
        open_store(url, read_only=True)
    assert "brought up to date" in caught.value.hint
    assert file_of(url).read_bytes() == before


def _counted(file: Path, view: str) -> int:
    with closing(sqlite3.connect(file)) as db:
        count: int = db.execute(f"SELECT count(*) FROM {view}").fetchone()[0]
    return count


def _dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as db:
        return list(db.iterdump())
