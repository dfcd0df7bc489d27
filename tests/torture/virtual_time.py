"""Time that passes only when nobody has anything to do: hours of waiting in seconds, with real sockets."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any, TypeVarTuple

Ts = TypeVarTuple("Ts")
_SETTLE = 0.001
"""Real seconds that a packet on loopback is given before the next timer's moment is jumped to."""
_PATIENCE = 0.05
"""Real seconds between two looks while a thread works."""


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting for a timer it moves the loop's time there, unless a socket or a thread is busy."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As `selectors.BaseSelector.select`; `timeout` is in virtual seconds."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.at_work or timeout is None:
            return super().select(_PATIENCE)
        if not (self._sockets() and (ready := super().select(_SETTLE))):
            self.loop.seconds += timeout
        return ready

    def _sockets(self) -> bool:
        """Whether anything is watched but the loop's own alarm."""
        return len(self.get_map()) > 1


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps. Everything that talks to each other must live on this one loop."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.at_work = 0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self.seconds

    def run_in_executor(
        self,
        executor: Any,  # noqa: ANN401 - as the base class
        func: Callable[[*Ts], Any],
        *args: *Ts,
    ) -> asyncio.Future[Any]:
        """While a thread works, no time passes."""
        self.at_work += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: asyncio.Future[Any]) -> None:
        self.at_work -= 1


class LoopClock:
    """`ports.Clock` over a loop's time; `at` (Unix ms) is the date when the loop was made."""

    def __init__(self, loop: VirtualLoop, at: int) -> None:
        self._loop, self._at = loop, at

    def __call__(self) -> int:
        """The date, for the sandbox."""
        return self.now()

    def now(self) -> int:
        """Unix milliseconds."""
        return self._at + round(self._loop.seconds * 1000)

    def monotonic(self) -> float:
        """Seconds."""
        return self._loop.seconds

    async def sleep(self, seconds: float) -> None:
        """Wait; at least what the date can show, so that whoever waits for it moves on."""
        await asyncio.sleep(max(seconds, 0.001))
