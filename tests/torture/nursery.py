"""A process with everything loaded, whose children are born in milliseconds and can be killed at any moment.

Loading the program takes a second: with hundreds of processes to kill, it is done once and then forked.
"""

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from gapless.calendars import open_calendar
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span

_POLL = 0.01
_LONGEST = 240.0
"""Seconds that one child may take, or the nursery for an answer: then something hangs."""


class Nursery:
    """Starts children that run one function each. All of them end with the block, and with this process."""

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_nurse, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def start(self, work: Callable[..., None], *args: object) -> int:
        """Fork a child that runs `work(*args)`; its process id."""
        self._pipe.send((work, args))
        pid: int = self._heard()
        return pid

    def ended(self, pid: int) -> int | None:
        """How a child ended, negative for a signal; None while it runs. Until this is told its id is its own."""
        self._pipe.send(pid)
        code: int | None = self._heard()
        return code

    def wait(self, pid: int) -> int:
        """The same at its end."""
        deadline = time.monotonic() + _LONGEST
        while (code := self.ended(pid)) is None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                raise TimeoutError(f"a child ran for more than {_LONGEST:.0f} s")
            time.sleep(_POLL)
        return code

    def _heard(self) -> Any:  # noqa: ANN401 - the caller knows what it asked for
        if not self._pipe.poll(_LONGEST):
            raise TimeoutError(f"the nursery said nothing for {_LONGEST:.0f} s")
        return self._pipe.recv()

    def kill(self, pid: int) -> int:
        """End a child as `kill -9` does, unless it has ended already; how it ended."""
        if (code := self.ended(pid)) is not None:
            return code
        os.kill(pid, signal.SIGKILL)
        return self.wait(pid)


def _nurse(pipe: Connection) -> None:
    _warm_up()
    children: set[int] = set()
    with _no_orphans(children):
        while (word := _next(pipe)) is not None:
            if isinstance(word, int):
                pid, status = os.waitpid(word, os.WNOHANG)
                children.discard(pid)
                pipe.send(os.waitstatus_to_exitcode(status) if pid else None)
                continue
            if (child := os.fork()) == 0:
                pipe.close()
                _live(*word)
            children.add(child)
            pipe.send(child)


def _next(pipe: Connection) -> tuple[Callable[..., None], tuple[object, ...]] | int | None:
    try:
        word: tuple[Callable[..., None], tuple[object, ...]] | int = pipe.recv()
    except EOFError:
        return None
    return word


def _live(work: Callable[..., None], args: tuple[object, ...]) -> None:
    code = 1
    try:
        work(*args)
        code = 0
    except Exception:  # noqa: BLE001 - nobody is above it: what went wrong is shown
        traceback.print_exc()
    finally:
        os._exit(code)


@contextmanager
def _no_orphans(children: set[int]) -> Iterator[None]:
    try:
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


def _warm_up() -> None:
    """Load what a run loads late."""
    import gapless.fetch.client  # noqa: F401 - the import is what is wanted

    calendar = open_calendar()
    for symbol in ("AAPL", "X:BTCUSD", "C:EURUSD"):
        calendar.sessions(Instrument.parse(symbol), Span(1_700_000_000_000, 1_800_000_000_000))
