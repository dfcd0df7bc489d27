"""Sessions of United States exchanges: stocks, and the indices computed from them."""

import warnings

import numpy as np

from gapless.calendars.table import Table, at
from gapless.vocabulary.batch import Ints
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE

_FIRST_DATE = "2003-09-10"  # of the vendor's first stock bar: nothing earlier is asked for
_PRE_MARKET_HOUR = 4
_POST_MARKET = 4 * 60 * MINUTE


def stocks() -> Table:
    """Stocks and ETFs: the days of the New York Stock Exchange, with extended hours.

    All United States stock exchanges keep the same days and regular hours. The pre-market starts at 04:00 New
    York; the post-market lasts four hours: to 20:00, and to 17:00 after an early close at 13:00.
    """
    dates, opens, closes = _new_york()
    zone = AssetClass.STOCKS.zone
    pre, post = at(dates, _PRE_MARKET_HOUR, zone), closes + _POST_MARKET
    return _table(Sessions(at(dates, 0, zone), pre, opens, closes, post), at(dates, 24, zone))


def indices() -> Table:
    """Cash indices: the days and regular hours of the stocks they are made of, extended to the whole day.

    An index moves when its members trade, so the stock exchange's days are right; Cboe's index options keep
    the same holidays and half days. Publishers go on outside regular hours, each in its own way (the S&P 500's
    last value comes after 16:00, VIX starts at 03:15), so no minute of a trading day is ruled out.
    """
    dates, opens, closes = _new_york()
    zone = AssetClass.INDICES.zone
    days, ends = at(dates, 0, zone), at(dates, 24, zone)
    return _table(Sessions(days, days, opens, closes, ends), ends)


def _new_york() -> tuple[Ints, Ints, Ints]:
    """The dates (days since 1970), opens and closes (UTC ms) of regular sessions.

    They end where the library ends by default, about a year from today. It could compute further, but rules
    know nothing of storms and days of mourning: the farther ahead, the less they prove.
    """
    with warnings.catch_warnings():
        # The library reads its own table in ways that newer pandas deprecates; the result is not used here.
        warnings.simplefilter("ignore", DeprecationWarning)
        import exchange_calendars  # noqa: PLC0415 -- brings pandas and all exchanges: over a second

        schedule = exchange_calendars.get_calendar("XNYS", start=_FIRST_DATE).schedule
    dates = schedule.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    opens, closes = (
        schedule[column].dt.tz_convert(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
        for column in ("open", "close")
    )
    return dates, opens, closes


def _table(sessions: Sessions, ends: Ints) -> Table:
    return Table(Span(int(sessions.day[0]), int(ends[-1])), sessions, ends)
