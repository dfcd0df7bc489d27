"""Spans against plain sets of instants."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.vocabulary.span import Span, SpanSet

spans = st.tuples(st.integers(-30, 60), st.integers(1, 25)).map(lambda pair: Span(pair[0], sum(pair)))
many = st.lists(spans, max_size=8)


def instants(spans: SpanSet | list[Span]) -> set[int]:
    """Every instant inside any of the spans, one by one."""
    return {at for span in spans for at in range(span.start, span.end)}


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5)])
def test_an_empty_or_backward_span_does_not_exist(start: int, end: int) -> None:
    """A span holds at least one millisecond."""
    with pytest.raises(ValueError, match="start < end"):
        Span(start, end)


def test_a_span_holds_its_start_but_not_its_end() -> None:
    """Half-open: neighbours share no instant."""
    assert [5 in Span(5, 8), 7 in Span(5, 8), 8 in Span(5, 8), 4 in Span(5, 8)] == [True, True, False, False]
    assert not Span(5, 8).overlaps(Span(8, 9))
    assert Span(5, 8).length == 3


@given(spans, spans)
def test_two_spans_overlap_where_they_share_an_instant(one: Span, other: Span) -> None:
    """`overlaps` and `clip` are the intersection of two sets."""
    shared = instants([one]) & instants([other])

    clipped = one.clip(other)

    assert one.overlaps(other) == bool(shared)
    assert (instants([clipped]) if clipped else set()) == shared


@given(spans, st.integers(1, 7))
def test_the_whole_steps_around_a_span_are_those_it_touches(span: Span, step: int) -> None:
    """Each step that holds one of its instants, and no other."""
    touched = {at // step for at in instants([span])}

    assert instants([span.whole(step)]) == {n * step + i for n in touched for i in range(step)}


@given(many)
def test_a_set_is_kept_sorted_disjoint_and_joined(parts: list[Span]) -> None:
    """Whatever it was made from, neighbours in a set have at least one instant between them."""
    kept = list(SpanSet(parts))

    assert all(left.end < right.start for left, right in pairwise(kept))
    assert instants(kept) == instants(parts)


@given(many, many)
def test_sets_are_equal_where_they_hold_the_same_instants(left: list[Span], right: list[Span]) -> None:
    """How a set was written does not matter, and equal sets hash alike."""
    one, other = SpanSet(left), SpanSet(right)
    again = SpanSet(Span(at, at + 1) for at in instants(left))

    assert (one == other) == (instants(left) == instants(right))
    assert (one, hash(one)) == (again, hash(again))


@given(many, many, many)
def test_operations_are_those_of_sets(a: list[Span], b: list[Span], c: list[Span]) -> None:
    """Union, intersection and difference, alone and together, instant by instant."""
    one, two, three = SpanSet(a), SpanSet(b), SpanSet(c)
    x, y, z = instants(a), instants(b), instants(c)

    assert instants(one | two) == x | y
    assert instants(one & two) == x & y
    assert instants(one - two) == x - y
    assert instants((one | two) - three) == (x | y) - z
    assert one.length == len(x)
    assert len(one & two) == len(list(one & two))


@given(many, spans, st.integers(-35, 90))
def test_a_set_answers_for_a_span_and_an_instant(parts: list[Span], span: Span, instant: int) -> None:
    """`covers` means every instant, `clip` those inside, `in` just one."""
    held, asked = instants(parts), instants([span])

    assert SpanSet(parts).covers(span) == (asked <= held)
    assert instants(SpanSet(parts).clip(span)) == held & asked
    assert (instant in SpanSet(parts)) == (instant in held)


def test_no_spans_are_nothing() -> None:
    """The empty set is false, has no length and covers nothing."""
    nothing = SpanSet()

    assert not nothing
    assert nothing.length == 0
    assert not nothing.covers(Span(0, 1))
    assert nothing != "nothing"
    assert repr(SpanSet([Span(1, 2)])) == "SpanSet([Span(start=1, end=2)])"
