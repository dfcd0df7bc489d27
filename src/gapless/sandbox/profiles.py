"""What a key may see, and how often it may ask."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gapless.errors import UsageError
from gapless.vocabulary.instrument import AssetClass


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any `per` seconds."""

    calls: int
    per: float

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read `150/min`, `100/s`, or a number of calls in some seconds such as `5/2s`.

        Raises:
            UsageError: none of these.
        """
        calls, _, per = text.partition("/")
        seconds = {"s": 1.0, "min": 60.0, "h": 3600.0}.get(per)
        try:
            rate = cls(int(calls), seconds or float(per.removesuffix("s")))
        except ValueError:
            rate = cls(0, 0.0)
        if rate.calls < 1 or not 0 < rate.per < math.inf:
            raise UsageError(f"`{text}` is not a rate.", hint="Write it like 150/min, 100/s or 5/2s.")
        return rate


@dataclass(frozen=True, slots=True)
class Profile:
    """One plan: how many years back (None: all), 15 minutes late, only finished days, rate, asset classes."""

    years: int | None = None
    delayed: bool = False
    eod_only: bool = False
    rate: Rate | None = None
    classes: frozenset[AssetClass] = frozenset(AssetClass)


PROFILES = {
    "sandbox": Profile(),
    "basic": Profile(years=2, eod_only=True, rate=Rate(5, 60.0)),
    "two-years": Profile(years=2),
    "delayed": Profile(years=5, delayed=True),
    "developer": Profile(years=10, delayed=True),
    "stocks-only": Profile(classes=frozenset({AssetClass.STOCKS})),
    "crypto-only": Profile(classes=frozenset({AssetClass.CRYPTO})),
}
"""The keys that a sandbox knows unless told otherwise."""


class Window:
    """An exact sliding window: who comes too early is turned away, and does not count."""

    def __init__(self, rate: Rate | None, clock: Callable[[], float]) -> None:
        self.rate = rate
        self.busiest = 0
        """The most calls, also those turned away, that were ever seen in one window."""
        self._clock = clock
        self._allowed: deque[float] = deque()
        self._seen: deque[float] = deque()

    def admit(self) -> float:
        """0.0 for a call that may pass, else the seconds until one may."""
        now, rate = self._clock(), self.rate
        per = rate.per if rate else 60.0
        self._seen.append(now)
        for calls in (self._seen, self._allowed):
            while calls and calls[0] <= now - per:
                calls.popleft()
        self.busiest = max(self.busiest, len(self._seen))
        if rate and len(self._allowed) >= rate.calls:
            return self._allowed[0] + per - now
        self._allowed.append(now)
        return 0.0
