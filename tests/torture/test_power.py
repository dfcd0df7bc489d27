"""Power cuts: nothing that was acknowledged is lost, and the harness sees a store that does not sync."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from gapless.errors import StoreDamaged
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.timeframe import Base
from stores.making import EVER, KINDS, SPY, file_of, minutes, opened, put, url_of
from torture.disk import Disk
from torture.power import HARNESS, measure
from torture.tape import Name, Sync, Truncate, Write, why_not

traced = pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can be")


@traced
@pytest.mark.parametrize("kind", KINDS)
def test_a_power_cut_costs_nothing_that_was_acknowledged(kind: str) -> None:
    """Whatever the disk did not sync is dropped, torn or reordered; the store opens and has every told write."""
    figure = measure(HARNESS.small // 2, 1, kinds=(kind,))
    assert (figure.tried, figure.broken) == (HARNESS.small // 2, 0), figure.detail


@traced
@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_store_that_does_not_sync_is_caught(synchronous: str) -> None:
    """A bug planted on purpose: writes are told before they are on the disk."""
    assert measure(40, 1, synchronous).broken > 0


def test_what_was_synced_survives_and_what_was_not_may_be_anything() -> None:
    """The model of the disk by hand: one synced sector, one not, a name that was never synced."""
    disk = Disk()
    for event in (Name("a", 1), Sync(None), Write(1, 0, b"x" * 512), Sync(1), Write(1, 512, b"y" * 512)):
        disk.apply(event)
    disk.apply(Name("b", 2))
    found = [disk.after_power_cut(Random(seed)) for seed in range(200)]
    assert {files["a"][:512] for files in found} == {b"x" * 512}
    assert {files["a"][512:] for files in found} >= {b"", b"y" * 512}
    assert {"b" in files for files in found} == {True, False}


def test_a_name_that_was_removed_may_come_back() -> None:
    """Until the folder is synced; and a file that was cut may still be long."""
    disk = Disk()
    for event in (Name("a", 1), Sync(None), Write(1, 0, b"x" * 600), Sync(1), Truncate(1, 100)):
        disk.apply(event)
    assert {len(disk.after_power_cut(Random(seed))["a"]) for seed in range(50)} == {100, 600}
    disk.apply(Name("a", None))
    assert {"a" in disk.after_power_cut(Random(seed)) for seed in range(50)} == {True, False}
    disk.apply(Sync(None))
    assert disk.after_power_cut(Random(1)) == {}


def test_a_segment_that_is_listed_but_gone_is_told_as_damage(tmp_path: Path) -> None:
    """A row that only its index remembers is found by `verify` and never a fault of ours."""
    url = url_of("packed", tmp_path)
    store = opened(url)
    put(store, minutes(50))
    store.close()
    _forget_segments(file_of(url))
    store = opened(url)
    assert ["segment 1 is not what" in damage.what for damage in store.verify()] == [True]
    start = min(minutes(50))
    with pytest.raises(StoreDamaged):
        store.count(SPY, Base.MINUTE, SpanSet([Span(start + 1, EVER.end)]))
    store.close()


def _forget_segments(file: Path) -> None:
    """Empty the table of segments while its index is out of sight."""
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        hidden = db.execute("SELECT * FROM sqlite_schema WHERE name = 'segment_span'").fetchone()
        db.execute("PRAGMA writable_schema = ON")
        db.execute("DELETE FROM sqlite_schema WHERE name = 'segment_span'")
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("DELETE FROM segment")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", hidden)
