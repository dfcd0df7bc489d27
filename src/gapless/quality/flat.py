"""Prices that stand still, minute after minute, while volume is reported: a feed that repeats its last price.

A run is thirty minutes or more, one after another inside one session, of bars that are one price
(open = high = low = close), the same in all of them. A thin or cheap instrument does this honestly, so the run
must also be longer than chance would make it one time in a billion, if standing still is as likely in each
minute as in the thousand minutes around the run. Bars with a volume of 0 are somebody's filling and not judged here.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gapless.quality.findings import Flag, Rule, Subject, price
from gapless.vocabulary.batch import Batch, Ints
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.timeframe import MINUTE, Base

_SHORTEST = 30
_AROUND = 500  # minutes on each side
_CHANCE = 1e-9


def _find(subject: Subject) -> Iterator[Flag]:
    bars = subject.minutes
    if bars is None or len(bars) < _SHORTEST:
        return
    still = _still(bars, subject.sessions)
    counted = np.concatenate(([0], np.cumsum(still)))
    edges = np.flatnonzero(np.diff(still.astype(np.int8), prepend=0, append=0))
    for first, end in edges.reshape(-1, 2).tolist():
        # The bar before the first repetition belongs to the run.
        length, start = end - first + 1, int(bars.ts[first - 1])
        if length < _SHORTEST or start not in subject.span:
            continue
        share = _share(counted, first, end)
        if share**length > _CHANCE:
            continue
        reason = (
            f"{length} minutes at {price(bars.close[first])} without a move, with volume; "
            f"of the minutes around {share:.1%} stand still"
        )
        last = int(bars.ts[end - 1])
        yield subject.flag(Base.MINUTE, start, RULE.name, reason, length, end=last + MINUTE)


def _still(bars: Batch, sessions: Sessions) -> NDArray[np.bool_]:
    """Which bars are one price, the same as the minute before in the same session, with volume or none told."""
    one = (bars.high == bars.low) & ~(bars.volume == 0)
    still = np.zeros(len(bars), np.bool_)
    still[1:] = one[1:] & one[:-1] & (bars.close[1:] == bars.close[:-1]) & (np.diff(bars.ts) == MINUTE)
    opens = np.searchsorted(bars.ts, sessions.pre)
    still[opens[opens < len(bars)]] = False
    return still


def _share(counted: Ints, first: int, end: int) -> float:
    """The part of the minutes around a run that stand still; never quite 0."""
    low, high = max(first - _AROUND, 0), min(end + _AROUND, len(counted) - 1)
    others = (counted[high] - counted[low]) - (end - first)
    return float((others + 1) / (high - low - (end - first) + 2))


RULE = Rule("flat", "half an hour or more at one price while volume is reported: a stale feed", _find)
"""`size`: the minutes that the price stands still."""
