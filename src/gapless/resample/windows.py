"""Runs of neighbouring bars, one run a window, and what is taken from a column for each of them."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gapless.vocabulary.batch import Ints

Pairs = NDArray[np.complex128]
"""Two columns as one: complex numbers add up both for little more than the price of one."""

_SHORT = 6
"""Up to this many bars a window, one step per bar for all windows is faster than one call per window."""

Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Neighbouring runs of positions that fill a column: `first` and `last` (inclusive) of each run.

    `steps` is there where all runs are short and `stepwise` work is allowed: for the second, third ... number of
    the runs its position, and which runs do not have it; their position is that of their last number.
    """

    first: Ints
    last: Ints
    steps: tuple[tuple[Ints, Ints], ...] | None

    @classmethod
    def starting(cls, first: Ints, length: int, *, stepwise: bool = True) -> "Windows":
        """The runs that start at these rising positions, 0 among them, of a column of this length."""
        last = np.empty_like(first)
        np.subtract(first[1:], 1, out=last[:-1])
        last[-1] = length - 1
        if not stepwise:
            return cls(first, last, None)
        beyond = last - first
        if (longest := int(beyond.max()) + 1) > _SHORT:
            return cls(first, last, None)
        steps = ((np.minimum(first + k, last), (beyond < k).nonzero()[0]) for k in range(1, longest))
        return cls(first, last, tuple(steps))

    def highest(self, column: NDArray[Number]) -> NDArray[Number]:
        """The highest number of each run."""
        return self._extreme(np.maximum, column)

    def lowest(self, column: NDArray[Number]) -> NDArray[Number]:
        """The lowest number of each run."""
        return self._extreme(np.minimum, column)

    def _extreme(self, pick: np.ufunc, column: NDArray[Number]) -> NDArray[Number]:
        if self.steps is None:
            extremes: NDArray[Number] = pick.reduceat(column, self.first)
            return extremes
        found = column[self.first]
        for position, _ in self.steps:
            # Shorter runs meet their last number again, which changes no extreme.
            pick(found, column[position], out=found)
        return found

    def counts(self, column: Ints) -> Ints:
        """The sum of each run of whole numbers."""
        up_to = np.cumsum(column)[self.last]
        found = up_to.copy()
        found[1:] -= up_to[:-1]
        return found

    def sums(self, column: Pairs) -> Pairs:
        """The sum of each run: from left to right where there are `steps`, else in the order that NumPy likes."""
        if self.steps is None:
            totals: Pairs = np.add.reduceat(column, self.first)
            return totals
        found = column[self.first]
        for position, absent in self.steps:
            term = column[position]
            term[absent] = 0
            found += term
        return found
