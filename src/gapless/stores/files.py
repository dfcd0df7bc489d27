"""The file of a store: whether it may be used, how SQLite is to open it, and whether it is what it was."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from gapless.errors import NoStore, UsageError
from gapless.stores.failures import read_only as cannot_write

_A_FILE = "A store is one file, for example `market.gapless`."


def check_path(path: Path, *, create: bool, writes: bool) -> None:
    """See whether a store can be at `path`, or be made there.

    Raises:
        UsageError: it cannot, or there is none and `create` is not set.
        StoreReadOnly: it cannot be written, and that is what it is for.
    """
    if path.is_dir():
        raise UsageError(f"`{path}` is a folder.", hint=_A_FILE)
    if path.exists() and not path.is_file():  # SQLite would make its journal beside a device
        raise UsageError(f"`{path}` is not a regular file.", hint=_A_FILE)
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder `{path.parent}`.", hint="Make it first, or give another path.")
    if not path.exists() and not create:
        raise no_store(path)
    if writes and not (_may_write(path.parent) and (not path.exists() or _may_write(path))):
        raise cannot_write(path)


def no_store(path: Path) -> NoStore:
    """The error where no store is."""
    return NoStore(
        f"There is no store at `{path}`.",
        hint="Run `gapless backfill` to make one, or point `--store` at yours.",
    )


def watched(path: Path) -> bool:
    """Whether SQLite sees what others write: for that a reader has to be able to make the journal's files."""
    return _may_write(path) and _may_write(path.parent)


def uri_of(path: Path, *, read_only: bool) -> str:
    """How SQLite is to open the file."""
    if not read_only:
        return f"file:{quote(str(path))}?mode=rwc"
    if watched(path):
        return f"file:{quote(str(path))}?mode=rw"
    # Without a journal nobody has the file open for writing: it is read as one that never changes, and looked at.
    return f"file:{quote(str(path))}?mode=ro" + ("" if _journal(path).exists() else "&immutable=1")


def identity(path: Path) -> tuple[int, int]:
    """Which file this is, whatever it is called; zeros where there is none."""
    return Look.at(path).content[:2]


@dataclass(frozen=True, slots=True)
class Look:
    """A file at one moment: device, number, bytes and time of the last write (ns); whether it has a journal."""

    content: tuple[int, int, int, int]
    journal: bool

    @classmethod
    def at(cls, path: Path) -> Self:
        """Look at it; zeros where there is none."""
        try:
            found = path.stat()
        except OSError:
            return cls((0, 0, 0, 0), journal=False)
        content = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
        return cls(content, _journal(path).exists())


def _journal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
