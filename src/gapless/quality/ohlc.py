"""Bars that contradict themselves: low above high, open or close outside them, prices that are none.

An answer of the vendor with such a bar is never accepted, but an import may bring one. `vw` outside [low, high]
is normal (it counts trades that set no high or low) and no finding.
"""

from collections.abc import Iterator

import numpy as np

from gapless.quality.findings import Flag, Rule, Subject, price
from gapless.vocabulary.batch import Batch, Floats

_WHOLE = 1.0  # as far off as a price can be


def _find(subject: Subject) -> Iterator[Flag]:
    for base, batch in subject.series():
        bars = batch.between(subject.span)
        excess = _excess(bars)
        for i in np.flatnonzero(excess):
            numbers = (bars.open[i], bars.high[i], bars.low[i], bars.close[i])
            told = " ".join(f"{name} {price(number)}" for name, number in zip("ohlc", numbers, strict=True))
            what = "contradicts itself" if excess[i] < _WHOLE else "a price is not a positive number"
            yield subject.flag(base, int(bars.ts[i]), RULE.name, f"{what}: {told}", excess[i])


def _excess(bars: Batch) -> Floats:
    """By which part of its highest price a bar contradicts itself; 1 for a price that is none, 0 for a sound bar."""
    prices = (bars.open, bars.high, bars.low, bars.close)
    lowest, highest = np.minimum.reduce(prices), np.maximum.reduce(prices)
    numbers = (lowest > 0) & (highest < np.inf)
    excess = np.full(len(bars), _WHOLE)
    # The sides of a sound bar are its extremes; the farther of the two that is not says how far off it is.
    with np.errstate(invalid="ignore"):  # infinite prices are told by `numbers`
        farther = np.maximum(highest - bars.high, bars.low - lowest)
    np.divide(farther, highest, out=excess, where=numbers)
    return excess


RULE = Rule("ohlc", "a bar that contradicts itself, or a price that is not a positive number", _find)
"""`size`: by which part of its highest price the bar contradicts itself, at most 1."""
