"""Manifest: what an exported folder holds, file by file, and what its bars prove."""

from pathlib import Path
from urllib.parse import quote

import msgspec

from gapless.errors import UsageError
from gapless.transfer.disk import told
from gapless.vocabulary.steps import Outcome

MANIFEST = "_manifest.json"
"""Readers of such folders (Spark, pandas, Arrow) pass over names that begin with `_`."""

JOURNAL = "_manifest.journal"
"""The files that an unfinished export has made so far; gone once the manifest is written."""

VERSION = 1


class Part(msgspec.Struct, frozen=True):
    """One file's worth: the bars of a symbol and timeframe that start in a calendar year (UTC)."""

    symbol: str
    timeframe: str
    year: int

    def path(self, suffix: str) -> str:
        """Where the file is inside the folder, in Hive's layout; different symbols differ in every file system."""
        return f"timeframe={self.timeframe}/symbol={encoded(self.symbol)}/year={self.year}/bars.{suffix}"


class Proof(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of time `[start, end)` in Unix ms that the ledger covers, and the outcome that it has."""

    start: int
    end: int
    outcome: Outcome

    def __post_init__(self) -> None:
        if self.start >= self.end or not self.outcome.covers:
            raise ValueError(f"[{self.start}, {self.end}, {self.outcome}] proves nothing")


class Record(msgspec.Struct, frozen=True):
    """One file. Instants in Unix ms; `first` and `last` are starts of bars.

    `spans` is what was asked for, `proofs` what was covered of it (nothing where the bars are no raw base
    bars). `state` changes with whatever the file was made from.
    """

    symbol: str
    timeframe: str
    year: int
    rows: int
    first: int | None
    last: int | None
    bytes: int
    sha256: str
    state: str
    spans: tuple[tuple[int, int], ...]
    proofs: tuple[Proof, ...]

    @property
    def part(self) -> Part:
        """What the file holds."""
        return Part(self.symbol, self.timeframe, self.year)


class Head(msgspec.Struct, frozen=True):
    """What all files of a folder have in common; `raw`: bars as they are stored, so that they can come back."""

    format: str
    raw: bool
    about: dict[str, str]

    @property
    def title(self) -> str:
        """What the bars are, in words."""
        kind = "raw bars" if self.raw else "a view of the bars"
        return ", ".join([kind, *(f"{name}={value}" for name, value in self.about.items())])


class Manifest(msgspec.Struct, frozen=True):
    """All of it: `gapless_export` is the layout's number, `files` are named by their path in the folder."""

    gapless_export: int
    head: Head
    files: dict[str, Record]

    def text(self) -> bytes:
        """As it is written, the same for the same content."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=1) + b"\n"


def encoded(symbol: str) -> str:
    """A symbol as the name of a folder: all but capitals, digits and `._-` becomes `%XX`, as Hive writes it.

    Small letters too: `PEBpE` and `PEBPE` would be one folder on many disks.
    """
    return "".join(f"%{ord(c):02X}" if c.islower() else quote(c, safe="") for c in symbol)


def load(folder: Path) -> Manifest | None:
    """The manifest of a folder, None where there is none.

    Raises:
        UsageError: it cannot be understood.
    """
    file = folder / MANIFEST
    with told(file):
        if not file.is_file():
            return None
        text = file.read_bytes()
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"`{file}` is not the manifest of an export: {error}.",
            hint="Take the folder from its source again, or export anew.",
        ) from error
    if manifest.gapless_export > VERSION:
        raise UsageError(f"`{file}` was written by a newer gapless.", hint="Upgrade gapless.")
    return manifest
