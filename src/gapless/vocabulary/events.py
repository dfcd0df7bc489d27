"""What the engine tells while it works. Listeners render or count; they can never fail a job."""

from collections.abc import Callable
from dataclasses import dataclass

from gapless.vocabulary.steps import Job, Outcome, Receipt


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins with this many jobs and an estimate of their requests."""

    run_id: str
    jobs: int
    requests: int


@dataclass(frozen=True, slots=True)
class JobStarted:
    """The first request of a job is about to wait for its turn."""

    job: Job


@dataclass(frozen=True, slots=True)
class PageStored:
    """One page was read, checked, written and recorded; seconds spent in each step.

    `queued` is the time spent waiting for the writer, `committed` the time of the write itself.
    """

    job: Job
    rows: int
    wire_bytes: int
    waited: float
    fetched: float
    decoded: float
    queued: float
    committed: float
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed and is made again after `delay` seconds.

    `about` says in words what it was for; `kind` is the error's class name.
    """

    about: str
    kind: str
    message: str
    delay: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Every request waits: `why` in words, for `seconds`."""

    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ClockSkewed:
    """The clock of this machine is `seconds` ahead of the vendor's, or behind where they are negative."""

    seconds: float


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A job is over. `outcome` is `bars` where all of its span is covered; else the worst that remains."""

    job: Job
    outcome: Outcome
    reason: str
    requests: int
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ActionsStarted:
    """All jobs are over; the splits and dividends of so many stocks are read next."""

    stocks: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over; `error` is why it stopped early, empty where it did not."""

    run_id: str
    error: str = ""


Event = (
    RunStarted
    | JobStarted
    | PageStored
    | Retrying
    | Waiting
    | ClockSkewed
    | JobEnded
    | ActionsStarted
    | RunEnded
)
Tell = Callable[[Event], None]
