"""`kill -9` at random moments of a backfill and of the update after it, over and over on one store."""

import shutil
import signal
import time
from dataclasses import dataclass
from itertools import count
from random import Random

from engine.living import KINDS
from gapless.sandbox import Latency
from torture.harness import Figure, Harness
from torture.lives import Plant, Task, World, nothing, work, world

SYMBOLS = ("AAPL", "X:BTCUSD", "C:EURUSD")
_START, _LONG_AGO = "2026-11-16", "2026-10-12"
"""Mondays: in New York the midnight before them is as quiet as the one in Greenwich. Since the second one there
are enough minutes for a chain of two pages."""
_MANY = 200
"""From so many kills on there is time for the chain."""
_IN_FLIGHT = 4
"""One page for each worker."""
_KILLS_A_DAY = 20
"""Then a run may come to its end."""
_FAULT = "kill -9 at random moments of backfill and update"


@dataclass(slots=True)
class _Clean:
    """What a run takes that nobody disturbs, on each of the two days."""

    pages: tuple[int, int]
    seconds: tuple[float, float]


def measure(size: int, seed: int, plant: Plant = nothing) -> Figure:
    """Kill `size` times, look at the store after each of them, and let every life come to its end."""
    rng, kills = Random(seed), 0
    start = _START if size < _MANY else _LONG_AGO
    with world(SYMBOLS, start, plant, Latency(0.002, 0.01)) as here:
        clean = {kind: _undisturbed(here, kind) for kind in KINDS}
        for number in count():
            kind = KINDS[number % len(KINDS)]
            kills += _live(here, f"life{number}", kind, clean[kind], rng, size - kills)
            shutil.rmtree(here.folder / f"life{number}")
            if kills >= size:
                break
    detail = f"{number + 1} stores, each complete in the end" if not here.broken else here.broken[0]
    return Figure(_FAULT, kills, "kills", len(here.broken), detail)


def _undisturbed(here: World, kind: str) -> _Clean:
    pages, seconds = [0, 0], [0.0, 0.0]
    for day in (0, 1):
        for attempt in "ab":  # the second time the vendor has its pages ready
            before, began = here.asked(), time.perf_counter()
            _to_its_end(here, here.task(f"clean-{kind}-{attempt}", kind, day))
            pages[day], seconds[day] = here.asked() - before, time.perf_counter() - began
    return _Clean((pages[0], pages[1]), (seconds[0], seconds[1]))


def _to_its_end(here: World, task: Task) -> None:
    if code := here.nursery.wait(here.nursery.start(work, task)):
        here.broken.append(f"an undisturbed run of {task.store} ended with {code}")


def _live(here: World, name: str, kind: str, clean: _Clean, rng: Random, most: int) -> int:
    """One store's life; how often its processes were killed, `most` times at the most."""
    kills = 0
    for day in (0, 1):
        task = here.task(name, kind, day)
        stored = here.judge(task, done=False) if day else 0
        for _ in range(min(_KILLS_A_DAY, most - kills)):
            asked, pid = here.asked(), here.nursery.start(work, task)
            time.sleep(rng.uniform(0, clean.seconds[day]))
            code = here.nursery.kill(pid)
            stored = _look(here, task, asked, stored)
            if code != -signal.SIGKILL:
                here.broken += [f"a run ended by itself with {code}"] * (code != 0)
                break
            kills += 1
        asked = here.asked()
        _to_its_end(here, task)
        here.judge(task, done=True)
        missing = clean.pages[day] - stored * (not day)  # an update reads the last sessions again
        if (asked := here.asked() - asked) != missing:
            here.broken.append(f"{asked} pages were asked for, {missing} were missing")
    return kills


def _look(here: World, task: Task, asked: int, stored: int) -> int:
    """Judge the store after a kill; how many pages it has."""
    now = here.judge(task, done=False)
    if (wasted := here.asked() - asked - (now - stored)) > _IN_FLIGHT:
        here.broken.append(f"{wasted} pages were asked for in vain by one killed process")
    return now


HARNESS = Harness(_FAULT, 100, 1_000, measure)
