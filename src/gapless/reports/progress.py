"""How far a run is: counted from what it tells, and written down so that other processes can show it. Pure."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gapless.vocabulary.events import (
    ActionsStarted,
    Event,
    JobEnded,
    JobStarted,
    PageStored,
    Retrying,
    RunStarted,
    Waiting,
)

ACTIONS = "splits and dividends"
"""What a run is at when all its jobs are over."""
_LATELY = 10.0
"""Seconds over which a speed is measured: long enough to be steady, short enough to be of now."""


@dataclass(slots=True)
class Progress:
    """What was heard so far; `clock` gives monotonic seconds. `calls` in any `per` seconds is the rate; 0: none.

    `last` is what was begun last: a job's series, in the end `ACTIONS`.
    """

    clock: Callable[[], float]
    calls: int = 0
    per: float = 0.0
    jobs: int = 0
    jobs_done: int = 0
    requests: int = 0
    requests_done: int = 0
    bars: int = 0
    last: str = ""
    why: str = ""
    errors: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    _began: float = field(init=False)
    _wait_ends: float = 0.0
    _answers: deque[tuple[float, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        match event:
            case RunStarted():
                self.jobs, self.requests = event.jobs, event.requests
            case JobStarted():
                self.last = f"{event.job.instrument} {event.job.base}"
            case PageStored():
                self._answered(event.rows)
                self.bars += event.rows
                self.why = ""
            case JobEnded():
                self.jobs_done += 1
                self.outcomes[event.outcome] += 1
            case ActionsStarted():
                self.last = ACTIONS
            case Waiting():
                self.why, self._wait_ends = event.why, self.clock() + event.seconds
            case Retrying():
                self.errors[event.kind] += 1
                self.why, self._wait_ends = event.message, self.clock() + event.delay
            case _:
                pass

    def as_dict(self, now: int) -> dict[str, Any]:
        """The state at `now` (Unix ms) as plain data; speeds are those of the last ten seconds."""
        at = self.clock()
        window = max(_LATELY, self.per)
        while self._answers and self._answers[0][0] < at - window:
            self._answers.popleft()
        lately = [rows for when, rows in self._answers if when >= at - _LATELY]
        seconds = max(min(_LATELY, at - self._began), 1e-3)
        budget = None
        if self.calls:
            used = sum(when >= at - self.per for when, _ in self._answers)
            budget = {"calls": self.calls, "seconds": self.per, "used": used}
        return {
            "at": now,
            "jobs": self.jobs,
            "jobs_done": self.jobs_done,
            "requests": self.requests,
            "requests_done": self.requests_done,
            "requests_per_second": len(lately) / seconds,
            "budget": budget,
            "bars": self.bars,
            "bars_per_second": sum(lately) / seconds,
            "seconds_left": self._seconds_left(at),
            "waiting": self._waiting(at),
            "errors": dict(self.errors),
            "outcomes": dict(self.outcomes),
            "last": self.last,
        }

    def _answered(self, rows: int) -> None:
        self.requests_done += 1
        self.requests = max(self.requests, self.requests_done)
        self._answers.append((self.clock(), rows))

    def _seconds_left(self, at: float) -> float | None:
        """By the pace of the run up to now, waits included; None before the first answer."""
        if not self.requests_done:
            return None
        return (at - self._began) / self.requests_done * (self.requests - self.requests_done)

    def _waiting(self, at: float) -> dict[str, Any] | None:
        left = self._wait_ends - at
        return {"why": self.why, "seconds": left} if self.why and left > 0 else None
