"""What a run was waiting for, second by second. Pure."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple


class Step(IntEnum):
    """The steps of a page in the order of blame: while anything waits for the rate, the rate is the limit."""

    RATE = 0
    NETWORK = 1
    DECODE = 2
    STORE = 3


class Stretch(NamedTuple):
    """One page in one step, in monotonic seconds."""

    step: Step
    start: float
    end: float


def shares(stretches: Iterable[Stretch], start: float, end: float) -> dict[str, float]:
    """The share of `start` to `end` that each step limited: the first in order that was busy at that moment.

    So `store` is the time in which nothing but the store kept the run from going on. What is left of 1 was
    spent on none of them (`idle`).
    """
    changes: list[tuple[float, int, Step]] = []
    for step, begun, ended in stretches:
        if ended > begun:
            changes += [(begun, 1, step), (ended, -1, step)]
    changes.sort()
    busy = dict.fromkeys(Step, 0)
    spent = dict.fromkeys(Step, 0.0)
    at = start
    for instant, change, step in changes:
        blamed = next((s for s in Step if busy[s]), None)
        if blamed is not None:
            spent[blamed] += max(0.0, min(instant, end) - max(at, start))
        busy[step] += change
        at = instant
    duration = max(end - start, 1e-9)
    result = {step.name.lower(): seconds / duration for step, seconds in spent.items()}
    return result | {"idle": max(0.0, 1 - sum(result.values()))}
