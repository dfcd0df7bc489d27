"""Backup: one file that holds a whole store as it was at one moment, and has its name only once it is proved."""

import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gapless.errors import ForeignStore, StorageError, StoreFull, UsageError
from gapless.stores.database import APPLICATION_ID, Database
from gapless.stores.failures import full, megabytes, read_only, storage_error, told

Prove = Callable[[Path], None]
"""Reads a copy from end to end; raises where it is not sound."""

_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_UNREADABLE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_JOURNALS = ("-wal", "-shm", "-journal")


def copy_whole(db: Database, target: Path, prove: Prove, *, replace: bool) -> int:
    """Copy the store as it is at this moment to `target`; returns its bytes.

    The copy is made beside its place, synced, proved, and only then renamed: whatever happens, `target` is what
    it was, or a whole store. A process that dies leaves a hidden file, which the next attempt uses up.
    """
    _check(db.path, target, replace=replace)
    with _worded(target), _unfinished(target) as (part, handle):
        _fill(db, part, target)
        os.fsync(handle)
        prove(part)
        if target.exists():
            _check(db.path, target, replace=replace)  # somebody may have made it meanwhile
            _take_leave(target)
        part.replace(target)
        _sync_folder(target.parent)
        return target.stat().st_size


def _check(path: Path, target: Path, *, replace: bool) -> None:
    if (target.exists() and not target.is_file()) or not target.parent.is_dir():
        raise UsageError(
            f"`{target}` is no place for a store: it has to be a file in a folder that is there.",
            hint="Name a file, for example `backup.gapless`.",
        )
    if target.exists() and target.samefile(path):
        raise UsageError(f"`{target}` is the store itself.", hint="Name another file.")
    if target.exists() and not replace:
        raise UsageError(
            f"`{target}` exists already.",
            hint="Name another file, or say that it is to be replaced: `--replace`, in Python `replace=True`.",
        )


@contextmanager
def _unfinished(target: Path) -> Iterator[tuple[Path, int]]:
    """An empty hidden file beside the target that is ours alone, and a handle of it; gone afterwards.

    The handle stays open until SQLite is done with the file: closing one lets go of SQLite's own locks.
    """
    part = target.with_name(f".{target.name}.part")
    handle = os.open(part, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(
                f"Another process is copying a store to `{target}`.", hint="Wait for it to end."
            ) from error
        os.ftruncate(handle, 0)  # what a process left that was killed
        try:
            yield part, handle
        finally:
            for suffix in ("", *_JOURNALS):
                _beside(part, suffix).unlink(missing_ok=True)
    finally:
        os.close(handle)


def _fill(db: Database, part: Path, target: Path) -> None:
    """Copy page by page in one go: what others commit meanwhile is not in it, and nothing begins anew."""
    free, needed = shutil.disk_usage(target.parent).free, db.size()
    if free < needed:
        raise StoreFull(
            f"The copy needs about {megabytes(needed)}, and the disk of `{target}` has {megabytes(free)} free.",
            hint="Free some space, or name a file on another disk.",
        )
    with db.reading() as connection, told(target), closing(sqlite3.connect(part)) as copy:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        copy.execute("PRAGMA journal_mode=OFF")  # a copy that is not finished is thrown away
        copy.execute("PRAGMA synchronous=OFF")  # it is synced as a whole
        source.backup(copy)


def _take_leave(target: Path) -> None:
    """See that nobody works on the file that is to be replaced, and that its journal does not outlive it.

    Raises:
        StorageError: somebody does.
        ForeignStore: it belongs to another program.
    """
    try:
        with closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as old:
            mark = old.execute("PRAGMA application_id").fetchone()[0]
            if mark not in (0, APPLICATION_ID):
                raise ForeignStore(
                    f"`{target}` is an SQLite file of another program.",
                    hint="Name another file; this one was not touched.",
                )
            old.execute("PRAGMA journal_mode=DELETE")  # only for the last one that has it open
    except UnicodeDecodeError:
        pass  # what SQLite has to say of it holds bytes of the damage: it could not be read any more
    except sqlite3.Error as error:
        code = error.sqlite_errorcode & 0xFF
        if code in _IN_USE:
            raise StorageError(
                f"`{target}` is in use, so it was not replaced.",
                hint="End what has it open, then run the same command again.",
            ) from error
        if code not in _UNREADABLE:
            raise storage_error(error, target) from error
    for suffix in _JOURNALS:
        _beside(target, suffix).unlink(missing_ok=True)  # of a file that could not be read any more


@contextmanager
def _worded(target: Path) -> Iterator[None]:
    """Turn what the system raises inside into an error of gapless that names the place."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise read_only(target) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full(target) from error
        raise StorageError(
            f"The copy `{target}` could not be made: {error.strerror}.",
            hint="Check the disk, then run the same command again.",
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
