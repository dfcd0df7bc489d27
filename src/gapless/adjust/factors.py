"""What prices and volumes are multiplied with: a step function of time, and its application to bars."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np

from gapless.adjust.verdicts import Judged
from gapless.vocabulary.batch import Batch, Floats, Ints


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch between two actions: a price becomes `price * kept * old / new`, a volume `volume * new / old`.

    `new` shares stand today for `old` shares of then, whole numbers wherever they fit: a price divided by 7 is
    nearer to the truth than one multiplied with a rounded 1/7. `kept` is what dividends left of the price.
    """

    old: float = 1.0
    new: float = 1.0
    kept: float = 1.0


_TODAY = Step()
_EXACT = 2**53
"""Up to here a float holds every whole number."""


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Steps in time: a bar that starts before `at[0]` (UTC ms) takes `steps[0]`, from `at[-1]` on `steps[-1]`.

    There is one step more than instants, and the last one changes nothing: the present is the basis.
    """

    at: Ints
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, judged: Iterable[Judged]) -> "Factors":
        """The steps that the applied actions make, multiplied exactly from the last one back."""
        old_first = sorted((j for j in judged if j.verdict.applied), key=_when)
        at: list[int] = []
        steps = [_TODAY]
        shares = kept = Fraction(1)
        for instant, group in groupby(reversed(old_first), key=_when):
            for action in group:
                shares *= action.ratio
                kept *= action.kept
            at.append(instant)
            steps.append(Step(*_parts(shares), float(kept)))
        return cls(np.array(at[::-1], np.int64), tuple(steps[::-1]))


def adjusted(batch: Batch, factors: Factors) -> Batch:
    """The bars on today's basis: prices and `vwap` scaled, volume the other way, trades as they are.

    For base bars (minutes, days), of which none reaches over an action: derive longer bars afterwards. A batch
    that no action touches is returned as it is, and no column of the one given is changed.
    """
    edges = [0, *np.searchsorted(batch.ts, factors.at).tolist(), len(batch)]
    pieces = [
        (slice(a, b), step) for (a, b), step in zip(pairwise(edges), factors.steps, strict=True) if a < b
    ]
    if all(step == _TODAY for _, step in pieces):
        return batch
    prices = [(rows, step.kept * step.old, step.new) for rows, step in pieces]
    volumes = [(rows, step.new, step.old) for rows, step in pieces]
    return Batch(
        ts=batch.ts,
        open=_scaled(batch.open, prices),
        high=_scaled(batch.high, prices),
        low=_scaled(batch.low, prices),
        close=_scaled(batch.close, prices),
        volume=_scaled(batch.volume, volumes),
        vwap=_scaled(batch.vwap, prices),
        trades=batch.trades,
    )


def _scaled(column: Floats, pieces: Iterable[tuple[slice, float, float]]) -> Floats:
    """A copy of a column, each piece multiplied and divided."""
    out = np.empty_like(column)
    for rows, times, over in pieces:
        np.multiply(column[rows], times, out=out[rows])
        if over != 1.0:
            out[rows] /= over
    return out


def _parts(shares: Fraction) -> tuple[float, float]:
    """Old and new shares. A long row of odd ratios outgrows what a float holds: then their quotient, rounded once."""
    if max(shares.numerator, shares.denominator) <= _EXACT:
        return float(shares.denominator), float(shares.numerator)
    return 1.0, float(shares)


def _when(action: Judged) -> int:
    return action.at
