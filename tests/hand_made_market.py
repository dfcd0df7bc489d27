"""Small markets written by hand: sessions, bars and pages, with nothing of a calendar or a vendor behind them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Page, Request
from gapless.vocabulary.timeframe import DAY, MINUTE

NEW_YORK = ZoneInfo("America/New_York")
HOUR = 60 * MINUTE
EVER = Span(0, 2**50)

PAGE = Page(
    Request("https://vendor.test/bars", AssetClass.STOCKS),
    b"{}",
    "d1g357",
    "request-1",
    0,
    wire_bytes=2,
)

Row = tuple[int, int, int, int, int]
"""One session: day, pre, open, close, post in Unix ms."""


def utc(text: str) -> int:
    """A moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def ny(text: str) -> int:
    """A moment told by the clocks of New York."""
    return int(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()) * 1000


def new_york_day(date: str, *, close: str = "16:00", post: str = "20:00") -> Row:
    """A trading day of US stocks, with its extended hours."""
    return (ny(date), ny(f"{date} 04:00"), ny(f"{date} 09:30"), ny(f"{date} {close}"), ny(f"{date} {post}"))


def endless_day(date: str) -> Row:
    """A day of a market that never closes."""
    day = utc(date)
    return (day, day, day, day + DAY, day + DAY)


def plain_session(start: int, end: int, day: int | None = None) -> Row:
    """A session without extended hours; its day begins with it unless told otherwise."""
    return (start if day is None else day, start, start, end, end)


def sessions(rows: Iterable[Row]) -> Sessions:
    """The rows as the columns that a calendar gives."""
    table = np.array(list(rows), np.int64).reshape(-1, 5)
    return Sessions(*(table[:, column].copy() for column in range(5)))


def bars(starts: Iterable[int]) -> Batch:
    """One plain bar at each of these instants."""
    ts = np.array(sorted(starts), np.int64)
    ones = np.ones(len(ts))
    return Batch(ts, ones, ones, ones, ones, ones, ones, np.ones(len(ts), np.int64))


def minutes(start: int, end: int) -> range:
    """Every minute from start to before end."""
    return range(start, end, MINUTE)


def cells(spans: Iterable[Span], step: int) -> set[int]:
    """The slow, plain answer: every multiple of `step` inside any of the spans, which begin and end on one."""
    return {at // step for span in spans for at in range(span.start, span.end, step)}


def spans_of(numbers: Iterable[int], step: int) -> SpanSet:
    """One span for each cell; the set joins those that touch."""
    return SpanSet(Span(n * step, (n + 1) * step) for n in numbers)


def runs(numbers: Iterable[int]) -> list[list[int]]:
    """Whole numbers in unbroken runs."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][-1] == number - 1:
            found[-1].append(number)
        else:
            found.append([number])
    return found
