"""Ledger: what a series' entries say of every instant. Pure; the store keeps the entries, this folds them."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Entry, Outcome


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time and the one entry that speaks for it."""

    span: Span
    entry: Entry


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of one series: sorted pieces that do not overlap; between them nobody ever asked."""

    pieces: tuple[Piece, ...]

    @property
    def covered(self) -> SpanSet:
        """Where nothing needs to be asked any more; bars in here that are stored are final."""
        return SpanSet(piece.span for piece in self.pieces if piece.entry.outcome.covers)

    def where(self, *outcomes: Outcome) -> SpanSet:
        """The instants that ended in one of these outcomes."""
        return SpanSet(piece.span for piece in self.pieces if piece.entry.outcome in outcomes)

    def waiting(self, now: int) -> SpanSet:
        """Where asking again before its due time would be no use. Provisional bars never wait."""
        return SpanSet(piece.span for piece in self.pieces if _waits(piece.entry, now))

    def at(self, instant: int) -> Piece | None:
        """The piece that holds an instant, None where nobody ever asked."""
        index = bisect_right(self.pieces, instant, key=lambda piece: piece.span.start) - 1
        if index >= 0 and instant in self.pieces[index].span:
            return self.pieces[index]
        return None

    def within(self, span: Span) -> list[Piece]:
        """The pieces inside `span`, cut at its edges."""
        cut = ((piece.span.clip(span), piece.entry) for piece in self.pieces)
        return [Piece(inside, entry) for inside, entry in cut if inside]


def fold(entries: Iterable[Entry]) -> Coverage:
    """Read entries in the order of their writing; the later one speaks, unless it knows less.

    An attempt that failed does not uncover what was covered before; only `lost` does.
    """
    pieces: list[Piece] = []
    for entry in entries:
        _lay(pieces, entry)
    return Coverage(tuple(pieces))


def _waits(entry: Entry, now: int) -> bool:
    if entry.outcome.covers or entry.outcome is Outcome.PROVISIONAL:
        return False
    return entry.due is not None and entry.due > now


def _lay(pieces: list[Piece], entry: Entry) -> None:
    """Put an entry over the pieces that it touches, in place."""
    first = bisect_right(pieces, entry.span.start, key=lambda piece: piece.span.end)
    last = first
    fresh: list[Piece] = []
    at = entry.span.start
    while last < len(pieces) and pieces[last].span.start < entry.span.end:
        old = pieces[last]
        if old.span.start < entry.span.start:
            fresh.append(Piece(Span(old.span.start, entry.span.start), old.entry))
        if not _yields(old.entry, entry):
            start, end = max(old.span.start, entry.span.start), min(old.span.end, entry.span.end)
            if at < start:
                fresh.append(Piece(Span(at, start), entry))
            fresh.append(Piece(Span(start, end), old.entry))
            at = end
        if old.span.end > entry.span.end:
            if at < entry.span.end:
                fresh.append(Piece(Span(at, entry.span.end), entry))
                at = entry.span.end
            fresh.append(Piece(Span(entry.span.end, old.span.end), old.entry))
        last += 1
    if at < entry.span.end:
        fresh.append(Piece(Span(at, entry.span.end), entry))
    pieces[first:last] = sorted(fresh, key=lambda piece: piece.span)


def _yields(old: Entry, new: Entry) -> bool:
    return new.outcome.covers or new.outcome is Outcome.LOST or not old.outcome.covers
