"""Keeps encoded answers for as long as they are the answer, and makes each but once however many ask for it."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from gapless.api.answers import Encoded, Made, encoded
from gapless.api.stock import Mark, Stock

_MINUTE = 60_000
_MOST = 64 << 20
_LARGEST = 8 << 20
"""Bytes that are kept in all, and of one answer."""

Make = Callable[[], Made]


@dataclass(slots=True)
class _Kept:
    """One answer; `pulse` is when it was last known to be right, `minute` when it was made.

    `mark` is that of the ticker it holds on to; empty where time alone may have made it wrong.
    """

    answer: Encoded
    mark: Mark
    pulse: tuple[int, int]
    minute: int


class Keeper:
    """Answers by key. What an answer holds on to is asked of the store whenever the store was written."""

    def __init__(self, stock: Stock, pool: Executor) -> None:
        self._stock, self._pool = stock, pool
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._under_way: dict[Hashable, asyncio.Future[Encoded]] = {}
        self._bytes = 0

    async def get(self, key: Hashable, make: Make, *, gzipped: bool, hold: str | None = None) -> Encoded:
        """The answer to `key`, made by `make` on a thread where it has to be.

        With `hold`, a ticker, it stays until that is written; else until anything is, or the minute is over.
        """
        kept = self._kept.get(key)
        if kept and kept.pulse == self._stock.pulse() and (kept.mark or kept.minute == self._minute()):
            self._kept.move_to_end(key)
            return kept.answer
        if key not in self._under_way:
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(self._pool, partial(self._fresh, kept, make, hold, gzipped=gzipped))
            self._under_way[key] = asyncio.ensure_future(self._finish(key, work))
        # Shielded: whoever goes away leaves the answer to the others who wait for it.
        return await asyncio.shield(self._under_way[key])

    async def _finish(self, key: Hashable, work: "asyncio.Future[_Kept]") -> Encoded:
        try:
            kept = await work
            self._keep(key, kept)
            return kept.answer
        finally:
            del self._under_way[key]

    def _fresh(self, kept: _Kept | None, make: Make, hold: str | None, *, gzipped: bool) -> _Kept:
        """On a thread: the answer as it is now. Pulse and mark are read first, so that they are never too new."""
        pulse, minute = self._stock.pulse(), self._minute()
        mark = self._stock.mark(hold) if hold else ()
        if kept and hold and mark == kept.mark:
            return _Kept(kept.answer, mark, pulse, minute)
        return _Kept(encoded(make(), gzipped=gzipped), mark, pulse, minute)

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        if old := self._kept.pop(key, None):
            self._bytes -= old.answer.size
        if kept.answer.size > _LARGEST:
            return
        self._kept[key] = kept
        self._bytes += kept.answer.size
        while self._bytes > _MOST:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.answer.size

    def _minute(self) -> int:
        return self._stock.clock.now() // _MINUTE
