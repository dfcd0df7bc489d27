"""A disk that loses power: of what was not synced, any sector may be there, be missing, be torn, or be an older one."""

from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from torture.tape import Event, Name, Said, Sync, Truncate, Write

SECTOR = 512
_KEPT = (0.0, 0.1, 0.5, 0.9, 1.0)
"""How much of what was not synced a power cut leaves; one of these for each."""


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write | Truncate] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.durable, change)
        self.pending.clear()

    def left(self, rng: Random) -> bytes:
        """What a cut leaves of it. A write changes no byte outside of it, as SQLite takes for granted."""
        content, share = bytearray(self.durable), rng.choice(_KEPT)
        parts = [part for change in self.pending for part in _sectors(change)]
        kept = [part for part in parts if rng.random() < share]
        if rng.random() < 0.5:
            rng.shuffle(kept)
        for part in kept:
            _apply(content, part)
        if parts and rng.random() < 0.5:
            _apply(content, _torn(rng.choice(parts), rng))
        return bytes(content)


class Disk:
    """One folder on it."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._durable: dict[str, int | None] = {}
        self._pending: list[Name] = []

    def apply(self, event: Event) -> None:
        """What one call does."""
        match event:
            case Name(_, file):
                if file:  # files are numbered from 1
                    self._files[file] = _File()
                self._pending.append(event)
            case Sync(None):
                self._durable |= {change.name: change.file for change in self._pending}
                self._pending.clear()
            case Sync(int(file)):
                self._files[file].sync()
            case Write(file) | Truncate(file):
                self._files[file].pending.append(event)
            case Said():
                pass

    def settled(self) -> dict[str, bytes]:
        """The files once everything is synced."""
        for file in self._files.values():
            file.sync()
        self.apply(Sync(None))
        return {name: bytes(self._files[file].durable) for name, file in self._durable.items() if file}

    def after_power_cut(self, rng: Random) -> dict[str, bytes]:
        """The files that are found afterwards."""
        names = {name: [file] for name, file in self._durable.items()}
        for change in self._pending:
            names.setdefault(change.name, [None]).append(change.file)
        left = {name: rng.choice(files) for name, files in names.items()}
        return {name: self._files[file].left(rng) for name, file in left.items() if file is not None}


def _sectors(change: Write | Truncate) -> list[Write | Truncate]:
    if isinstance(change, Truncate):
        return [change]
    start, end = change.offset, change.offset + len(change.data)
    edges = [start, *range(start // SECTOR * SECTOR + SECTOR, end, SECTOR), end]
    return [Write(change.file, a, change.data[a - start : b - start]) for a, b in pairwise(edges)]


def _torn(part: Write | Truncate, rng: Random) -> Write | Truncate:
    """The beginning of a sector; what follows is as it was, or nonsense."""
    if isinstance(part, Truncate):
        return part
    at = rng.randrange(len(part.data) + 1)
    rest = rng.randbytes(len(part.data) - at) if rng.random() < 0.5 else b""
    return Write(part.file, part.offset, part.data[:at] + rest)


def _apply(content: bytearray, change: Write | Truncate) -> None:
    match change:
        case Truncate(_, size):
            del content[size:]
            content.extend(bytes(size - len(content)))
        case Write(_, offset, data):
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(data)] = data
