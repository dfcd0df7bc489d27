"""Bars as columns: what travels from the vendor's answer to the store and back."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapless.vocabulary.span import Span, SpanSet

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NO_TRADES = -1
"""What `Batch.trades` holds where the vendor gave no number of trades."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Bars of one instrument and timeframe, raw, `ts` strictly rising.

    All columns are one-dimensional and equally long. `ts` is the bar's start in Unix milliseconds (UTC).
    Missing numbers are NaN in `vwap` and (indices) `volume`, and `NO_TRADES` in `trades`.
    """

    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    vwap: Floats
    trades: Ints

    def __len__(self) -> int:
        return len(self.ts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Batch) or len(self) != len(other):
            return False
        return not len(self) or bool(self.same_rows(other).all() and np.array_equal(self.ts, other.ts))

    __hash__ = None  # type: ignore[assignment]

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns by name, in their fixed order, `ts` first."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def empty(cls) -> "Batch":
        """No bars."""
        none = np.empty(0, np.float64)
        return cls(np.empty(0, np.int64), none, none, none, none, none, none, np.empty(0, np.int64))

    @classmethod
    def room(cls, rows: int) -> "Batch":
        """So many bars whose numbers are still to come, in one block of memory: cheaper than one a column."""
        columns: list[NDArray[Any]] = list(np.empty((len(fields(cls)), rows)))
        columns[0], columns[-1] = columns[0].view(np.int64), columns[-1].view(np.int64)
        return cls(*columns)

    @classmethod
    def concat(cls, batches: Iterable["Batch"]) -> "Batch":
        """The bars of all, one after another; the caller answers for their order."""
        parts = [batch for batch in batches if len(batch)]
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    def take(self, index: NDArray[Any] | slice) -> "Batch":
        """The bars at these positions (a mask, an index array or a slice)."""
        return Batch(*(column[index] for column in self.columns.values()))

    def between(self, span: Span) -> "Batch":
        """The bars that start inside `span`; a view, nothing is copied."""
        first, last = np.searchsorted(self.ts, (span.start, span.end))
        return self.take(slice(int(first), int(last)))

    def same_rows(self, other: "Batch") -> NDArray[np.bool_]:
        """Row by row, whether every number but `ts` is the same; missing equals missing. Equal lengths."""
        same: NDArray[np.bool_] = self.trades == other.trades
        for name in ("open", "high", "low", "close", "volume", "vwap"):
            mine, theirs = getattr(self, name), getattr(other, name)
            same &= (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
        return same


def inside(ts: Ints, spans: SpanSet) -> NDArray[np.bool_]:
    """Which of these instants lie in any of the spans."""
    edges = np.array([edge for span in spans for edge in (span.start, span.end)], np.int64)
    odd: NDArray[np.bool_] = np.searchsorted(edges, ts, side="right") % 2 == 1
    return odd
