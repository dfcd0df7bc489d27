"""Prices that change overnight as only a split does, where there is none; and splits that left no trace.

The open of a day bar is compared with the close before, once the splits between them are undone. It is a finding
when what remains is both 20 % or more (the smallest split in common use, 5:4, is 25 %) and five times what nine
in ten of the nights around it are: a stock that gaps every week is not news. Earnings and takeovers can look
the same: the flag says where to look, not that the price is wrong. Days more than ten days apart are not
neighbours: there the finding is the gap.
"""

from collections.abc import Iterator
from math import prod

import numpy as np

from gapless.quality.findings import Flag, Rule, Subject, price, sound
from gapless.quality.robust import enough, usual
from gapless.vocabulary.batch import Floats, Ints
from gapless.vocabulary.timeframe import DAY, Base

_LEAST = float(np.log(1.2))
_TIMES = 5.0
_QUIET = 1e-3
_NEIGHBOURS = 10 * DAY


def _find(subject: Subject) -> Iterator[Flag]:
    days = sound(subject.days) if subject.days is not None else None
    if days is None or not enough(days):
        return
    ratios = _ratios(subject, days.ts)
    night = np.concatenate(([0.0], np.log(days.open[1:] / days.close[:-1]))) + np.log(ratios)
    near = np.concatenate(([False], np.diff(days.ts) <= _NEIGHBOURS))
    at = np.flatnonzero(near & (np.abs(night) >= _LEAST))
    nights = np.maximum(usual(np.abs(night), at), _QUIET)
    for k, i in enumerate(at.tolist()):
        start, size = int(days.ts[i]), abs(night[i]) / nights[k]
        if size < _TIMES or start not in subject.span:
            continue
        split = f"a split of {ratios[i]:g} for 1" if ratios[i] != 1 else "no split"
        reason = (
            f"opens at {price(days.open[i])}, {days.open[i] / days.close[i - 1]:.3g} times the close before "
            f"({price(days.close[i - 1])}), with {split} between them"
        )
        yield subject.flag(Base.DAY, start, RULE.name, reason, size)


def _ratios(subject: Subject, days: Ints) -> Floats:
    """New shares for one old between each day and the day before."""
    ratios = np.ones(len(days))
    # The stamps of imported days may be another zone's midnight, some hours before the split's.
    where = [int(np.searchsorted(days, instant - DAY // 2)) for instant, _ in subject.splits]
    for i in set(where) - {len(days)}:
        ratios[i] = float(
            prod(ratio for at, (_, ratio) in zip(where, subject.splits, strict=True) if at == i)
        )
    return ratios


RULE = Rule(
    "jump", "a day that opens far from the close before as no split explains, or a split without trace", _find
)
"""`size`: how many times farther than nine in ten of the nights around it."""
