"""Windows: which whole days, weeks or months a change of base bars touches."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Timeframe


def whole_windows(span: Span, timeframe: Timeframe, asset_class: AssetClass) -> Span:
    """`span` grown so that no window of `timeframe` is cut: to local midnights, Mondays or firsts of a month."""
    zone = ZoneInfo(asset_class.zone)
    first = _day(span.start, zone)
    after = _day(span.end - 1, zone) + timedelta(days=1)
    match timeframe.name:
        case "1w":
            first -= timedelta(days=first.weekday())
            after += timedelta(days=-after.weekday() % 7)
        case "1mo":
            first = first.replace(day=1)
            after = _first_from(after)
    return Span(_midnight(first, zone), _midnight(after, zone))


def _first_from(day: date) -> date:
    """The first of a month that is not before this day."""
    return day if day.day == 1 else (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _day(instant: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(instant / 1000, zone).date()


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp()) * 1000
