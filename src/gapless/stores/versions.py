"""Versions: what bars were from which moment on, and what the vendor thereby changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np
from numpy.typing import NDArray

from gapless.stores.coverage import Word, was_covered
from gapless.vocabulary.batch import NO_TRADES, Batch, Ints
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Numbers, Outcome, Revision
from gapless.vocabulary.timeframe import DAY

AT_ONCE = 92 * DAY
"""How much of a series is compared at a time: memory stays small whatever the history."""

NO_BAR = -1


@dataclass(frozen=True, slots=True, eq=False)
class Versions:
    """From `written[i]` (Unix ms) on, the bar that starts at `ts[i]` is `bars[place[i]]`, or none at `NO_BAR`.

    Of two that were written at the same moment the later in line counts: the other stood for no time.
    """

    bars: Batch
    ts: Ints
    written: Ints
    place: Ints

    def settled(self, until: int) -> "Versions":
        """By ts, then written, without those that stood for no time or came after `until` (Unix ms)."""
        order = np.lexsort((self.written, self.ts))  # stable: the line's order remains among equals
        order = order[self.written[order] <= until]
        ts, written, place = self.ts[order], self.written[order], self.place[order]
        stood = np.append((ts[1:] != ts[:-1]) | (written[1:] != written[:-1]), True)[: len(ts)]
        return Versions(self.bars, ts[stood], written[stood], place[stood])


def revisions(versions: Versions, words: Sequence[Word], until: int) -> Iterator[Revision]:
    """What changed from one version of a bar to its next, given all that the ledger said `until` then (Unix ms)."""
    now = versions.settled(until)
    first = np.append(True, now.ts[1:] != now.ts[:-1])[: len(now.ts)]
    before = np.where(first, NO_BAR, np.append(NO_BAR, now.place[:-1])[: len(now.ts)])
    had, has = before != NO_BAR, now.place != NO_BAR
    differs = had != has
    both = had & has
    differs[both] = ~now.bars.take(before[both]).same_rows(now.bars.take(now.place[both]))
    at = np.flatnonzero(differs & _remembered(now, words))
    final = was_covered(words, now.ts[at], now.written[at])
    listed = had[at] | final  # a bar where nothing was known yet is new, not changed
    at, final = at[listed], final[listed]
    columns = (now.ts[at], now.written[at], before[at], now.place[at], final)
    for ts, written, old, new, was_final in zip(*(column.tolist() for column in columns), strict=True):
        yield Revision(ts, written, _numbers(now.bars, old), _numbers(now.bars, new), was_final)


def _remembered(now: Versions, words: Sequence[Word]) -> NDArray[np.bool_]:
    """Which versions came after the last loss of their bars: before it, nobody knows what they followed."""
    known = np.ones(len(now.ts), np.bool_)
    for word in words:
        if word.outcome is Outcome.LOST:
            known &= (now.ts < word.span.start) | (now.ts >= word.span.end) | (now.written > word.written)
    return known


def _numbers(bars: Batch, place: int) -> Numbers | None:
    if place == NO_BAR:
        return None
    _, open_, high, low, close, volume, vwap, trades = (
        column[place].item() for column in bars.columns.values()
    )
    return Numbers(
        open_, high, low, close, _known(volume), _known(vwap), None if trades == NO_TRADES else trades
    )


def _known(number: float) -> float | None:
    return None if isnan(number) else number


def pieces(span: Span, hull: Span | None) -> Iterator[Span]:
    """The part of `span` where there ever were bars, a piece at a time."""
    if hull and (within := span.clip(hull)):
        yield from within.pieces(AT_ONCE)
