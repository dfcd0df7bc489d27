"""Stretches of time: half-open, in UTC, whole milliseconds since 1970. Pure arithmetic, no clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A stretch of time in Unix milliseconds: `start` is inside, `end` is not; never empty."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"a Span needs start < end, got {self.start} and {self.end}")

    @property
    def length(self) -> int:
        """Milliseconds from start to end."""
        return self.end - self.start

    def __contains__(self, instant: int) -> bool:
        return self.start <= instant < self.end

    def pieces(self, length: int) -> "Iterator[Span]":
        """This span cut into spans of at most `length` milliseconds, in order."""
        for start in range(self.start, self.end, length):
            yield Span(start, min(start + length, self.end))

    def whole(self, step: int) -> "Span":
        """The smallest span around this one that begins and ends at multiples of `step` milliseconds."""
        return Span(self.start // step * step, -(-self.end // step) * step)

    def overlaps(self, other: "Span") -> bool:
        """Whether any instant is inside both."""
        return self.start < other.end and other.start < self.end

    def clip(self, other: "Span") -> "Span | None":
        """The part of this span inside `other`, None where there is none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None


EVER = Span(-(2**62), 2**62)
"""All time there is."""


class SpanSet:
    """An immutable set of instants, kept as sorted spans that neither overlap nor touch."""

    __slots__ = ("_spans",)

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans = tuple(_merged(spans))

    def __iter__(self) -> Iterator[Span]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpanSet) and self._spans == other._spans

    def __hash__(self) -> int:
        return hash(self._spans)

    def __repr__(self) -> str:
        return f"SpanSet({list(self._spans)})"

    def __contains__(self, instant: int) -> bool:
        return any(instant in span for span in self._spans)

    @property
    def length(self) -> int:
        """Milliseconds covered in all."""
        return sum(span.length for span in self._spans)

    def __or__(self, other: "SpanSet") -> "SpanSet":
        return SpanSet((*self._spans, *other._spans))

    def __and__(self, other: "SpanSet") -> "SpanSet":
        return SpanSet(_intersection(self._spans, other._spans))

    def __sub__(self, other: "SpanSet") -> "SpanSet":
        return SpanSet(_difference(self._spans, other._spans))

    def covers(self, span: Span) -> bool:
        """Whether every instant of `span` is inside."""
        return any(s.start <= span.start and span.end <= s.end for s in self._spans)

    def clip(self, span: Span) -> "SpanSet":
        """The part inside `span`."""
        return SpanSet(_intersection(self._spans, (span,)))


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in sorted(spans):
        if current is None:
            current = span
        elif span.start <= current.end:
            current = Span(current.start, max(current.end, span.end))
        else:
            yield current
            current = span
    if current is not None:
        yield current


def _intersection(left: tuple[Span, ...], right: tuple[Span, ...]) -> Iterator[Span]:
    """Walk two sorted, disjoint sequences side by side."""
    i = j = 0
    while i < len(left) and j < len(right):
        if shared := left[i].clip(right[j]):
            yield shared
        if left[i].end < right[j].end:
            i += 1
        else:
            j += 1


def _difference(left: tuple[Span, ...], right: tuple[Span, ...]) -> Iterator[Span]:
    j = 0
    for span in left:
        at = span.start
        while j < len(right) and right[j].end <= at:
            j += 1
        k = j
        while k < len(right) and right[k].start < span.end:
            if right[k].start > at:
                yield Span(at, right[k].start)
            at = max(at, right[k].end)
            k += 1
        if at < span.end:
            yield Span(at, span.end)
