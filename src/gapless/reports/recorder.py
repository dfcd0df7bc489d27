"""Listens to a run and counts; the run report is made from what it heard."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from gapless.reports.shares import Step, Stretch
from gapless.vocabulary.events import Event, JobEnded, PageStored, Retrying, RunEnded
from gapless.vocabulary.steps import Receipt


@dataclass(slots=True)
class Recorder:
    """Everything that the report needs to remember of a run; `clock` gives monotonic seconds."""

    clock: Callable[[], float]
    started: float = field(init=False)
    finished: float | None = None
    pages: int = 0
    wire_bytes: int = 0
    committed: float = 0.0
    receipt: Receipt = field(default_factory=Receipt)
    ended: list[JobEnded] = field(default_factory=list)
    retries: Counter[str] = field(default_factory=Counter)
    stretches: list[Stretch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = self.clock()

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        match event:
            case PageStored():
                self._page(event)
            case JobEnded():
                self.ended.append(event)
            case Retrying():
                self.retries[event.kind] += 1
            case RunEnded():
                self.finished = self.clock()
            case _:
                pass

    def _page(self, page: PageStored) -> None:
        self.pages += 1
        self.wire_bytes += page.wire_bytes
        self.committed += page.committed
        self.receipt += page.receipt
        at = self.clock()
        # The steps follow each other without a break, so their lengths place them, from the last one back.
        for step, seconds in (
            (Step.STORE, page.committed + page.queued),
            (Step.DECODE, page.decoded),
            (Step.NETWORK, page.fetched),
            (Step.RATE, page.waited),
        ):
            self.stretches.append(Stretch(step, at - seconds, at))
            at -= seconds
