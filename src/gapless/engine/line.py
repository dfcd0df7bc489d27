"""Who asks next: the job with the longest way to go, since its pages can only be read one after another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush


class Line:
    """Lets one at a time to the counter; of those who wait, the one with the most ahead of it."""

    def __init__(self) -> None:
        self._busy = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrived = 0

    @asynccontextmanager
    async def front(self, ahead: int) -> AsyncIterator[None]:
        """Wait to be at the counter; `ahead` is how many requests the job still needs, roughly."""
        if self._busy:
            called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._arrived += 1
            heappush(self._waiting, (-ahead, self._arrived, called))
            try:
                await called
            except asyncio.CancelledError:
                # Called and given up in the same moment: the next one must not wait for ever.
                if called.done() and not called.cancelled():
                    self._call_next()
                raise
        self._busy = True
        try:
            yield
        finally:
            self._call_next()

    def _call_next(self) -> None:
        while self._waiting:
            called = heappop(self._waiting)[2]
            if not called.done():
                called.set_result(None)
                return
        self._busy = False
