"""Disks that fill up in the middle of a run."""

from contextlib import closing, suppress
from pathlib import Path

import pytest

from gapless.errors import StoreFull
from gapless.stores.packed import PackedStore
from gapless.vocabulary.timeframe import Base
from stores.making import EVER, KINDS, SPY, batch, minutes, opened, put, url_of
from torture import planted
from torture.disks import HARNESS, disk, measure, possible

pytestmark = pytest.mark.skipif(bool(why := possible()), reason=why or "it can be tried here")

kinds = pytest.mark.parametrize("kind", KINDS)


def test_a_full_disk_ends_the_run_in_plain_words_and_costs_nothing() -> None:
    """Ten sizes of disk: exit code 7, what is free and needed, a sound store, and all of it once there is room."""
    figure = measure(HARNESS.small, 1)
    assert (figure.tried, figure.broken) == (HARNESS.small, 0), figure.detail


@kinds
def test_a_disk_without_any_room_is_named_to_a_reader_too(tmp_path: Path, kind: str) -> None:
    """SQLite needs some kilobytes beside a file to read it; where they are missing, that is said, and costs nothing."""
    with disk(tmp_path / "disk", 4 << 20) as folder:
        url = url_of(kind, folder)
        store = opened(url)
        put(store, minutes(200))
        store.close()
        ballast = folder / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass
        with pytest.raises(StoreFull, match="even to read it") as refused:
            opened(url)
        assert "space" in refused.value.hint
        ballast.unlink()
        with closing(opened(url)) as store:
            assert store.read(SPY, Base.MINUTE, EVER) == batch(minutes(200))


def test_a_ledger_before_its_bars_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the ledger has its own transaction, the one of the bars may find no room any more."""
    monkeypatch.setattr(PackedStore, "write", planted._twice(PackedStore.write))
    assert measure(2, 1, alone=False).broken > 0
