"""Named steps of a run at which a process can be told to die, so that every one of them can be tried.

`GAPLESS_CRASH_AT=point:n` ends the process without a word, as `kill -9` does, when it passes `point` for the n-th
time. Without the variable a step costs a look at one name.
"""

import os
import signal
from itertools import count
from typing import Literal, get_args

Point = Literal[
    "run-begun",
    "run-ended",
    "lease-claimed",
    "lease-renewed",
    "lease-released",
    "turn-taken",
    "fetch",
    "fetched",
    "decoded",
    "judged",
    "write",
    "transaction-begun",
    "entries-written",
    "bars-written",
    "series-counted",
    "merged",
    "commit",
    "committed",
    "written",
    "told",
    "actions-written",
    "upgrade-copied",
    "upgrade-moved",
    "upgrade-marked",
]

POINTS: tuple[Point, ...] = get_args(Point)
"""Every step that can be named, about in the order of passing."""


class _Trap:
    """The one step that is set, and how often it was passed."""

    def __init__(self, text: str) -> None:
        self.point, _, times = text.partition(":")
        self._fatal = int(times or 1)
        self._passed = count(1)

    def step(self) -> None:
        if next(self._passed) == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


_trap: _Trap | None = None


def arm(text: str) -> None:
    """Set the step to die at: `point:n`, or `point` for its first time; `""` for none."""
    global _trap  # noqa: PLW0603 - a process dies once: there is one trap for all of it
    _trap = _Trap(text) if text else None


def crash_point(point: Point) -> None:
    """Pass a step; the end of this process, if it was told so."""
    if _trap is not None and _trap.point == point:
        _trap.step()


arm(os.environ.get("GAPLESS_CRASH_AT", ""))
