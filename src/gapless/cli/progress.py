"""What is shown of a run while it goes on: a live bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from gapless.cli.render import console, seconds

if TYPE_CHECKING:
    from gapless.vocabulary.events import Event, Tell

_EVERY = 10.0
"""Seconds between two lines where nobody watches."""


def progress(*, quiet: bool) -> AbstractContextManager["Tell | None"]:
    """A listener for the length of a block; None where nothing is to be shown."""
    if quiet:
        return nullcontext()
    return LiveBar() if sys.stderr.isatty() else Lines(lambda line: click.echo(line, err=True))


@dataclass(slots=True)
class Tally:
    """What was heard so far; `seconds_left` goes by the pace of the run up to now, waits included."""

    jobs: int = 0
    jobs_done: int = 0
    requests: int = 0
    requests_done: int = 0
    bars: int = 0
    why: str = ""
    last: str = ""

    def __call__(self, event: "Event") -> None:
        """Hear one event."""
        from gapless.vocabulary.events import (
            ActionsStarted,
            JobEnded,
            PageStored,
            Retrying,
            RunStarted,
            Waiting,
        )

        match event:
            case RunStarted():
                self.jobs, self.requests = event.jobs, event.requests
            case PageStored():
                self.requests_done += 1
                self.bars += event.rows
                self.why = ""
            case JobEnded():
                self.jobs_done += 1
            case ActionsStarted():
                self.last = "splits and dividends are left"
            case Waiting():
                self.why = f"waiting {seconds(event.seconds)}: {event.why}"
            case Retrying():
                self.why = f"again in {seconds(event.delay)}: {event.message}"
            case _:
                pass
        self.requests = max(self.requests, self.requests_done)

    def seconds_left(self, elapsed: float) -> float | None:
        """An estimate; None before the first answer."""
        if not self.requests_done:
            return None
        return elapsed / self.requests_done * (self.requests - self.requests_done)

    def words(self, elapsed: float) -> str:
        """The state in one line."""
        left = self.seconds_left(elapsed)
        said = [
            f"{self.jobs_done}/{self.jobs} jobs",
            f"{self.requests_done}/{self.requests} requests",
            f"{self.bars:,} bars",
        ]
        if self.last:
            said.append(self.last)
        elif left is not None:
            said.append(f"{seconds(left)} left")
        return ", ".join(said)


class Lines:
    """A line of plain text every ten seconds, written as events come."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._tally = Tally()
        self._began = self._last = clock()

    def __call__(self, event: "Event") -> None:
        """Hear one event."""
        self._tally(event)
        now = self._clock()
        if now - self._last >= _EVERY:
            self._last = now
            why = f" ({self._tally.why})" if self._tally.why else ""
            self._write(self._tally.words(now - self._began) + why)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class LiveBar:
    """A bar over the requests, with what the run waits for; drawn on standard error, gone when it is over."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        self._tally = Tally()
        self._began = time.monotonic()
        self._bar = Progress(
            BarColumn(bar_width=16),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[why]}", style="dim", markup=False),
            console=console(stderr=True),
            transient=True,
            refresh_per_second=5,
        )
        self._task = self._bar.add_task("starting", total=None, why="")

    def __call__(self, event: "Event") -> None:
        """Hear one event."""
        self._tally(event)
        self._bar.update(
            self._task,
            description=self._tally.words(time.monotonic() - self._began),
            why=self._tally.why,
            completed=self._tally.requests_done,
            total=self._tally.requests or None,
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
