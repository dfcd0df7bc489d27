"""Disk: files that are there whole or not at all, and what goes wrong with them in words."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gapless.errors import StorageError, StoreFull, StoreReadOnly


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what the system raises inside into an error of gapless that names the place."""
    try:
        yield
    except OSError as error:
        raise _named(error, path) from error


def put(path: Path, write: Callable[[BinaryIO], object]) -> tuple[str, int]:
    """Make or replace a file at once, synced; returns its SHA-256 and its bytes.

    A process that dies leaves at most a hidden file beside it, which the next attempt overwrites.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("w+b") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    unfinished.replace(path)
    sync_folder(path.parent)
    return digest, size


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, `""` where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(error: OSError, path: Path) -> StorageError:
    place = error.filename if isinstance(error.filename, str) else path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(
            f"The disk that holds `{place}` is full; what was finished before is kept.",
            hint="Free some space and run the same command again: it goes on where it stopped.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreReadOnly(
            f"`{place}` cannot be used: {error.strerror}.",
            hint="Change its permissions, or name another path.",
        )
    return StorageError(
        f"`{place}` cannot be used: {error.strerror or error}.",
        hint="Check the path and the disk, then run the same command again.",
    )
