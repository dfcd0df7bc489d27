"""The rate: never more than N requests in any window, shared by all processes that use the same store."""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import ceil
from typing import Protocol, TypeVar

from gapless.errors import UsageError
from gapless.fetch.seeking import Seeker
from gapless.ports import Clock
from gapless.vocabulary.events import Tell, Waiting

_UNITS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_RATE = re.compile(r"(?P<calls>\d{1,6}(?:\.\d{1,6})?) ?/ ?(?P<unit>[a-z]+)")
_MOST_CALLS = 10_000
_MOST_SOUGHT = 100
"""The vendor asks everybody to stay below this many requests a second."""
_WORTH_TELLING = 1.5
"""Seconds; a rate of one request a second is not news every second."""
_SHORTEST_HOLD, _LONGEST_HOLD = 0.1, 300.0
_SHORT_WINDOW, _USUAL_WINDOW = 1.0, 60.0
_FIRST_SOUGHT_HOLD = 0.25
_OUTAGE = 8
"""Failures one after another, without an answer between them, from which on one request asks for all."""
_LOOK = 0.1
"""Seconds between two looks whether that one was answered."""
_GUARD_SHARE, _GUARD_LEAST, _GUARD_MOST = 0.025, 0.01, 0.25
_Answer = TypeVar("_Answer")


class Turns(Protocol):
    """The part of a store that counts requests, for every process on it."""

    def take_turn(self, profile: str, *, calls: int, per: float, now: float) -> float:
        """Take one of `calls` turns in any `per` seconds: 0.0, or the seconds after which to try again."""
        ...

    def move_turn(self, profile: str, counted: float, used: float) -> None:
        """A turn that was taken at `counted` was used at `used` (Unix seconds), later: it counts from there."""
        ...

    def hold_back(self, profile: str, until: float) -> None:
        """Nobody gets a turn of this profile before `until` (Unix seconds)."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` requests in any `per` seconds; `sought`: how many of them are allowed is found out."""

    calls: int
    per: int
    sought: bool = False

    @classmethod
    def parse(cls, text: str) -> "Rate | None":
        """Read `150/min`, `100/s`, `2.5/s` (5 in 2 s), `auto` (sought, up to 100/s) or `unlimited` (None).

        Raises:
            UsageError: anything else.
        """
        words = text.strip().lower()
        if words == "unlimited":
            return None
        if words == "auto":
            return cls(_MOST_SOUGHT, 1, sought=True)
        found = _RATE.fullmatch(words)
        if found and found["unit"] in _UNITS:
            share = Fraction(found["calls"])
            if 0 < share.numerator <= _MOST_CALLS:
                return cls(share.numerator, share.denominator * _UNITS[found["unit"]])
        raise UsageError(
            f"`{text}` is not a rate.", hint="Write it as 5/min, 150/min, 100/s, 2.5/s, auto or unlimited."
        )

    @property
    def pace(self) -> float:
        """Seconds between two requests when they are evenly spread."""
        return self.per / self.calls

    def __str__(self) -> str:
        unit = {1: "s", 60: "min", 3600: "h"}.get(self.per)
        if self.sought:
            return f"what the vendor bears, up to {self.calls}/{unit}"
        return f"{self.calls}/{unit}" if unit else f"{self.calls} in {self.per} s"


@dataclass(slots=True)
class _Given:
    """A turn, and the monotonic second from which it counts here: when it was given, then when it was used.

    The store was asked for it at the monotonic second `asked`, and counts it from `counted` (Unix seconds).
    """

    at: float
    asked: float
    counted: float


class Limiter:
    """Hands out the turns of one profile in the order of asking; safe for many tasks of one loop.

    The count is the store's, and `counter` the thread that asks it, so that the loop never waits for a
    database. Without a rate there is nothing to count; a hold is then kept within this process.

    While the vendor turns requests away or is down, one request at a time asks for all: the others get no turn
    before it was answered, and each one that fails doubles the wait before the next, up to a window.
    """

    def __init__(
        self, turns: Turns, profile: str, rate: Rate | None, *, clock: Clock, tell: Tell, counter: Executor
    ) -> None:
        self._turns, self._profile, self._rate = turns, profile, rate
        self._clock, self._tell, self._counter = clock, tell, counter
        self._queue = asyncio.Lock()
        self._given: deque[_Given] = deque(maxlen=rate.calls if rate else 0)
        self._unused: deque[_Given] = deque()
        self._moving: deque[asyncio.Future[None]] = deque()
        self._asked = self._counted = 0.0
        self._seeker = Seeker(rate.calls / rate.per) if rate and rate.sought else None
        # Our own holds are kept in seconds that no clock being set can move; the store's are dates, for all processes.
        self._held_until = float("-inf")
        self._probing_until = float("-inf")
        self._strikes = self._failures = 0

    async def turn(self) -> None:
        """Wait until one more request is allowed; it is then counted, and `sent` says when it was used."""
        async with self._queue:
            while (rest := await self._rest()) > 0:
                await self._wait(rest)
            # The store counts from when it was asked. If it was busy, this turn is used later than it counted,
            # and a turn counted one window on would come too soon after it.
            while (rest := self._rest_here()) > 0:
                await self._wait(rest)
            now = self._clock.monotonic()
            self._given.append(given := _Given(now, self._asked, self._counted))
            self._unused.append(given)
            if self._seeker:
                self._seeker.sent(now)
            if self._strikes:
                self._probing_until = now + max(self._window, _SHORT_WINDOW)

    def sent(self) -> None:
        """A request that had its turn leaves now: a new connection to the vendor took its time before that.

        Or the machine did. What is later than the guard bears is told to the store, for the other processes' sake.
        """
        if not self._unused:
            return
        given, now = self._unused.popleft(), self._clock.monotonic()
        given.at = now
        if self._rate and (late := now - given.asked) > self._guard / 2:
            move = partial(self._turns.move_turn, self._profile, given.counted, given.counted + late)
            self._moving.append(asyncio.get_running_loop().run_in_executor(self._counter, move))

    async def hold(self, retry_after: float | None) -> float:
        """The vendor said 429: nobody gets a turn for a while; returns the seconds.

        As long as the vendor says; else from one even pace (at least a second) doubling up to a whole window,
        for as long as it goes on.
        """
        now = self._clock.monotonic()
        if retry_after is None and now < self._held_until:  # an answer to what was sent before the hold
            return self._held_until - now
        if self._seeker:
            self._seeker.refused(now, again=self._strikes > 0)
        own_guess = self._strike()
        seconds = own_guess if retry_after is None else max(_SHORTEST_HOLD, min(retry_after, _LONGEST_HOLD))
        self._held_until = max(self._held_until, now + seconds)
        if self._rate is not None:
            until = self._clock.now() / 1000 + self._held_until - now
            await self._count(partial(self._turns.hold_back, self._profile, until))
        return seconds

    def failed(self) -> None:
        """No answer came, or an error of the vendor's own; after many in a row it is taken to be down."""
        now = self._clock.monotonic()
        self._failures += 1
        if self._failures >= _OUTAGE and now >= self._held_until:
            self._held_until = now + self._strike()

    def eased(self, seconds: float = 0.0) -> None:
        """An answer came, and began after `seconds`: the next 429 is a first one again."""
        self._strikes = self._failures = 0
        self._probing_until = float("-inf")
        if self._seeker:
            self._seeker.answered(self._clock.monotonic(), seconds)

    def _strike(self) -> float:
        """Seconds to wait after one more time that nothing got through."""
        pace, window = (self._rate.pace, self._rate.per) if self._rate else (_SHORT_WINDOW, _USUAL_WINDOW)
        first, most = max(_SHORT_WINDOW, pace), max(window, _SHORT_WINDOW)
        if self._seeker:
            first, most = _FIRST_SOUGHT_HOLD, _USUAL_WINDOW
        seconds = min(most, first * 2.0 ** min(self._strikes, 10))
        self._strikes += 1
        self._probing_until = float("-inf")
        return seconds

    async def _rest(self) -> float:
        """Seconds until the next try; 0 when the turn is taken."""
        if (rest := self._rest_by_itself()) > 0 or self._rate is None:
            return rest
        while self._moving:
            await self._moving.popleft()
        return await self._count(self._take)

    def _rest_by_itself(self) -> float:
        """What this process knows without the store: who is held, who asks for all, and the pace that is sought."""
        now = self._clock.monotonic()
        rest = self._held_until - now
        if now < self._probing_until:
            rest = max(rest, _LOOK)
        return max(rest, self._seeker.rest(now)) if self._seeker else rest

    def _take(self) -> float:
        self._asked, self._counted = self._clock.monotonic(), self._clock.now() / 1000
        return self._turns.take_turn(self._profile, calls=self._calls, per=self._window, now=self._counted)

    def _rest_here(self) -> float:
        if self._rate is None or len(self._given) < self._rate.calls:
            return 0.0
        return min(given.at for given in self._given) + self._window - self._clock.monotonic()

    @property
    def _calls(self) -> int:
        """How many turns the store is to give in a window, as far as is known."""
        assert self._rate is not None
        return max(1, ceil(self._seeker.rate * self._rate.per)) if self._seeker else self._rate.calls

    @property
    def _window(self) -> float:
        return (self._rate.per if self._rate else 0.0) + self._guard

    @property
    def _guard(self) -> float:
        """Seconds by which our window is longer than the vendor's: requests reach it a little early or late."""
        per = self._rate.per if self._rate else 0.0
        return min(max(per * _GUARD_SHARE, _GUARD_LEAST), _GUARD_MOST)

    async def _wait(self, seconds: float) -> None:
        if seconds > _WORTH_TELLING:
            held = self._clock.monotonic() < self._held_until
            why = "the vendor asked to slow down" if held else f"the rate is {self._rate}"
            if held and self._failures >= _OUTAGE:
                why = "the vendor does not answer"
            self._tell(Waiting(f"{self._profile}: {why}", seconds))
        await self._clock.sleep(seconds)

    async def _count(self, ask: Callable[[], _Answer]) -> _Answer:
        return await asyncio.get_running_loop().run_in_executor(self._counter, ask)
