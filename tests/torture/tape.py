"""What a process did to the files of one folder, as `strace` saw it, call by call."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_CALLS = (
    "?open,openat,?creat,close,pwrite64,write,?pwritev,?writev,ftruncate,fallocate,fsync,fdatasync,"
    "?unlink,unlinkat,?rename,renameat,?renameat2,?sync_file_range,dup,?dup2,dup3"
)
_LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_LONGEST = 1 << 20
"""Bytes of one write that are recorded: more than any page."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes of a file, not yet on the disk."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A new size of a file, not yet on the disk."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """All of a file is on the disk; of the folder, where `file` is None: which names stand for which files."""

    file: int | None


@dataclass(frozen=True, slots=True)
class Name:
    """From now on a name stands for a file, or for none."""

    name: str
    file: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """A line on standard output."""

    text: str


Event = Write | Truncate | Sync | Name | Said


def why_not() -> str:
    """Why nothing can be recorded here; empty where it can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False, timeout=30)
    return "" if tried.returncode == 0 else "this system does not let processes be traced"


def record(folder: Path, tape: Path, module: str, *args: str) -> list[Event]:
    """Run `python -m module *args` and return what it did to the files in `folder`."""
    command = ["strace", "-f", "-xx", "-s", str(_LONGEST), "-e", f"trace={_CALLS}", "-e", "signal=none"]
    paths = os.pathsep.join(path for path in sys.path if path)
    subprocess.run(
        [*command, "-o", str(tape), sys.executable, "-m", module, *args],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=120,
    )
    return list(_Reader(folder).read(tape.read_text().splitlines()))


@dataclass(slots=True)
class _Reader:
    """Follows descriptors: which of them stand for which file of the folder."""

    folder: Path
    _names: dict[str, int] = field(default_factory=dict)
    _open: dict[int, int | None] = field(default_factory=dict)
    _files: int = 0

    def read(self, lines: Sequence[str]) -> Iterator[Event]:
        for line in lines:
            if "unfinished" in line or "resumed" in line:
                raise ValueError(f"two threads wrote at once, and their order is not known: {line[:80]}")
            if (found := _LINE.match(line)) and int(found[3]) >= 0:
                yield from self._call(found[1], found[2], int(found[3]))

    def _call(self, call: str, args: str, result: int) -> Iterator[Event]:
        match call:
            case "open" | "openat" | "creat":
                yield from self._opened(_path(args), result)
            case "unlink" | "unlinkat":
                if name := self._inside(_path(args)):
                    del self._names[name]
                    yield Name(name, None)
            case "close":
                self._open.pop(int(args), None)
            case "rename" | "renameat" | "renameat2":
                if self._inside(_path(args)):
                    raise ValueError("a rename is not something that SQLite does")
            case _:
                yield from self._touched(call, args, result)

    def _opened(self, path: Path, result: int) -> Iterator[Event]:
        if path == self.folder:
            self._open[result] = None
        elif name := self._inside(path):
            if name not in self._names:
                self._files += 1
                self._names[name] = self._files
                yield Name(name, self._files)
            self._open[result] = self._names[name]

    def _touched(self, call: str, args: str, result: int) -> Iterator[Event]:
        first, _, rest = args.partition(", ")
        descriptor = int(first)
        if call == "write" and descriptor == 1:
            yield from (Said(text) for text in _data(rest).decode().splitlines())
        if descriptor not in self._open:
            return
        file = self._open[descriptor]
        match call:
            case "fsync" | "fdatasync":
                yield Sync(file)
            case "ftruncate" if file is not None:
                yield Truncate(file, int(rest))
            case "pwrite64" if file is not None:
                yield Write(file, int(rest.rpartition(", ")[2]), _data(rest)[:result])
            case _:
                raise ValueError(f"{call} is not something that SQLite does")

    def _inside(self, path: Path) -> str:
        """The name of a file in the folder that is to last: shared memory is nothing after a power cut."""
        return path.name if path.parent == self.folder and not path.name.endswith("-shm") else ""


def _path(args: str) -> Path:
    return Path(os.fsdecode(_data(args)))


def _data(args: str) -> bytes:
    found = _STRING.search(args)
    if not found or found[2]:
        raise ValueError(f"not all of it was recorded: {args[:80]}")
    return bytes.fromhex(found[1].replace("\\x", ""))
