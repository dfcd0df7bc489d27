"""Failures of the database, told as errors of gapless: what happened, why, and what to do."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, InvalidRequestError

from gapless.errors import ForeignStore, StorageError, StoreDamaged, StoreFull, StoreReadOnly

_PRIMARY = 0xFF
"""SQLite's extended codes carry the kind of failure in their lowest byte."""

_BESIDE = 1 << 20
"""Bytes; the index of the journal, which SQLite makes beside the file even to read it, takes less."""

REPAIR = "`gapless verify --repair` takes the damaged part out, then `gapless repair` asks for it again."

RESTORE = "Put a backup in its place with `gapless restore --replace`, or backfill into a new store."

_EITHER = (
    f"If `gapless verify --repair` and `gapless repair` do not mend it: {RESTORE[0].lower()}{RESTORE[1:]}"
)


@contextmanager
def told(path: Path, needs: int = 0) -> Iterator[None]:
    """Turn what SQLite raises inside into an error of gapless that names the file.

    `needs` is about how many bytes what happens inside takes on disk; 0 where that is next to nothing.
    """
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise
        raise storage_error(error.orig, path, needs) from error
    except UnicodeDecodeError as error:  # SQLite's own words hold bytes of the damage
        raise StoreDamaged(f"`{path}` is damaged: names in it are no text.", hint=_EITHER) from error
    except sqlite3.Error as error:
        raise storage_error(error, path, needs) from error


def storage_error(error: sqlite3.Error, path: Path, needs: int = 0) -> StorageError:
    """The error to raise for a failure of SQLite on this file."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    match code:
        case sqlite3.SQLITE_FULL:
            return full(path, needs)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return read_only(path)
        case sqlite3.SQLITE_NOTADB:
            return ForeignStore(
                f"`{path}` is not a gapless store: it is not an SQLite file.",
                hint="Give another path with `--store`; this file was not touched.",
            )
        case sqlite3.SQLITE_CORRUPT:
            return StoreDamaged(f"`{path}` is damaged: SQLite says {error}.", hint=_EITHER)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageError(
                f"Another program kept `{path}` locked for too long.",
                hint="Close whatever else has the file open for writing, then run the same command again.",
            )
    return _other(error, path)


def _other(error: sqlite3.Error, path: Path) -> StorageError:
    free = shutil.disk_usage(path.parent).free
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHMSIZE and free < _BESIDE:
        return StoreFull(
            f"The disk that holds `{path}` is full: {megabytes(free)} are free, and even to read it takes a little "
            "more beside it. Nothing is lost.",
            hint="Free some space and run the same command again.",
        )
    return StorageError(
        f"SQLite could not work on `{path}`: {error}.", hint="Check the disk and the file, then run it again."
    )


@contextmanager
def sensible(path: Path) -> Iterator[None]:
    """Tell of rows that cannot be what a gapless wrote: their words and numbers make no values."""
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError, InvalidRequestError) as error:
        raise StoreDamaged(
            f"`{path}` is damaged: it holds what was never written ({error}).", hint=_EITHER
        ) from error


def sync_failed(error: BaseException | None) -> bool:
    """Whether the system could not say that what was written is on the disk."""
    return getattr(error, "sqlite_errorcode", 0) in (
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
    )


def unsynced(path: Path) -> StorageError:
    """The error for a file that is not written any more, because a sync of it failed."""
    return StorageError(
        f"The disk did not confirm a write of `{path}`; it was undone, and this process writes nothing more to it.",
        hint="Check the disk, then run the same command again: it goes on where it stopped.",
    )


def full(path: Path, needs: int = 0) -> StoreFull:
    """The error for a disk without room; `needs` is about how many bytes the write takes, 0 where nobody knows."""
    free = shutil.disk_usage(path.parent).free
    amount = f", and this write needs about {megabytes(needs)}" if needs else ""
    return StoreFull(
        f"The disk that holds `{path}` is full: {megabytes(free)} are free{amount}. The write was undone, "
        "nothing before it is lost.",
        hint="Free some space and run the same command again: it goes on where it stopped.",
    )


def megabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:.1f} MB"


def read_only(path: Path) -> StoreReadOnly:
    """The error for a file or folder that cannot be written."""
    return StoreReadOnly(
        f"`{path}` cannot be written: the file or its folder is read-only for you.",
        hint="Change its permissions, or give a path you may write with `--store`.",
    )
