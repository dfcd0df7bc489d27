"""Stored bytes change behind the store's back: found by `verify`, never served, healed.

Bits flip, the file ends early, pages are zeroed, exchanged or go back in time, whole segments and rows change
places. Bytes that mean nothing may change unnoticed; those are counted apart, and what is read is the truth.
"""

import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice, pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

from engine.living import KINDS, NOW, OwnedClock, living, store_url, truth, utc, warehouse
from gapless.app import Warehouse
from gapless.errors import BarsMissing, StorageError, UsageError
from gapless.ledger import fold
from gapless.sandbox import Pinned, Sandbox, SyntheticMarket
from gapless.stores import packed, restore_store
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base
from stores.making import file_of
from torture.harness import Figure, Harness

FAULT = "damage: flipped bits, lost ends, zeroed, old and exchanged pages, segments and rows"
SYMBOLS = ("AAPL", "X:BTCUSD")
DAYS = ("2026-09-01T04:00Z", "2026-09-02T04:00Z", "2026-09-03T04:00Z", "2026-09-04T04:00Z")
SPAN = Span(utc("2026-09-01T04:00"), utc("2026-09-04T04:00"))

Strike = Callable[[Path, Path, Random], None]
"""Damages a file, given an older copy of it."""


def flip(file: Path, _older: Path, chance: Random) -> None:
    """Turn one bit."""
    data = bytearray(file.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    file.write_bytes(data)


def truncate(file: Path, _older: Path, chance: Random) -> None:
    """Lose the end."""
    with file.open("r+b") as open_file:
        open_file.truncate(chance.randrange(1, file.stat().st_size))


def zero(file: Path, _older: Path, chance: Random) -> None:
    """Zero a page."""
    size = _page_size(file)
    _put(file, chance.randrange(file.stat().st_size // size), bytes(size))


def go_back(file: Path, older: Path, chance: Random) -> None:
    """Put an older copy of a page in its place."""
    size, pages = _page_size(file), _pages(older)
    now = _pages(file)
    changed = [at for at in range(min(len(pages), len(now))) if pages[at] != now[at]]
    at = chance.choice(changed)
    assert len(pages[at]) == size
    _put(file, at, pages[at])


def exchange_pages(file: Path, _older: Path, chance: Random) -> None:
    """Exchange two pages."""
    pages = _pages(file)
    one, other = chance.sample([at for at in range(len(pages)) if any(pages[at])], 2)
    _put(file, one, pages[other])
    _put(file, other, pages[one])


def exchange_contents(file: Path, _older: Path, chance: Random) -> None:
    """Exchange what two segments or two rows hold, of one series or of two, with their checksums."""
    with closing(sqlite3.connect(file)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if "segment" in tables:
            _exchange(db, "segment", ("id",), ("payload", "checksum"), chance)
        else:
            columns = ("open", "high", "low", "close", "volume", "vwap", "trades", "written")
            _exchange(db, "bar", ("series_id", "provisional", "ts"), columns, chance)
        db.commit()


def hide(file: Path, older: Path, chance: Random) -> None:
    """Make a packed store's index an empty one: nothing in it says that anything is missing."""
    with closing(sqlite3.connect(file)) as db:
        found = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'segment_span'").fetchone()
    if found is None:
        return go_back(file, older, chance)
    size = _page_size(file)
    empty = bytes((10, 0, 0, 0, 0)) + size.to_bytes(2, "big") + bytes(size - 7)
    return _put(file, found[0] - 1, empty)


STRIKES: tuple[Strike, ...] = (flip, flip, truncate, zero, go_back, exchange_pages, exchange_contents, hide)
"""Single bits come twice: there are many kinds of places for them."""


@dataclass(slots=True)
class _Pristine:
    """A sound store, a backup of it, and how the file was when two thirds of it were written."""

    kind: str
    folder: Path
    sandbox: Sandbox

    def make(self) -> None:
        """Fill the store day by day, so that it has segments of a day and such as were merged."""
        for start, end in pairwise(DAYS):
            with self.opened(self.folder) as house, patch.object(packed, "_FEW", 2 if end == DAYS[2] else 9):
                house.backfill(SYMBOLS, ["1m", "1d"], start, end)
            if end == DAYS[2]:
                shutil.copy(self.file(self.folder), self.folder / "older")
        with self.opened(self.folder) as house:
            house.store.backup(self.folder / "backup")

    def file(self, folder: Path) -> Path:
        """The store's file in a folder."""
        return file_of(store_url(folder, self.kind))

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Warehouse]:
        """The store in a folder."""
        with warehouse(self.sandbox.url, store_url(folder, self.kind), OwnedClock()) as house:
            yield house


@dataclass(slots=True)
class _Judge:
    """Looks at a damaged copy of a store as its users would."""

    pristine: _Pristine
    folder: Path

    def look(self) -> tuple[bool, list[str]]:
        """Whether opening or verifying says that something is wrong, and every promise that is broken meanwhile."""
        try:
            with self.pristine.opened(self.folder) as house:
                found = _damaged(house)
                return found, self._served(house) + ([] if found else self._claimed(house))
        except (StorageError, UsageError):
            return True, []

    def _served(self, house: Warehouse) -> list[str]:
        """The series that are handed out as whole, and are not the truth."""
        wrong = []
        for symbol in SYMBOLS:
            for base in Base:
                expected = truth(self.pristine.sandbox, symbol, base, SPAN)
                try:
                    held = house.bars(symbol, base.value, SPAN.start, SPAN.end).parts[0].batch
                except (BarsMissing, StorageError, UsageError):
                    continue
                if held != expected:
                    wrong.append(f"{symbol} {base}: {len(held)} bars served, {len(expected)} are true")
        return wrong

    def _claimed(self, now: Warehouse) -> list[str]:
        """The series of which more is said to be covered than ever was."""
        wrong = []
        with self.pristine.opened(self.pristine.folder) as then:
            for symbol in SYMBOLS:
                for base in Base:
                    one = Instrument.parse(symbol), base
                    covered, was = (fold(house.store.entries(*one)).covered for house in (now, then))
                    if covered - was:
                        wrong.append(f"{symbol} {base}: more is called covered than is")
        return wrong

    def healed(self) -> list[str]:
        """What is not as it was after asking again, or where the file is beyond that, after restoring the backup."""
        problems = self._asked_again()
        if problems is None:
            url = store_url(self.folder, self.pristine.kind)
            restore_store(self.pristine.folder / "backup", url, replace=True)
            problems = self._asked_again()
        return ["not even the backup heals it"] if problems is None else problems

    def _asked_again(self) -> list[str] | None:
        try:
            with self.pristine.opened(self.folder) as house:
                house.verify(repair=True)
                report = house.backfill(SYMBOLS, ["1m", "1d"], DAYS[0], DAYS[-1])
                if report.error or house.verify():
                    return None
                late = [] if report.exit_code == 0 else [f"it ended with {report.exit_code}"]
                return self._served(house) + late
        except (StorageError, UsageError):
            return None


def _damaged(house: Warehouse) -> bool:
    try:
        return bool(house.verify())
    except StorageError:
        return True


def measure(size: int, seed: int, *, strikes: Sequence[Strike] = STRIKES) -> Figure:
    """Damage a sound store `size` times, half of them packed and half plain."""
    chance, broken, seen = Random(seed), 0, Counter[str]()
    with TemporaryDirectory() as room, living(SyntheticMarket(seed), now=Pinned(NOW)) as sandbox:
        stores = []
        for kind in KINDS:
            folder = Path(room, kind)
            folder.mkdir()
            stores.append(_Pristine(kind, folder, sandbox))
            stores[-1].make()
        for number, strike in enumerate(islice(cycle(strikes), size)):
            pristine = stores[number // len(strikes) % len(stores)]
            outcome, problems = _struck(pristine, strike, Path(room, "struck"), chance)
            seen[outcome] += 1
            if problems:
                broken += 1
                sys.stderr.write(f"{pristine.kind} {strike.__name__} ({number}): {problems}\n")
    return Figure(
        FAULT, size, "damages", broken, ", ".join(f"{what}: {n}" for what, n in sorted(seen.items()))
    )


def _struck(pristine: _Pristine, strike: Strike, folder: Path, chance: Random) -> tuple[str, list[str]]:
    folder.mkdir()
    try:
        file = shutil.copy(pristine.file(pristine.folder), folder)
        strike(Path(file), pristine.folder / "older", chance)
        judge = _Judge(pristine, folder)
        found, problems = judge.look()
        return ("found", problems + judge.healed()) if found else ("meant nothing", problems)
    finally:
        shutil.rmtree(folder)


def _exchange(
    db: sqlite3.Connection, table: str, key: Sequence[str], columns: Sequence[str], chance: Random
) -> None:
    rows = db.execute(f"SELECT {', '.join((*key, *columns))} FROM {table}").fetchall()
    one, other = chance.sample(rows, 2)
    change = f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in columns)}"
    where = " AND ".join(f"{name} = ?" for name in key)
    for place, content in ((one, other), (other, one)):
        db.execute(f"{change} WHERE {where}", (*content[len(key) :], *place[: len(key)]))


def _page_size(file: Path) -> int:
    return int.from_bytes(file.read_bytes()[16:18], "big")


def _pages(file: Path) -> list[bytes]:
    data, size = file.read_bytes(), _page_size(file)
    return [data[at : at + size] for at in range(0, len(data), size)]


def _put(file: Path, at: int, page: bytes) -> None:
    with file.open("r+b") as open_file:
        open_file.seek(at * len(page))
        open_file.write(page)


HARNESS = Harness(FAULT, 200, 1_000, measure)
