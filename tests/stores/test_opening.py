"""Opening a store: what is there is never harmed, and what is wrong is said in one line."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from gapless.errors import (
    ForeignStore,
    GaplessError,
    NewerStore,
    StorageError,
    StoreFull,
    StoreReadOnly,
    UsageError,
)
from gapless.stores import open_store
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from stores.making import EVER, KINDS, SPY, T0, batch, file_of, minutes, opened, put, url_of

kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_looking_does_not_make_a_store(tmp_path: Path, kind: str) -> None:
    """Where no store is, reading or opening without `create` says so and leaves nothing behind."""
    url = url_of(kind, tmp_path)
    for read_only, create in ((True, True), (False, False)):
        with pytest.raises(UsageError, match="no store at") as refused:
            opened(url, read_only=read_only, create=create)
        assert "gapless backfill" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


@kinds
def test_what_is_no_regular_file_is_no_store(tmp_path: Path, kind: str) -> None:
    """A device or a pipe is refused before SQLite makes a journal beside it, and no backup takes its place."""
    url = url_of(kind, tmp_path)
    os.mkfifo(file_of(url))
    for read_only in (False, True):
        with pytest.raises(UsageError, match="is not a regular file"):
            opened(url, read_only=read_only)
    other = tmp_path / "other"
    other.mkdir()
    with (
        closing(opened(url_of(kind, other))) as store,
        pytest.raises(UsageError, match="no place for a store"),
    ):
        store.backup(file_of(url), replace=True)
    assert set(tmp_path.iterdir()) == {file_of(url), other}
    assert file_of(url).is_fifo()


@pytest.mark.parametrize("url", ["postgresql://host/db", "mysql://x", "http://x/y.gapless"])
def test_an_unknown_kind_of_url_names_the_known_ones(url: str) -> None:
    """The message says what was given, the hint what is possible."""
    with pytest.raises(UsageError) as refused:
        open_store(url)
    assert url in refused.value.message
    assert "market.gapless" in refused.value.hint
    assert "sqlite:///" in refused.value.hint


@pytest.mark.parametrize("url", ["", "sqlite:///", "sqlite:///:memory:"])
def test_a_url_without_a_file_is_refused(url: str) -> None:
    """A store is a file."""
    with pytest.raises(UsageError, match="names no file"):
        open_store(url)


@kinds
def test_a_folder_is_not_a_store(tmp_path: Path, kind: str) -> None:
    """A folder in the file's place, or none around it, is a mistake of the person."""
    url = url_of(kind, tmp_path)
    file_of(url).mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        opened(url)
    with pytest.raises(UsageError, match="no folder"):
        opened(url_of(kind, tmp_path / "missing"))


@kinds
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, kind: str) -> None:
    """Text, or the beginning of something, stays as it is."""
    url = url_of(kind, tmp_path)
    file_of(url).write_text("time,open,high,low,close\n" * 500)
    before = file_of(url).read_bytes()
    for read_only in (False, True):
        with pytest.raises(ForeignStore, match="not a gapless store"):
            opened(url, read_only=read_only)
    assert file_of(url).read_bytes() == before


@kinds
@pytest.mark.parametrize("mark", [0, 0x12345678])
def test_a_database_of_another_program_is_left_alone(tmp_path: Path, kind: str, mark: int) -> None:
    """Tables of another program stay as they are, marked as its own or not."""
    url = url_of(kind, tmp_path)
    db = sqlite3.connect(file_of(url))
    db.execute("CREATE TABLE mine (x)")
    db.execute(f"PRAGMA application_id = {mark}")
    db.commit()
    db.close()
    before = file_of(url).read_bytes()
    with pytest.raises(ForeignStore, match="another program"):
        opened(url)
    assert file_of(url).read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [file_of(url).name]


@kinds
def test_an_empty_file_becomes_a_store(tmp_path: Path, kind: str) -> None:
    """A file without a byte is nobody's."""
    url = url_of(kind, tmp_path)
    file_of(url).touch()
    store = opened(url)
    put(store, minutes(5))
    assert len(store.read(SPY, Base.MINUTE, EVER)) == 5
    store.close()


@kinds
def test_a_store_of_a_newer_gapless_is_left_alone(tmp_path: Path, kind: str) -> None:
    """A layout that this gapless does not know is not guessed at."""
    url = url_of(kind, tmp_path)
    opened(url).close()
    db = sqlite3.connect(file_of(url))
    db.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    db.commit()
    db.close()
    before = file_of(url).read_bytes()
    with pytest.raises(NewerStore, match="99") as refused:
        opened(url)
    assert "Upgrade" in refused.value.hint
    assert file_of(url).read_bytes() == before


def test_a_plain_store_that_lies_about_its_layout_is_left_as_it_was(tmp_path: Path) -> None:
    """Its rows are not what its number says: it cannot be brought up to date, and nothing of it changes."""
    url = url_of("plain", tmp_path)
    opened(url).close()
    db = sqlite3.connect(file_of(url))
    db.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
    db.commit()
    db.close()
    before = file_of(url).read_bytes()
    with pytest.raises(StorageError, match="already exists"):
        opened(url)
    assert file_of(url).read_bytes() == before


def test_each_kind_knows_the_other(tmp_path: Path) -> None:
    """A packed store opened as a plain one, or the other way round, says what it is."""
    opened(f"{tmp_path}/a.gapless").close()
    with pytest.raises(UsageError, match="is a packed store"):
        opened(f"sqlite:///{tmp_path}/a.gapless")
    opened(f"sqlite:///{tmp_path}/b.db").close()
    with pytest.raises(UsageError, match="is a plain store"):
        opened(f"{tmp_path}/b.db")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter (those of pytest are root's alone, where root runs it)."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
        Path(name).chmod(0o755)


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user without rights where root runs the tests: nothing is read-only for root."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@kinds
def test_a_read_only_file_or_folder_is_said_so(kind: str) -> None:
    """Writing is refused at the door; reading works there all the same, and leaves nothing behind."""
    with open_folder() as folder:
        url = url_of(kind, folder)
        store = opened(url)
        put(store, minutes(100))
        store.close()
        file_of(url).chmod(0o444)
        folder.chmod(0o555)
        with nobody():
            for name in ("store", "other"):
                with pytest.raises(StoreReadOnly, match="cannot be written") as refused:
                    opened(url_of(kind, folder, name))
                assert "--store" in refused.value.hint
            store = opened(url, read_only=True)
            assert store.read(SPY, Base.MINUTE, EVER) == batch(minutes(100))
            with pytest.raises(StoreReadOnly):
                put(store, minutes(200))
            store.close()
        assert [file.name for file in folder.iterdir()] == [file_of(url).name]


@kinds
def test_a_reader_who_may_not_write_sees_what_was_written_since(kind: str) -> None:
    """The owner adds a day and closes: the reader, who read before, reads that day too, and its pulse moves."""
    with open_folder() as folder:
        url = url_of(kind, folder)
        with closing(opened(url)) as store:
            put(store, minutes(2000))
        with nobody():
            reader = opened(url, read_only=True)
            assert reader.read(SPY, Base.MINUTE, EVER) == batch(minutes(2000))
            before = reader.pulse()
        for day in (10, 11, 12):
            with closing(opened(url)) as store:
                put(store, minutes(500 + day, T0 + day * DAY))
        with nobody():
            assert reader.pulse() != before
            for day in (10, 11, 12):
                span = Span(T0 + day * DAY, T0 + (day + 1) * DAY)
                assert reader.read(SPY, Base.MINUTE, span) == batch(minutes(500 + day, T0 + day * DAY))
            assert list(reader.verify()) == []
            reader.close()


@kinds
def test_what_is_written_in_the_middle_of_such_a_look_is_said(kind: str) -> None:
    """Pages of two moments are never served as one."""
    if os.geteuid():
        pytest.skip("only root can become somebody who may not write")
    with open_folder() as folder:
        url = url_of(kind, folder)
        with closing(opened(url)) as store:
            put(store, minutes(2000))
        moment = ExitStack()
        with nobody():
            reader = opened(url, read_only=True)
            moment.enter_context(reader.moment())
            assert len(reader.entries(SPY, Base.MINUTE)) == 1
        with closing(opened(url)) as store:
            put(store, minutes(500, T0 + 10 * DAY))
        with nobody(), pytest.raises(StorageError, match="written while it was read"):
            moment.close()
        with nobody():
            assert len(reader.read(SPY, Base.MINUTE, EVER)) == 2500
            reader.close()


@kinds
def test_a_reader_beside_a_writer_sees_what_is_committed(tmp_path: Path, kind: str) -> None:
    """A read-only opening follows what a writer in the same folder does."""
    url = url_of(kind, tmp_path)
    writer = opened(url)
    reader = opened(url, read_only=True)
    put(writer, minutes(100))
    assert reader.read(SPY, Base.MINUTE, EVER) == batch(minutes(100))
    with pytest.raises(StoreReadOnly):
        reader.take_turn("p", calls=1, per=1.0, now=0.0)
    reader.close()
    writer.close()


@kinds
def test_a_full_disk_loses_nothing(tmp_path: Path, kind: str) -> None:
    """The write that does not fit is undone and named; what was there stays, and goes on when there is room."""
    url = url_of(kind, tmp_path)
    store = opened(url)
    put(store, minutes(2000))
    store.close()
    file = sqlite3.connect(file_of(url))
    pages = file.execute("PRAGMA page_count").fetchone()[0]
    file.close()

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + 4}")

    event.listen(Engine, "connect", limit)
    try:
        store = opened(url)
        with pytest.raises(StoreFull, match="full") as refused:
            put(store, minutes(50_000, T0 + 10 * DAY, step=3 * 60_000))
        assert "space" in refused.value.hint
        assert store.read(SPY, Base.MINUTE, EVER) == batch(minutes(2000))
        assert len(store.entries(SPY, Base.MINUTE)) == 1
        store.close()
    finally:
        event.remove(Engine, "connect", limit)
    store = opened(url)
    put(store, minutes(50_000, T0 + 10 * DAY, step=3 * 60_000))
    assert list(store.verify()) == []
    assert len(store.read(SPY, Base.MINUTE, EVER)) == 52_000
    store.close()


@kinds
def test_a_lock_that_is_never_let_go_is_said_so(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program that keeps the file locked is named as the reason, and nothing is half-written."""
    monkeypatch.setattr("gapless.stores.database._BUSY_SECONDS", 0.05)
    url = url_of(kind, tmp_path)
    store = opened(url)
    other = sqlite3.connect(file_of(url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        put(store, minutes(10))
    other.execute("ROLLBACK")
    other.close()
    put(store, minutes(10))
    assert len(store.entries(SPY, Base.MINUTE)) == 1
    store.close()


@kinds
def test_every_error_says_what_to_do(tmp_path: Path, kind: str) -> None:
    """An error of opening is one line, names the file, and has a hint."""
    url = url_of(kind, tmp_path)
    file_of(url).write_text("not a store at all, but longer than a header of SQLite: " * 10)
    with pytest.raises(GaplessError) as refused:
        opened(url)
    assert str(file_of(url)) in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.hint
    assert refused.value.exit_code == 7
