"""Desk: an export's folder while it is written, by one process at a time; each finished file is noted at once."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from gapless.errors import UsageError
from gapless.transfer.disk import put, sync_folder
from gapless.transfer.manifest import JOURNAL, MANIFEST, VERSION, Head, Manifest, Record, load


class _Line(msgspec.Struct, frozen=True):
    """One line of the journal."""

    head: Head
    path: str
    record: Record


class Desk:
    """The files of a folder that were finished: those of its manifest, and those noted after it.

    Raises:
        UsageError: the folder holds something else, or another process writes to it.
    """

    def __init__(self, out: Path, head: Head) -> None:
        self.out = out
        self.head = head
        self.records: dict[str, Record] = {}

    def __enter__(self) -> Self:
        _check_folder(self.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self._journal = (self.out / JOURNAL).open("a+b")
        try:
            self._lock()
            self._take_up()
        except BaseException:
            self._journal.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()

    def note(self, path: str, record: Record) -> None:
        """Remember that a file is finished, even if the process dies now."""
        self.records[path] = record
        self._journal.write(msgspec.json.encode(_Line(self.head, path, record)) + b"\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())

    def finish(self) -> None:
        """Write the manifest: from now on the folder is whole."""
        text = Manifest(VERSION, self.head, self.records).text()
        put(self.out / MANIFEST, lambda file: file.write(text))
        (self.out / JOURNAL).unlink()
        sync_folder(self.out)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Another export is writing to `{self.out}`.", hint="Wait for it, or name another folder."
            ) from error

    def _take_up(self) -> None:
        """Read what is finished. A line that its writer could not finish is cut off."""
        if manifest := load(self.out):
            self._check_head(manifest.head)
            self.records.update(manifest.files)
        self._journal.seek(0)
        for text in self._journal.readlines():
            try:
                line = msgspec.json.decode(text, type=_Line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._journal.truncate(self._journal.tell() - len(text))
                return
            self._check_head(line.head)
            self.records[line.path] = line.record

    def _check_head(self, other: Head) -> None:
        if other != self.head:
            raise UsageError(
                f"`{self.out}` holds another export ({other.format}, {other.title}).",
                hint="Name another folder for this one.",
            )


def _check_folder(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"`{out}` is there already, and is no folder.", hint="Name a folder to export to.")
    ours = (out / MANIFEST, out / JOURNAL)
    if any(out.iterdir()) and not any(file.exists() for file in ours):
        raise UsageError(
            f"`{out}` has files that are not of an export; nothing is put among them.",
            hint="Name a folder that is new or empty.",
        )
