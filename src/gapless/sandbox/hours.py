"""When the sandbox's markets trade: the New York exchange's rules since 2003, crypto, forex.

Written from the exchange's published rules, apart from every calendar library, so that it can judge one.
Days are counted from 1970-01-01 ("ordinals"); instants are Unix milliseconds (UTC).
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.timeframe import DAY, MINUTE

NEW_YORK = "America/New_York"
HOUR = 60 * MINUTE

FIRST_DAY = date(2003, 9, 10)
"""The first day of which the vendor has bars."""

DAY_ZONE = {
    AssetClass.STOCKS: NEW_YORK,
    AssetClass.CRYPTO: "UTC",
    AssetClass.FOREX: "UTC",
    AssetClass.INDICES: "America/Chicago",
}
"""Whose midnight starts the day bars of a class."""

ONE_OFF_CLOSURES = {
    date(2004, 6, 11): "Mourning for President Reagan",
    date(2007, 1, 2): "Mourning for President Ford",
    date(2012, 10, 29): "Hurricane Sandy",
    date(2012, 10, 30): "Hurricane Sandy",
    date(2018, 12, 5): "Mourning for President Bush",
    date(2025, 1, 9): "Mourning for President Carter",
}
ONE_OFF_EARLY_CLOSES = {date(2003, 12, 26): "Day after Christmas"}

_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6


# -- days and instants -------------------------------------------------------


def ordinal(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def day_of(days: int) -> date:
    """The date that is `days` after 1970-01-01."""
    return date.fromordinal(days + _EPOCH)


_EPOCH = date(1970, 1, 1).toordinal()


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of this IANA name."""
    return ZoneInfo(name)


@cache
def local(zone_name: str, days: int, minutes: int = 0) -> int:
    """The instant at which the clocks of a zone show `minutes` after midnight on a day."""
    wall = datetime.combine(day_of(days), time(*divmod(minutes, 60)), tzinfo=zone(zone_name))
    return int(wall.timestamp()) * 1000


def local_day(zone_name: str, instant: int) -> int:
    """The day that the calendars of a zone show at an instant."""
    return ordinal(datetime.fromtimestamp(instant / 1000, UTC).astimezone(zone(zone_name)).date())


# -- the New York exchange ---------------------------------------------------


@cache
def closures(year: int) -> dict[date, str]:
    """The weekdays of a year on which the New York exchange does not open, with the reason."""
    days = {
        _monday_if_sunday(date(year, 1, 1)): "New Year's Day",
        _nth(year, 1, _MONDAY, 3): "Martin Luther King, Jr. Day",
        _nth(year, 2, _MONDAY, 3): "Washington's Birthday",
        _easter(year) - timedelta(2): "Good Friday",
        _nth(year, 6, _MONDAY, 1) - timedelta(7): "Memorial Day",
        _nearest_weekday(date(year, 7, 4)): "Independence Day",
        _nth(year, 9, _MONDAY, 1): "Labor Day",
        _nth(year, 11, _THURSDAY, 4): "Thanksgiving",
        _nearest_weekday(date(year, 12, 25)): "Christmas",
    }
    if year >= 2022:  # noqa: PLR2004 - the first year in which the exchange kept it
        days[_nearest_weekday(date(year, 6, 19))] = "Juneteenth"
    days |= {day: why for day, why in ONE_OFF_CLOSURES.items() if day.year == year}
    return {day: why for day, why in sorted(days.items()) if day.weekday() < _SATURDAY}


@cache
def early_closes(year: int) -> dict[date, str]:
    """The days of a year on which the New York exchange closes at 13:00, with the reason."""
    days = {
        date(year, 7, 3): "Independence Day",
        _nth(year, 11, _THURSDAY, 4) + timedelta(1): "Thanksgiving",
        date(year, 12, 24): "Christmas",
    }
    days |= {day: why for day, why in ONE_OFF_EARLY_CLOSES.items() if day.year == year}
    shut = closures(year)
    return {day: why for day, why in sorted(days.items()) if day.weekday() < _SATURDAY and day not in shut}


def is_session(days: int) -> bool:
    """Whether the New York exchange opens on this day."""
    day = day_of(days)
    return day.weekday() < _SATURDAY and day not in closures(day.year)


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((weekday - first.weekday()) % 7 + 7 * (n - 1))


def _monday_if_sunday(day: date) -> date:
    return day + timedelta(1) if day.weekday() == _SUNDAY else day


def _nearest_weekday(day: date) -> date:
    return day + timedelta({_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0))


def _easter(year: int) -> date:
    """Easter Sunday by the rule of Meeus, Jones and Butcher."""
    century, rest = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (year % 19 + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


# -- sessions ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Session:
    day: int
    pre: int
    open: int
    close: int
    post: int


def sessions(asset_class: AssetClass, first: int, last: int) -> Sessions:
    """The sessions of a class on the days from `first` up to and without `last`."""
    rows = [astuple(s) for days in range(first, last) if (s := _session(asset_class, days))]
    table = np.array(rows, np.int64).reshape(-1, 5)
    return Sessions(*(np.ascontiguousarray(column) for column in table.T))


@cache
def _session(asset_class: AssetClass, days: int) -> _Session | None:
    midnight = local(DAY_ZONE[asset_class], days)
    if asset_class is AssetClass.CRYPTO:
        return _Session(midnight, midnight, midnight, midnight + DAY, midnight + DAY)
    if asset_class is AssetClass.FOREX:
        return _forex(midnight, days)
    if not is_session(days):
        return None
    early = day_of(days) in early_closes(day_of(days).year)
    open_, close = local(NEW_YORK, days, 570), local(NEW_YORK, days, 780 if early else 960)
    if asset_class is AssetClass.INDICES:
        return _Session(midnight, open_, open_, close, close)
    return _Session(midnight, local(NEW_YORK, days, 240), open_, close, close + 4 * HOUR)


def _forex(midnight: int, days: int) -> _Session | None:
    """The part of a UTC day inside the week from Sunday 17:00 to Friday 17:00, New York."""
    weekday, start, end = day_of(days).weekday(), midnight, midnight + DAY
    if weekday == _SATURDAY:
        return None
    if weekday == _SUNDAY:
        start = local(NEW_YORK, days, 17 * 60)
    if weekday == _FRIDAY:
        end = local(NEW_YORK, days, 17 * 60)
    return _Session(midnight, start, start, end, end)


def upcoming(now: int, *, days_ahead: int = 365) -> Iterator[tuple[date, str, bool]]:
    """The holidays after `now`: date, name, and whether it is only an early close."""
    today = day_of(local_day(NEW_YORK, now))
    for year in range(today.year, (today + timedelta(days_ahead)).year + 1):
        found = [(day, why, False) for day, why in closures(year).items()]
        found += [(day, why, True) for day, why in early_closes(year).items()]
        yield from (row for row in sorted(found) if today < row[0] <= today + timedelta(days_ahead))
