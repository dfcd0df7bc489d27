"""Sessions that follow from a rule alone: crypto never closes, forex closes at the weekend."""

import numpy as np

from gapless.calendars.table import Table, at
from gapless.vocabulary.batch import Ints
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY

_CRYPTO_FIRST = "2009-01-03"  # Bitcoin's first block
_FOREX_FIRST = "1999-01-01"  # the euro's first day
_LAST = "2050-01-01"  # far enough for every reader, near enough that the table is small

_NEW_YORK = "America/New_York"
_WEEK_EDGE_HOUR = 17
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6


def crypto() -> Table:
    """Every UTC day, all 24 hours."""
    days = _dates(_CRYPTO_FIRST) * DAY
    return _table(Sessions(days, days, days, days + DAY, days + DAY))


def forex() -> Table:
    """UTC days, clipped to the trading week from Sunday 17:00 to Friday 17:00, New York time.

    So Friday ends and Sunday opens at 21:00 UTC in summer and 22:00 in winter, and Saturday has no session.
    Dealers quote before the official opening, many from Sunday 15:00 New York and some from the morning: the
    hours of Sunday before 17:00 are extended hours, `pre` to `open`. Christmas and New Year are thin but not
    closed: banks keep different days. A minute without a bar is better asked for than ruled out wrongly.
    """
    dates = _dates(_FOREX_FIRST)
    dates = dates[_weekday(dates) != _SATURDAY]
    friday, sunday = _weekday(dates) == _FRIDAY, _weekday(dates) == _SUNDAY
    days = dates * DAY
    opens, closes = days.copy(), days + DAY
    opens[sunday] = at(dates[sunday], _WEEK_EDGE_HOUR, _NEW_YORK)
    closes[friday] = at(dates[friday], _WEEK_EDGE_HOUR, _NEW_YORK)
    return _table(Sessions(days, days, opens, closes, closes))


def _table(sessions: Sessions) -> Table:
    ends = sessions.day + DAY
    return Table(Span(int(sessions.day[0]), int(ends[-1])), sessions, ends)


def _dates(first: str) -> Ints:
    """Days since 1970, from `first` up to the last that the rules are given for."""
    return np.arange(first, _LAST, dtype="datetime64[D]").astype(np.int64)


def _weekday(dates: Ints) -> Ints:
    """0 is Monday; 1970 began on a Thursday."""
    return (dates + 3) % 7
