"""Stores of released versions are brought up to date by processes that are killed, at each step and anywhere."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, cycle, islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from gapless import crash
from gapless.app.opening import opened
from gapless.errors import GaplessError
from stores.making import KINDS, file_of
from stores.released.make import told
from stores.releases import RELEASES, said, unpacked
from torture.harness import Figure, Harness
from torture.lives import Plant, nothing
from torture.nursery import Nursery

STEPS: tuple[crash.Point, ...] = (
    "transaction-begun",
    "upgrade-copied",
    "upgrade-moved",
    "upgrade-marked",
    "commit",
    "committed",
)
ANYWHERE = ""
_KILLS_A_LIFE = 3
"""Then a store is opened for good."""
_FAULT = "kill while a store of a released version is brought up to date"


def bring_up_to_date(url: str, crash_at: str, plant: Plant) -> None:
    """What a child does: open the store, and die at a step if it is told so."""
    plant()
    crash.arm(crash_at)
    opened(url).close()


@dataclass(slots=True)
class _Old:
    """A store that a released version made, in a folder of its own."""

    version: str
    kind: str
    url: str
    content: str

    @classmethod
    def unpacked(cls, version: str, kind: str, folder: Path) -> "_Old":
        folder.mkdir()
        url = unpacked(version, kind, folder)
        return cls(version, kind, url, content(file_of(url)))

    @property
    def copy(self) -> Path:
        """Where the file as it was is kept."""
        return file_of(self.url).with_name(f"{file_of(self.url).name}.schema1")

    def broken(self, step: str) -> Iterator[str]:
        """What is wrong after a process was killed at this step."""
        file = file_of(self.url)
        changed = content(file) != self.content
        if changed and schema_of(file) == 1:
            yield "half of it is done"
        must_be = changed or step in STEPS[STEPS.index("upgrade-copied") :]
        if (must_be or self.copy.exists()) and not (
            self.copy.exists() and content(self.copy) == self.content
        ):
            yield "the file as it was is not kept"

    def finished(self) -> Iterator[str]:
        """What is wrong when it is opened and nobody kills that."""
        try:
            store = opened(self.url)
        except GaplessError as error:
            yield f"it cannot be opened: {error.message}"
            return
        with closing(store):
            if told(store) != said(self.version, self.kind):
                yield "it holds something else than before"
            yield from (f"verify: {damage.what}" for damage in store.verify())
        yield from self.broken("committed")


def measure(size: int, seed: int, plant: Plant = nothing) -> Figure:
    """Kill `size` times: at each step in turn, and at random moments."""
    rng, broken, kills = Random(seed), list[str](), 0
    steps = islice(cycle((*STEPS, ANYWHERE, ANYWHERE)), size)
    olds = [(version, kind) for version in RELEASES for kind in KINDS if schema_changed(version, kind)]
    with TemporaryDirectory() as folder, Nursery() as nursery:
        for life in count():
            old = _Old.unpacked(*olds[life % len(olds)], Path(folder, str(life)))
            for step in islice(steps, _KILLS_A_LIFE):
                killed = _killed(nursery, old.url, step, plant, rng)
                kills += killed
                # One that is up to date already passes fewer steps.
                wrong = old.broken(step if killed else ANYWHERE)
                broken += [f"{old.kind} of {old.version} at {step or 'a moment'}: {what}" for what in wrong]
            broken += [f"{old.kind} of {old.version}: {what}" for what in old.finished()]
            if (life + 1) * _KILLS_A_LIFE >= size:
                break
    detail = f"{life + 1} stores of {', '.join(RELEASES)}, each with all its bars in the end"
    return Figure(_FAULT, kills, "kills", len(broken), broken[0] if broken else detail)


def _killed(nursery: Nursery, url: str, step: str, plant: Plant, rng: Random) -> bool:
    pid = nursery.start(bring_up_to_date, url, step, plant)
    if step == ANYWHERE:
        time.sleep(rng.uniform(0, 0.3))
        return nursery.kill(pid) == -signal.SIGKILL
    return nursery.wait(pid) == -signal.SIGKILL


def schema_changed(version: str, kind: str) -> bool:
    """Whether a store of this version has an earlier layout."""
    with TemporaryDirectory() as folder:
        url = unpacked(version, kind, Path(folder))
        before = schema_of(file_of(url))
        opened(url).close()
        return schema_of(file_of(url)) > before


def schema_of(file: Path) -> int:
    """The number of a store's layout."""
    with closing(sqlite3.connect(file)) as db:
        return int(db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()[0])


def content(file: Path) -> str:
    """A digest of everything that an SQLite file holds."""
    with closing(sqlite3.connect(file)) as db:
        return sha256("\n".join(db.iterdump()).encode()).hexdigest()


HARNESS = Harness(_FAULT, 32, 1_000, measure)
