"""Ctrl-C in two steps: the first finishes the page in hand, the second ends the program there and then."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = b"\x1b[?25h"


class TwoStepStop:
    """While its block runs, the first SIGINT or SIGTERM calls `stop`, and the second exits at once.

    `received` is the first signal, None where there was none.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self.received: int | None = None
        self._stop = stop
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}

    @property
    def exit_code(self) -> int:
        """What a program ends with that was stopped by the signal; 0 where there was none."""
        return 128 + self.received if self.received else 0

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self.received is not None:
            # Nothing is lost: what was acknowledged is on disk, and what was not is asked for again.
            if sys.stderr.isatty():
                os.write(2, _SHOW_CURSOR)
            os._exit(128 + number)
        self.received = number
        # Written past Python's buffers: a handler may run in the middle of another write to them.
        os.write(2, b"\nfinishing the page in hand; press again to stop\n")
        self._stop()
