"""Dates as people write them, read once at the door."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import SupportsIndex
from zoneinfo import ZoneInfo

from gapless.errors import UsageError
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import OPEN_END

When = str | int | SupportsIndex | date | datetime
"""A moment as a caller may give it: text, Unix milliseconds, a date or a datetime with a zone."""

_AGO = re.compile(r"(\d{1,5})\s*(d|w|mo|y)")
_DAYS = {"d": 1, "w": 7, "mo": 30, "y": 365}
_EXAMPLES = "Write 2024-01-31, 2024-01-31T14:30, 30d or 1y (ago), or now."


def parse_instant(when: When, asset_class: AssetClass, *, now: int, param: str) -> int:
    """Read a moment as Unix milliseconds. A date is the midnight of the class's zone that begins it.

    Text may also be `now`, or `30d`, `4w`, `6mo`, `1y`: that long before the midnight that began today.

    Raises:
        UsageError: something else, or beyond the years 1970 to 2999; `param` names what it was given for.
    """
    found = _instant(when, asset_class, now=now, param=param)
    if 0 <= found <= OPEN_END:
        return found
    raise UsageError(f"`{param}` was `{when}`, which is beyond the years 1970 to 2999.", hint=_EXAMPLES)


def _instant(when: When, asset_class: AssetClass, *, now: int, param: str) -> int:
    zone = ZoneInfo(asset_class.zone)
    if isinstance(when, SupportsIndex):  # NumPy's whole numbers too
        return when.__index__()
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise UsageError(
                f"`{param}` has no time zone: {when!r}.", hint="Give a datetime with tzinfo, or a date."
            )
        return _ms(when)
    if isinstance(when, date):
        return midnight(when, zone)
    text = _text(when, param)
    if text == "now":
        return now
    today = datetime.fromtimestamp(now / 1000, zone).date()
    try:
        if ago := _AGO.fullmatch(text):
            return midnight(today - timedelta(days=int(ago[1]) * _DAYS[ago[2]]), zone)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"`{param}` was `{when}`, which is not a date.", hint=_EXAMPLES) from None
    return _ms(at if at.tzinfo else at.replace(tzinfo=zone))


def _text(when: object, param: str) -> str:
    if isinstance(when, str):
        return when.strip()
    raise UsageError(  # of `datetime64` too: it looks like local time and is meant in UTC
        f"`{param}` was {when!r}, which is not a date, a datetime with a zone, text or whole Unix milliseconds.",
        hint=_EXAMPLES,
    )


def span_between(
    start: When | None, end: When | None, whole: Span, asset_class: AssetClass, *, now: int
) -> Span | None:
    """From `start` to `end` (exclusive), each that of `whole` where it is not given; None where `whole` is beyond.

    Raises:
        UsageError: no date, or the end is not after the start.
    """
    first = whole.start if start is None else parse_instant(start, asset_class, now=now, param="start")
    last = whole.end if end is None else parse_instant(end, asset_class, now=now, param="end")
    if start is not None and end is not None and last <= first:
        raise UsageError(
            f"`end` ({iso(last)}) is not after `start` ({iso(first)}).",
            hint="The end is exclusive: for one day, give the next day as the end.",
        )
    return Span(first, last) if first < last else None


def midnight(day: date, zone: ZoneInfo) -> int:
    """The instant at which a date begins in a zone."""
    return _ms(datetime(day.year, day.month, day.day, tzinfo=zone))


def day_start(instant: int, asset_class: AssetClass) -> int:
    """The midnight of the class's zone at or before an instant."""
    zone = ZoneInfo(asset_class.zone)
    return midnight(datetime.fromtimestamp(instant / 1000, zone).date(), zone)


def iso(instant: int) -> str:
    """An instant as people read it, in UTC to the minute."""
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def typed(instant: int) -> str:
    """An instant as a person can type it again, whatever the zone of the instrument."""
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%dT%H:%MZ")


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
