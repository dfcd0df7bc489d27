"""What is shown of a run while it goes on: a live bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Self

import click

from gapless.cli.render import console, seconds
from gapless.reports.progress import ACTIONS, Progress
from gapless.vocabulary.events import Event, Tell

_EVERY = 10.0
"""Seconds between two lines where nobody watches."""


def progress(*, quiet: bool) -> AbstractContextManager[Tell | None]:
    """A listener for the length of a block; None where nothing is to be shown."""
    if quiet:
        return nullcontext()
    return LiveBar() if sys.stderr.isatty() else Lines(lambda line: click.echo(line, err=True))


def words(state: Mapping[str, Any]) -> str:
    """How far a run is in one line, from what `Progress` says of it."""
    said = [
        f"{state['jobs_done']}/{state['jobs']} jobs",
        f"{state['requests_done']}/{state['requests']} requests",
        f"{state['bars']:,} bars",
    ]
    if state["last"] == ACTIONS:
        said.append(f"{ACTIONS} are left")
    elif state["seconds_left"] is not None:
        said.append(f"{seconds(state['seconds_left'])} left")
    return ", ".join(said)


def waits(state: Mapping[str, Any]) -> str:
    """What a run waits for and how long; empty where it does not."""
    waiting = state["waiting"]
    return f"waits {seconds(waiting['seconds'])}: {waiting['why']}" if waiting else ""


class Lines:
    """A line of plain text every ten seconds, written as events come."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._progress = Progress(clock)
        self._last = clock()

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        self._progress(event)
        now = self._clock()
        if now - self._last >= _EVERY:
            self._last = now
            state = self._progress.as_dict(0)
            why = waits(state)
            self._write(words(state) + (f" ({why})" if why else ""))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class LiveBar:
    """A bar over the requests, with what the run waits for; drawn on standard error, gone when it is over."""

    def __init__(self) -> None:
        from rich import progress as rich

        self._progress = Progress(time.monotonic)
        self._bar = rich.Progress(
            rich.BarColumn(bar_width=16),
            rich.TextColumn("{task.percentage:>3.0f}%"),
            rich.TextColumn("{task.description}", markup=False),
            rich.TextColumn("{task.fields[why]}", style="dim", markup=False),
            console=console(stderr=True),
            transient=True,
            refresh_per_second=5,
        )
        self._task = self._bar.add_task("starting", total=None, why="")

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        self._progress(event)
        state = self._progress.as_dict(0)
        self._bar.update(
            self._task,
            description=words(state),
            why=waits(state),
            completed=state["requests_done"],
            total=state["requests"] or None,
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
