"""A process that dies at a named step: every step, the first so many times that it is passed."""

import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from random import Random

from engine.living import NOW
from gapless.crash import POINTS, Point
from torture.harness import Figure, Harness
from torture.lives import Plant, Task, World, nothing, work, world

SYMBOLS = ("AAPL", "X:BTCUSD", "C:EURUSD")
START = "2026-11-16"
"""A Monday: in New York the midnight before it is as quiet as the one in Greenwich."""
_IN_FLIGHT = 4
"""One page for each worker."""
_STEPS: Mapping[str, Sequence[Point]] = {
    "packed": tuple(point for point in POINTS if not point.startswith("upgrade")),
    "plain": (
        "transaction-begun",
        "entries-written",
        "bars-written",
        "series-counted",
        "commit",
        "committed",
    ),
}
"""By kind of store: what is outside of the stores is the same for both. For upgrades see `torture.upgrades`."""
_FAULT = "kill at every named step"


@dataclass(slots=True)
class _Tried:
    """What came of it: how often a process died where it was told to, and the steps where one did."""

    kills: int = 0
    reached: set[str] = field(default_factory=set)
    lives: int = 0


def measure(
    size: int, seed: int, plant: Plant = nothing, steps: Mapping[str, Sequence[Point]] = _STEPS
) -> Figure:
    """Die at each of the `steps` the first `size` times that it is passed; some are passed less often by any run."""
    rng, tried = Random(seed), _Tried()
    # A run needs as many pages as a step is to be passed.
    symbols = (*SYMBOLS, "SPY", "QQQ", "MSFT", "JPM", "X:ETHUSD")[: max(3, size // 2)]
    with world(symbols, START, plant) as here:
        for kind, points in steps.items():
            wishes = [f"{point}:{time}" for point in points for time in range(1, size + 1)]
            rng.shuffle(wishes)
            _try_all(here, kind, wishes, tried)
        missed = [point for point in {*chain(*steps.values())} if point not in tried.reached]
        here.broken += [f"no run ever passed {point}" for point in missed]
    detail = f"{len(tried.reached)} steps, {tried.lives} stores" if not here.broken else here.broken[0]
    return Figure(_FAULT, tried.kills, "kills", len(here.broken), detail)


def _try_all(here: World, kind: str, wishes: list[str], tried: _Tried) -> None:
    """Die at each of these; on a store of which much is done already, and on a new one if that has not enough to do."""
    stages = _stages(here, kind, tried)
    task, stored = next(stages), 0
    for wish in wishes:
        for _ in range(2):
            asked = here.asked()
            code = here.nursery.wait(here.nursery.start(work, replace(task, crash_at=wish)))
            here.broken += [f"{wish}: a run ended with {code}"] * (code not in (0, -signal.SIGKILL))
            now = here.judge(task, done=code == 0)
            here.broken += [f"{wish}: {problem}" for problem in _wasted(here, asked, now - stored)]
            if task.at == NOW and now > 2 * len(task.symbols):
                here.broken.append(f"{wish}: {now} pages of {2 * len(task.symbols)} were stored")
            stored = now
            if code:
                tried.kills += 1
                tried.reached.add(wish.partition(":")[0])
                break
            task = next(stages)
            stored = here.judge(task, done=False)


def _wasted(here: World, asked: int, stored: int) -> Iterator[str]:
    if (wasted := here.asked() - asked - stored) > _IN_FLIGHT:
        yield f"{wasted} pages were asked for in vain"


def _stages(here: World, kind: str, tried: _Tried) -> Iterator[Task]:
    """Store after store, each with its first day and its second."""
    for number in count():
        tried.lives += 1
        name = f"{kind}{number}"
        for day in (0, 1):
            yield here.task(name, kind, day)
        shutil.rmtree(here.folder / name)


HARNESS = Harness(_FAULT, 3, 20, measure)
