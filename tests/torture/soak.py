"""The same day again and again for hours: memory and open files stay what they are.

    python -m torture.soak [--minutes 480] [--kind packed]

Each round lets the clock go on by a day and does what a night does: backfill, update, verify, reads and a backup.
Prints the growth of memory per hour, fitted after a warm-up, and the open files at the start and the end.
"""

import argparse
import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from engine.living import KINDS, NOW, OwnedClock, store_url, warehouse
from gapless.app import Warehouse
from gapless.sandbox import SyntheticMarket, serve_in_process
from gapless.vocabulary.timeframe import DAY
from torture.harness import Figure

FAULT = "soak: the same work for hours"
SYMBOLS = ("AAPL", "SPY", "X:BTCUSD")
ROUNDS = 30
"""Days that one store lives: it is then begun anew, so that every round has about as much to do."""
WARM_UP = 0.3
"""The part of the time in which caches fill and memory finds its level."""
MOST_GROWTH = 0.01
"""Of memory, in an hour."""


@dataclass(slots=True)
class Record:
    """What the process held after each round: hours since the start, bytes of memory, open files."""

    hours: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def note(self, began: float) -> None:
        """Look at this process now."""
        gc.collect()
        process = psutil.Process()
        self.hours.append((time.monotonic() - began) / 3600)
        self.rss.append(process.memory_info().rss)
        self.files.append(process.num_fds())

    def leaks(self) -> bool:
        """Whether there are more files at the end than ever were between warm-up and half time."""
        settled = self.files[int(len(self.files) * WARM_UP) : -(-len(self.files) // 2)]
        return self.files[-1] > max(settled, default=self.files[-1])

    def growth(self) -> tuple[float, float]:
        """The part of memory that comes on top in an hour, and how far that figure may be off (two sigma)."""
        first = int(len(self.hours) * WARM_UP)
        hours, rss = np.array(self.hours[first:]), np.array(self.rss[first:], np.float64)
        if len(hours) < 4:
            return 0.0, float("inf")
        (slope, _), spread = np.polyfit(hours, rss, 1, cov=True)
        return float(slope / rss[0]), float(2 * np.sqrt(spread[0, 0]) / rss[0])


def measure(minutes: float, seed: int, kind: str = "packed") -> Figure:
    """Go on for so many minutes; broken is a leak of files, or growth that is surely more than 1 % an hour."""
    began, record, rounds = time.monotonic(), Record(), 0
    with TemporaryDirectory() as room:
        while time.monotonic() - began < minutes * 60:
            with _lived(Path(room), kind, seed, rounds) as life:
                for _ in range(ROUNDS):
                    life.night()
                    record.note(began)
                    rounds += 1
                    if time.monotonic() - began >= minutes * 60:
                        break
    (slope, spread), files = record.growth(), record.files
    detail = (
        f"{rounds} rounds ({kind}): memory {record.rss[0] / 1e6:.0f} -> {record.rss[-1] / 1e6:.0f} MB, "
        f"{slope:+.2%} +- {spread:.2%} an hour after warm-up; open files {files[0]} -> {files[-1]}"
    )
    return Figure(
        FAULT, round(minutes), "minutes", int(record.leaks()) + int(slope - spread > MOST_GROWTH), detail
    )


@dataclass(frozen=True, slots=True)
class _Date:
    """A date that stands in a file, for a vendor in another process."""

    file: Path

    def __call__(self) -> int:
        return int(self.file.read_text())


@dataclass(frozen=True, slots=True)
class _Life:
    """One store, and the date that both sides see."""

    house: Warehouse
    clock: OwnedClock
    date: Path
    backup: Path

    def night(self) -> None:
        """What is done every night, and then it is the next day."""
        self.house.backfill(SYMBOLS, ["5m", "1d"], "10d")
        self.house.update()
        for symbol in SYMBOLS:
            self.house.bars(symbol, "5m", on_gap="mark")
        damages = self.house.verify()
        assert not damages, damages
        self.house.store.backup(self.backup, replace=True)
        self.clock.at += DAY
        _replaced(self.date, str(self.clock.at))


@contextmanager
def _lived(room: Path, kind: str, seed: int, number: int) -> Iterator[_Life]:
    """A new store over a market whose clock is ours."""
    folder = room / str(number)
    folder.mkdir()
    clock, date = OwnedClock(at=NOW - ROUNDS * DAY, speed=1000), _Date(folder / "date")
    date.file.write_text(str(clock.at))
    with (
        # Elsewhere: what the vendor remembers is not our memory.
        serve_in_process(SyntheticMarket(seed), now=date) as served,
        warehouse(served.url, store_url(folder, kind), clock) as house,
    ):
        yield _Life(house, clock, date.file, room / "backup")


def _replaced(file: Path, text: str) -> None:
    """Change a file so that who reads it finds the old text or the new one."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=480)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS, default="packed")
    args = parser.parse_args()
    figure = measure(args.minutes, args.seed, args.kind)
    sys.stdout.write(f"{figure}\n")
    return 1 if figure.broken else 0


if __name__ == "__main__":
    sys.exit(main())
