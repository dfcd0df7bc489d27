"""Asking until there is a sound answer: retrying happens here and nowhere else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gapless.crash import crash_point
from gapless.engine.rooms import Rooms
from gapless.errors import BadAnswer, RateLimited, Retriable, Stopped
from gapless.vocabulary.events import Retrying
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import Request

T = TypeVar("T")


async def insist(
    attempt: Callable[[], Awaitable[T]],
    about: str,
    rooms: Rooms,
    *,
    before_again: Callable[[Retriable], None] | None = None,
) -> T:
    """Attempt until it succeeds; `about` is what the attempts are for, in words.

    Raises:
        Retriable: it failed too often.
        VendorDown: nothing gets through any more.
        Stopped, and whatever else an attempt raises.
    """
    failures, since = 0, rooms.clock.monotonic()
    while True:
        try:
            result = await attempt()
        except Retriable as error:
            if _counts(error, since, rooms):
                failures += 1
                rooms.patience.note(sound=False)
            others = rooms.patience.failing(besides=failures)
            delay = rooms.delay_before(error, max(1, failures), others)
            if delay is None:
                raise
            rooms.tell(Retrying(about, type(error).__name__, error.message, delay, failures))
            await _unless_stopped(rooms.clock.sleep(delay), rooms.stopping)
            if before_again:
                before_again(error)
        else:
            rooms.patience.success(rooms.clock.monotonic())
            rooms.patience.note(sound=True)
            return result


def _counts(error: Retriable, since: float, rooms: Rooms) -> bool:
    """Whether a failure counts against what is asked for: a 429 never does, an outage of the vendor neither."""
    now = rooms.clock.monotonic()
    limited = isinstance(error, RateLimited)
    if limited or isinstance(error, BadAnswer):
        rooms.patience.success(now)  # it is up, and answers
    return not limited and rooms.patience.counts(error, since=since, now=now)


async def take_turn(request: Request, ahead: int, rooms: Rooms) -> float:
    """Wait until one more request may be sent, and spend it; returns the seconds waited.

    `ahead` is how many requests the chain still has to make: the longest chain goes first.

    Raises:
        OwnLimit, Stopped.
    """
    started = rooms.clock.monotonic()
    await _unless_stopped(_turn(request.asset_class, ahead, rooms), rooms.stopping)
    rooms.spend()
    crash_point("turn-taken")
    return rooms.clock.monotonic() - started


async def _turn(asset_class: AssetClass, ahead: int, rooms: Rooms) -> None:
    async with rooms.lines[asset_class].front(ahead):
        await rooms.http.turn(asset_class)


async def _unless_stopped(waiting: Awaitable[T], stopping: asyncio.Event) -> T:
    """Wait, but not past a stop: a page in hand is finished, a wait is not.

    Raises:
        Stopped: the run was asked to stop, or ended for another reason.
    """
    task = asyncio.ensure_future(waiting)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            raise Stopped("The run ended before this was done.")
        return task.result()
    finally:
        task.cancel()
        stop.cancel()
