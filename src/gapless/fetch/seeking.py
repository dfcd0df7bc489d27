"""A rate that nobody states: found by asking a little more often until the vendor minds. Pure.

Additive increase, multiplicative decrease. As long as the vendor never minded, each answer raises the rate by a
seventh a second; once it did, the rate comes back quickly to just below where that was and creeps on from there,
so that a 429 is met about once in a thousand requests. A rate that got past that place unharmed grows quickly again.
"""

from gapless.vocabulary.timeframe import MINUTE

_FIRST, _LEAST = 5.0, 5_000 / MINUTE
"""Requests a second: what is begun with, and what even the smallest plan allows."""
_FAST, _BACK, _CREEP = 0.14, 0.02, 0.00006
"""What an answer adds: requests a second, the second of them, and as a share of the rate."""
_NEAR, _BEYOND = 0.94, 1.1
"""Shares of the rate that was too much: from here on slowly, from there on quickly again."""
_OVERSHOT, _EASE, _SLOW, _HALVE = 0.85, 0.9, 0.7, 0.5
"""What is left of the rate: the first time, when it grew quickly; later; when answers slow down; when none come."""
_LATE = 0.05
"""Seconds; a turn that is taken a little late does not push those after it."""
_QUICK_MEMORY, _LONG_MEMORY = 1 / 8, 1 / 2000
_RISEN, _RISEN_SECONDS = 2.5, 0.2
"""Answers are slow when they take so many times, and so much, longer than the quickest of late."""
_DEAF = 0.3
"""Seconds after a cut in which nothing is learned: what arrives was sent before it."""


class Seeker:
    """Requests a second, at most `most`, evenly spaced. Moments are seconds that never go back."""

    def __init__(self, most: float) -> None:
        self.rate = min(_FIRST, most)
        self._most = most
        self._too_much = 0.0
        self._next = self._deaf_until = float("-inf")
        self._bound = False
        self._recent = self._usual = 0.0

    def rest(self, now: float) -> float:
        """Seconds until the next request may go."""
        return self._next - now

    def sent(self, now: float) -> None:
        """A request goes now."""
        pace = 1 / self.rate
        self._bound = now - self._next < max(pace, _LATE)
        self._next = max(self._next, now - _LATE) + pace

    def answered(self, now: float, seconds: float) -> None:
        """An answer began `seconds` after it was asked for."""
        if not self._usual:
            self._usual = self._recent = seconds
        self._usual = min(seconds, self._usual + (seconds - self._usual) * _LONG_MEMORY)
        self._recent += (seconds - self._recent) * _QUICK_MEMORY
        if now < self._deaf_until:
            return
        if self._recent > max(self._usual * _RISEN, self._usual + _RISEN_SECONDS):
            self._cut(now, _SLOW)
        elif self._bound:  # a rate that is not used up shows nothing
            self.rate = min(self._most, self.rate + self._growth())

    def refused(self, now: float, *, again: bool) -> None:
        """The vendor said that it was too much; `again`: nothing got through since it last did."""
        if now >= self._deaf_until:
            self._cut(now, _HALVE if again else _EASE)

    def _growth(self) -> float:
        if not self._too_much or self.rate > self._too_much * _BEYOND:
            return _FAST
        return _BACK if self.rate < self._too_much * _NEAR else self.rate * _CREEP

    def _cut(self, now: float, share: float) -> None:
        share = share if self._too_much else min(share, _OVERSHOT)
        self._too_much = self.rate
        self.rate = max(_LEAST, self.rate * share)
        self._deaf_until = now + max(_DEAF, 2 * self._recent)
