"""What a write changes: fresh bars against those that are stored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapless.vocabulary.batch import Batch, Ints
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Checked, Outcome, Receipt

Edges = tuple[int | None, int | None]
"""The starts of a series' first and last bar; None without bars."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """`inserted` and `corrected` mark bars of the fresh batch, `replaced` and `withdrawn` bars of the stored one."""

    fresh: Batch
    stored: Batch
    inserted: NDArray[np.bool_]
    corrected: NDArray[np.bool_]
    replaced: NDArray[np.bool_]
    withdrawn: NDArray[np.bool_]

    def __bool__(self) -> bool:
        return bool(self.inserted.any() or self.corrected.any() or self.withdrawn.any())

    @property
    def new(self) -> Batch:
        """The bars to write: new ones, and those whose numbers changed."""
        chosen = self.inserted | self.corrected
        return self.fresh if chosen.all() else self.fresh.take(chosen)

    @property
    def gone(self) -> Ints:
        """The starts of the bars that are no more."""
        return self.stored.ts[self.withdrawn]

    def receipt(self, stored_bytes: int) -> Receipt:
        """The counts, with what was added on disk."""
        inserted, corrected = int(self.inserted.sum()), int(self.corrected.sum())
        unchanged = len(self.fresh) - inserted - corrected
        return Receipt(inserted, corrected, int(self.withdrawn.sum()), unchanged, stored_bytes)

    def edges(self, hull: Span | None) -> Edges | None:
        """The first and last bar's start, given what they span without this change.

        None where the first or last one is withdrawn: then only the bars themselves can tell.
        """
        if hull and np.isin(self.gone, (hull.start, hull.end - 1)).any():
            return None
        ts = self.new.ts
        starts = [*ts[:1].tolist(), *ts[-1:].tolist(), *((hull.start, hull.end - 1) if hull else ())]
        return (min(starts), max(starts)) if starts else (None, None)


def authority(checked: Checked) -> SpanSet:
    """Where the batch is the whole truth."""
    spans = SpanSet(e.span for e in checked.entries if e.outcome in (Outcome.BARS, Outcome.PROVISIONAL))
    if sum(len(checked.batch.between(span)) for span in spans) != len(checked.batch):
        raise ValueError("every bar of a Checked is inside an entry that says bars or provisional")
    return spans


def compare(fresh: Batch, stored: Batch) -> Changes:
    """Find what differs; both sorted, `stored` holds the bars where `fresh` is the whole truth."""
    at = np.searchsorted(stored.ts, fresh.ts)
    known = at < len(stored)
    known[known] = stored.ts[at[known]] == fresh.ts[known]
    differs = ~fresh.take(known).same_rows(stored.take(at[known]))
    corrected = known.copy()
    corrected[known] = differs
    withdrawn = np.ones(len(stored), np.bool_)
    withdrawn[at[known]] = False
    replaced = np.zeros(len(stored), np.bool_)
    replaced[at[corrected]] = True
    return Changes(fresh, stored, ~known, corrected, replaced, withdrawn)
