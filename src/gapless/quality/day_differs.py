"""Day bars that disagree with their own minutes beyond what different trade conditions explain.

The minutes of regular hours are compared with the day bar: first open, highest high, lowest low, last close.
They need not be equal: odd lots, late reports and the auctions count for one and not for the other, and the
official close is some hundredths of a per cent away from the last minute. Prices may differ by 1 % or by half
of the smaller of the two ranges, whichever is more. The minutes of all hours must hold between a fifth
(auctions can be most of a thin stock's volume) and five quarters of the day's volume.
A session without minutes, or without a day bar, is not compared: what is missing is for the ledger to say.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gapless.quality.findings import Flag, Rule, Subject, price, sound
from gapless.vocabulary.batch import Batch, Floats, Ints
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.timeframe import Base

_PRICE = 0.01
_RANGE = 0.5
_LEAST_VOLUME, _MOST_VOLUME = 0.2, 1.25


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Sessions that have both: the day bar, and the same made of minutes. `held`: regular minutes with a bar."""

    day: Batch
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    held: Ints


def _find(subject: Subject) -> Iterator[Flag]:
    if subject.minutes is None or subject.days is None:
        return
    sessions = subject.sessions
    whole = (sessions.day >= subject.span.start) & (sessions.day < subject.span.end)
    pairs = _pairs(sound(subject.minutes), sound(subject.days), sessions.take(whole))
    if pairs is not None:
        yield from _prices(subject, pairs)
        yield from _volumes(subject, pairs)


def _pairs(minutes: Batch, days: Batch, sessions: Sessions) -> _Pairs | None:
    opens, closes = np.searchsorted(minutes.ts, sessions.open), np.searchsorted(minutes.ts, sessions.close)
    # The vendor's day may be labelled with another midnight than the calendar's: any before the close is its own.
    own, after = np.searchsorted(days.ts, sessions.day), np.searchsorted(days.ts, sessions.close)
    both = (opens < closes) & (own < after)
    if not both.any():
        return None
    opens, closes, own, sessions = opens[both], closes[both], own[both], sessions.take(both)
    pre, post = np.searchsorted(minutes.ts, sessions.pre), np.searchsorted(minutes.ts, sessions.post)
    return _Pairs(
        days.take(own),
        minutes.open[opens],
        _over(np.maximum, minutes.high, opens, closes),
        _over(np.minimum, minutes.low, opens, closes),
        minutes.close[closes - 1],
        _over(np.add, minutes.volume, pre, post),
        closes - opens,
    )


def _over(what: np.ufunc, column: Floats, first: Ints, end: Ints) -> Floats:
    """A reduction from each first position up to its end; no stretch is empty."""
    pairs = np.stack((first, end), axis=1).ravel()
    folded: Floats = what.reduceat(np.append(column, column[-1:]), pairs)[::2]
    return folded


def _prices(subject: Subject, pairs: _Pairs) -> Iterator[Flag]:
    day = pairs.day
    ranges = np.minimum(day.high / day.low, pairs.high / pairs.low) - 1
    allowed = np.maximum(_PRICE, _RANGE * ranges)
    for name in ("open", "high", "low", "close"):
        mine, theirs = getattr(pairs, name), getattr(day, name)
        apart = np.maximum(mine / theirs, theirs / mine) - 1
        for i in np.flatnonzero(apart > allowed):
            reason = (
                f"{name} {price(theirs[i])}, but its {pairs.held[i]} regular minutes say {price(mine[i])}: "
                f"{apart[i]:.1%} apart, {allowed[i]:.1%} is usual at most"
            )
            yield subject.flag(Base.DAY, int(day.ts[i]), RULE.name, reason, apart[i] / allowed[i])


def _volumes(subject: Subject, pairs: _Pairs) -> Iterator[Flag]:
    told = (pairs.day.volume > 0) & (pairs.volume > 0)
    share = np.divide(pairs.volume, pairs.day.volume, out=np.ones(len(told)), where=told)
    for i in np.flatnonzero((share < _LEAST_VOLUME) | (share > _MOST_VOLUME)):
        reason = (
            f"volume {pairs.day.volume[i]:.10g}, but its minutes hold {pairs.volume[i]:.10g}, "
            f"{share[i]:.2f} times as much ({pairs.held[i]} regular minutes have a bar)"
        )
        yield subject.flag(
            Base.DAY,
            int(pairs.day.ts[i]),
            RULE.name,
            reason,
            max(share[i] / _MOST_VOLUME, _LEAST_VOLUME / share[i]),
        )


RULE = Rule("day_differs", "a day bar that disagrees with its minutes beyond tolerance", _find)
"""`size`: the difference in units of what is tolerated; one flag for each number that disagrees."""
