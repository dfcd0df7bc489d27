"""Minutes in which several liquid symbols are silent together, in the middle of a session: a hole at the vendor.

One symbol without a trade for a minute is normal. Symbols of one market that trade in at least 95 % of its
regular minutes are silent together by chance as often as the product of their silent parts says. A minute is a
hole where at least three of them and two in three are silent, and chance would make no such minute in a
thousand spans as long as this one. (A halt of the whole market looks the same; the reader of a flag should
know of that too.)

A symbol is silent only between its first and its last bar of a session: what is not stored yet is for the
ledger to say. How often it is silent is the median over the sessions, so that a hole of hours does not hide
itself; with other sessions in the span the figure moves a little, and a minute at the brink may change sides.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from gapless.quality.findings import Flag, Subject
from gapless.vocabulary.batch import Floats, Ints
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.timeframe import MINUTE, Base

Mask = NDArray[np.bool_]

NAME = "shared_hole"
ABOUT = "minutes in mid-session in which symbols that always trade are silent together"

_LIQUID = 0.95
_FEWEST = 3
_PART = 2 / 3
_CHANCE = 1e-3


@dataclass(slots=True)
class _Market:
    """The liquid symbols of one asset class; a column for every regular minute, `starts` of its sessions.

    Of each minute it keeps how many symbols were watched and how many of them were silent, and the logarithm
    of the chance of that; of each symbol the positions of its silent minutes.
    """

    minutes: Ints
    starts: Ints
    silent: dict[str, Ints] = field(default_factory=dict)
    watched: Ints = field(init=False)
    count: Ints = field(init=False)
    chance: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.watched, self.count = np.zeros((2, len(self.minutes)), np.int64)
        self.chance = np.zeros(len(self.minutes))

    def add(self, symbol: str, traded: Ints) -> None:
        """Take in a symbol by the minutes of its bars, if it is liquid."""
        present = np.isin(self.minutes, traded, assume_unique=True)
        watched = self._watched(present)
        silent = watched & ~present
        lengths = np.add.reduceat(watched, self.starts, dtype=np.int64)
        if not lengths.any():
            return
        parts = np.add.reduceat(silent, self.starts, dtype=np.int64)[lengths > 0] / lengths[lengths > 0]
        rate = float(np.median(parts))
        if rate <= 1 - _LIQUID:
            self.silent[symbol] = np.flatnonzero(silent)
            self.watched += watched
            self.count += silent
            # Nobody is less often silent than once in the minutes that were looked at.
            self.chance[silent] += np.log(max(rate, 1 / len(self.minutes)))

    def _watched(self, present: Mask) -> Mask:
        """Which minutes lie between the first and the last bar of their session."""
        watched = np.zeros(len(present), np.bool_)
        for one in np.split(np.arange(len(present)), self.starts[1:]):
            if len(held := one[present[one]]):
                watched[held[0] : held[-1]] = True
        return watched

    def holes(self) -> Mask:
        """Which minutes are silent beyond chance."""
        enough = (self.count >= _FEWEST) & (self.count >= _PART * self.watched)
        chance = self.chance + _log_choices(self.watched, self.count)
        holes: Mask = enough & (chance < np.log(_CHANCE / max(len(self.minutes), 1)))
        return holes


def shared_holes(subjects: Iterable[Subject]) -> Iterator[Flag]:
    """The minutes that symbols of one asset class lost together: a flag for each silent symbol and stretch.

    The subjects have one span; they are read one by one, and of each only its silent minutes are kept.
    `size` is the number of symbols that are silent, at most, in the stretch.
    """
    markets = dict[AssetClass, _Market]()
    for subject in subjects:
        if subject.minutes is None:
            continue
        if subject.instrument.asset_class not in markets:
            markets[subject.instrument.asset_class] = _market(subject)
        market = markets[subject.instrument.asset_class]
        if len(market.minutes):
            market.add(str(subject.instrument), subject.minutes.between(subject.span).ts)
    for market in markets.values():
        yield from _flags(market)


def _market(subject: Subject) -> _Market:
    """The regular minutes inside the span."""
    minutes = subject.sessions.opens(Base.MINUTE, regular=True)
    minutes = minutes[(minutes >= subject.span.start) & (minutes < subject.span.end)]
    starts = np.unique(np.searchsorted(minutes, subject.sessions.open))
    return _Market(minutes, starts[starts < len(minutes)])


def _flags(market: _Market) -> Iterator[Flag]:
    holes = market.holes()
    for symbol, silent in market.silent.items():
        for run in _runs(silent[holes[silent]], market.minutes):
            start, end = int(market.minutes[run[0]]), int(market.minutes[run[-1]]) + MINUTE
            most = int(market.count[run].max())
            reason = (
                f"no bar for {len(run)} min, nor have {most - 1} more of the {len(market.silent)} "
                "symbols that trade nearly every minute"
            )
            yield Flag(symbol, Base.MINUTE, start, end, NAME, reason, float(most))


def _runs(at: Ints, minutes: Ints) -> list[Ints]:
    """These positions in stretches of minutes that follow each other."""
    return np.split(at, np.flatnonzero(np.diff(minutes[at]) != MINUTE) + 1) if len(at) else []


def _log_choices(of: Ints, some: Ints) -> Floats:
    """The logarithm of how many ways there are to choose."""
    factorials = np.array([lgamma(n + 1) for n in range(int(of.max(initial=0)) + 1)])
    chosen: Floats = factorials[of] - factorials[some] - factorials[of - some]
    return chosen
