"""What is usual around a bar, told by order statistics that one bad bar, or five, cannot move."""

from collections.abc import Iterator

import numpy as np

from gapless.vocabulary.batch import Batch, Floats, Ints

SIDE = 3
"""How many bars before and after give the level to which a bar is compared."""
REACH = 30
"""How many bars before and after tell what is usual; 61 with the bar itself."""
ENOUGH = 21
"""With fewer bars nothing is usual: the 90th percentile would be the odd bar itself."""
_HIGH_PART = 0.9
_ROWS = 4096  # windows gathered at once: 2 MB


def usual(column: Floats, at: Ints) -> Floats:
    """The 90th percentile of the 61 bars around each position (of all, where there are fewer).

    At the ends the window moves inwards.

    The median and its deviations are nought on a quiet tape, where nine prices in ten repeat; the 90th
    percentile still tells how far prices really move, and five bad bars of 61 do not touch it.
    """
    found = np.empty(len(at))
    width = min(2 * REACH + 1, len(column))
    rank = int(_HIGH_PART * width)
    for some in _slices(len(at)):
        first = np.clip(at[some] - REACH, 0, len(column) - width)
        windows = column[first[:, None] + np.arange(width)]
        found[some] = np.partition(windows, rank, axis=1)[:, rank]
    return found


def enough(batch: Batch) -> bool:
    """Whether there are bars enough to say what is usual."""
    return len(batch) >= ENOUGH


def levels(column: Floats) -> tuple[Floats, Floats]:
    """The medians of the three values before and of the three after each, for all but the first and last three."""
    before = _middle(column[:-6], column[1:-5], column[2:-4])
    after = _middle(column[4:-2], column[5:-1], column[6:])
    return before, after


def true_range(batch: Batch) -> Floats:
    """The logarithm of how far each bar's prices move, the step from the close before included."""
    before = np.concatenate((batch.open[:1], batch.close[:-1]))
    moved: Floats = np.log(np.maximum(batch.high, before) / np.minimum(batch.low, before))
    return moved


def _middle(a: Floats, b: Floats, c: Floats) -> Floats:
    middle: Floats = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    return middle


def _slices(count: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS) for start in range(0, count, _ROWS))
