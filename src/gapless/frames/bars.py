"""What a reader holds: the bars of some symbols in one timeframe."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapless.vocabulary.batch import Batch
from gapless.vocabulary.span import Span


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that can be read at once: the bars of one symbol and timeframe that start inside `span`."""

    symbol: str
    timeframe: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class SymbolBars:
    """Bars of one symbol; `final[i]` tells whether bar i can no longer change."""

    symbol: str
    batch: Batch
    final: NDArray[np.bool_]


Read = Callable[[Piece], SymbolBars]
"""Reads one piece."""
