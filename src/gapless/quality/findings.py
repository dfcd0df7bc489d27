"""What the rules look at, and what they say: a flag beside bars, never a changed bar."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base

CONTEXT = {Base.MINUTE: 15 * DAY, Base.DAY: 100 * DAY}
"""How far beyond its span a `Subject` should hold bars, on both sides, in milliseconds.

Every rule compares a bar with a fixed number of neighbours (some dozens of bars, five sessions), so with this
much around it a span gives the same flags whether it is examined at once or in parts. Two cases can reach
further and may differ at the seams: series that trade less than a few dozen minutes in two weeks, and flat
stretches longer than that.
"""


@dataclass(frozen=True, order=True, slots=True)
class Flag:
    """Something odd about the bars of `[start, end)` (Unix ms, UTC; a day bar's end is 24 hours after its start).

    `rule` names what found it, `reason` says it in words. `size` ranks the flags of one rule, larger is odder;
    what it counts is in the docstring of the rule.
    """

    symbol: str
    base: Base
    start: int
    end: int
    rule: str
    reason: str
    size: float


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The raw bars of one instrument that are examined together; flags start inside `span`.

    `minutes` and `days` are None where they are not stored; they may reach beyond `span` on both sides, and
    should by `CONTEXT`. `sessions` are those of all the bars, empty where the calendar does not know. A split
    is the instant from which prices are on the new shares (Unix ms) and the new shares for one old: 7 for 7:1.
    """

    instrument: Instrument
    span: Span
    minutes: Batch | None
    days: Batch | None
    sessions: Sessions
    splits: Sequence[tuple[int, Fraction]] = ()

    def series(self) -> Iterator[tuple[Base, Batch]]:
        """The bars that there are, by base."""
        for base, batch in ((Base.MINUTE, self.minutes), (Base.DAY, self.days)):
            if batch is not None and len(batch):
                yield base, batch

    def flag(self, base: Base, start: int, rule: str, reason: str, size: float, *, end: int = 0) -> Flag:
        """A flag on the bar that starts at `start`, or on all up to `end`."""
        return Flag(str(self.instrument), base, start, end or start + base.step, rule, reason, float(size))


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of being odd: its name, one line for people, and what finds it in one instrument."""

    name: str
    about: str
    find: Callable[[Subject], Iterable[Flag]]


def sound(batch: Batch) -> Batch:
    """The bars whose prices can be compared: positive numbers. The `ohlc` rule tells of the others."""
    prices = (batch.open, batch.high, batch.low, batch.close)
    good = (np.minimum.reduce(prices) > 0) & (np.maximum.reduce(prices) < np.inf)
    return batch if good.all() else batch.take(good)


def price(number: float) -> str:
    """A price as people write it, to eight digits."""
    return f"{number:.8g}"
