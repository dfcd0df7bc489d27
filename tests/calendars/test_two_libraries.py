"""Two calendar libraries, kept by different people, have to tell the same sessions."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gapless.calendars import open_calendar
from gapless.vocabulary.instrument import Instrument

NEW_YORK = ZoneInfo("America/New_York")
COLUMNS = ("pre", "market_open", "market_close", "post")
FULL_DAY = ("04:00", "09:30", "16:00", "20:00")

# pandas_market_calendars keeps what happened on the floor of one exchange, for minutes; consolidated bars of
# these days run through. Ours is the full day.
FLOOR_EVENTS = {
    "2004-06-07": ("two minutes of silence for Ronald Reagan", ("09:32", "09:32", "16:00", "20:00")),
    "2005-06-01": ("a line failure closed the floor early", ("04:00", "09:30", "15:56", "15:56")),
    "2006-12-27": ("two minutes of silence for Gerald Ford", ("09:32", "09:32", "16:00", "20:00")),
}

Row = tuple[str, ...]


def ours() -> dict[str, Row]:
    """Date to New York clock times, for the whole range that is known."""
    calendar, stock = open_calendar(), Instrument.parse("AAPL")
    s = calendar.sessions(stock, calendar.known(stock))
    return {
        _local(day, "%Y-%m-%d"): tuple(_local(instant, "%H:%M") for instant in row)
        for day, *row in zip(s.day, s.pre, s.open, s.close, s.post, strict=True)
    }


def theirs(first: str, last: str) -> dict[str, Row]:
    """The same from the other library."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own use of pandas
        import pandas_market_calendars

        schedule = pandas_market_calendars.get_calendar("NYSE").schedule(first, last, start="pre", end="post")
    times = [schedule[c].dt.tz_convert("America/New_York").dt.strftime("%H:%M") for c in COLUMNS]
    return dict(zip(schedule.index.strftime("%Y-%m-%d"), zip(*times, strict=True), strict=True))


def differences(left: dict[str, Row], right: dict[str, Row]) -> Iterator[tuple[str, Row | None, Row | None]]:
    """The dates on which two calendars disagree, with what each says."""
    for day in sorted({*left, *right}):
        if left.get(day) != right.get(day):
            yield day, left.get(day), right.get(day)


def test_both_libraries_tell_the_same_sessions() -> None:
    """Days, opens, closes and extended hours agree over all that is known, but for listed events."""
    mine = ours()

    found = list(differences(mine, theirs(min(mine), max(mine))))

    assert [(day, FULL_DAY, floor) for day, (_, floor) in FLOOR_EVENTS.items()] == found


def test_cboe_keeps_the_same_days_for_index_options() -> None:
    """The holidays and half days of stocks are right for cash indices: Cboe's index options share them."""
    calendar, index = open_calendar(), Instrument.parse("I:SPX")
    s = calendar.sessions(index, calendar.known(index))
    days = [_local(day, "%Y-%m-%d") for day in s.day]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import pandas_market_calendars

        cboe = pandas_market_calendars.get_calendar("CBOE_Index_Options").schedule(days[0], days[-1])

    assert list(cboe.index.strftime("%Y-%m-%d")) == days


def _local(instant: int, form: str) -> str:
    return datetime.fromtimestamp(int(instant) / 1000, UTC).astimezone(NEW_YORK).strftime(form)
