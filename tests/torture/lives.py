"""The life of a store: a backfill and the next day's update, each in processes that may end before they are done."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.living import NOW, OwnedClock, asked, living, store_url, utc, warehouse
from gapless import crash
from gapless.app import Warehouse
from gapless.sandbox import Latency, Sandbox, SyntheticMarket
from gapless.stores import packed
from gapless.vocabulary.events import Event, PageStored
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY
from torture.nursery import Nursery
from torture.oracle import Oracle

Plant = Callable[[], None]
"""Breaks the code of a process before it works, to see whether that is noticed."""

_QUICK = 1000.0
"""How fast seconds go by for a run: leases are renewed every 30 ms."""


def nothing() -> None:
    """Break nothing."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is to do: `backfill`, or `update` where the first day is there; `crash_at` as in gapless.crash."""

    url: str
    store: str
    at: int
    symbols: tuple[str, ...]
    start: str
    log: Path
    plant: Plant
    crash_at: str = ""


@contextmanager
def _house(task: Task) -> Iterator[Warehouse]:
    clock = OwnedClock(at=task.at, speed=_QUICK)
    with warehouse(task.url, task.store, clock, rate="1000/s", workers="4") as house:
        yield house


def work(task: Task) -> None:
    """Do it, and write the job of each page that was told to be stored into the log."""
    log = os.open(task.log, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def tell(event: Event) -> None:
        if isinstance(event, PageStored):
            os.write(log, f"{event.job.id}\n".encode())

    task.plant()
    packed._FEW = 2  # the second day's bars are merged with the first's
    crash.arm(task.crash_at)
    with _house(task) as house:
        report = (
            house.backfill(task.symbols, ["5m", "1d"], task.start, tell=tell)
            if task.at == NOW
            else house.update(tell=tell)
        )
    assert report.exit_code == 0, report.as_dict()


@dataclass(slots=True)
class World:
    """A vendor, a nursery for processes, an oracle and a folder: all that lives need.

    `plant` breaks the code of every process. `broken` collects what was found, in words.
    """

    sandbox: Sandbox
    clock: OwnedClock
    nursery: Nursery
    oracle: Oracle
    folder: Path
    start: str
    plant: Plant
    broken: list[str] = field(default_factory=list)

    def task(self, name: str, kind: str, days: int, crash_at: str = "") -> Task:
        """The work on the store of this name `days` after its first day, whose date it is for the vendor now."""
        self.clock.at = NOW + days * DAY
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        store = store_url(folder, kind)
        symbols = tuple(self.oracle.symbols)
        log = folder / f"day{days}.log"
        return Task(self.sandbox.url, store, self.clock.at, symbols, self.start, log, self.plant, crash_at)

    def judge(self, task: Task, *, done: bool) -> int:
        """Note what is wrong with the store now; returns how many pages it has."""
        told = task.log.read_text().splitlines() if task.log.exists() else []
        if not Path(task.store.removeprefix("sqlite:///")).exists():
            self.broken += [f"{task.store} is not there, but pages were told"] * bool(told)
            return 0
        with warehouse(task.url, task.store, OwnedClock(at=task.at)) as house:
            self.broken += self.oracle.broken(house, told)
            if done:
                settled = Span(self.oracle.span.start, task.at // DAY * DAY)
                self.broken += self.oracle.incomplete(house, settled)
            return self.oracle.pages(house)

    def asked(self) -> int:
        """How many pages of bars the vendor was asked for so far."""
        return asked(self.sandbox)


@contextmanager
def world(
    symbols: tuple[str, ...], start: str, plant: Plant, latency: Latency | None = None
) -> Iterator[World]:
    """A world that is gone at the end of the block, with all of its processes."""
    clock = OwnedClock()
    with (
        living(SyntheticMarket(seed=5), now=clock, latency=latency) as sandbox,
        Nursery() as nursery,
        TemporaryDirectory() as folder,
    ):
        clock.at = NOW + DAY
        # To midnight in Greenwich of the second day: what changes later is provisional.
        oracle = Oracle(sandbox, symbols, Span(utc(start), (NOW + DAY) // DAY * DAY))
        clock.at = NOW
        yield World(sandbox, clock, nursery, oracle, Path(folder), start, plant)
