"""Counting packed bars: segments that lie alone say how many they hold; only the others are opened."""

from bisect import bisect_right
from collections.abc import Iterable

from sqlalchemy import Connection

from gapless.stores.base import damaged
from gapless.stores.records import Listed
from gapless.stores.segments import Outline, Starts, groups, load, outlines, speaking
from gapless.vocabulary.batch import inside
from gapless.vocabulary.span import Span, SpanSet


def count_bars(connection: Connection, listed: Listed, spans: SpanSet) -> int:
    """How many bars of a series start inside `spans`."""
    if not (asked := list(spans)):
        return 0
    total = 0
    for group in groups(outlines(connection, listed, Span(asked[0].start, asked[-1].end))):
        hull = Span(group[0].span.start, max(one.span.end for one in group))
        at = bisect_right(asked, hull.start, key=lambda span: span.end)
        if at == len(asked) or not asked[at].overlaps(hull):
            continue
        alone = len(group) == 1 and asked[at].clip(hull) == hull
        total += group[0].bars if alone else _opened(connection, listed, group, spans)
    return total


def _opened(connection: Connection, listed: Listed, group: Iterable[Outline], spans: SpanSet) -> int:
    parts = list[Starts]()
    for one in sorted(group, key=lambda one: one.id):
        segment = load(connection, one.id)
        if not segment or not segment.intact(listed.name):
            raise damaged(listed, one.span, "a segment is not what its checksum says")
        parts += segment.starts()
    ts, _ = speaking(parts)
    return int(inside(ts, spans).sum())
