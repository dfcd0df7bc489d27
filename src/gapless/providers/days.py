"""Day stamps: which zone's midnights a vendor's day bars carry, and the same dates on gapless's own grid."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from gapless.errors import BadAnswer
from gapless.vocabulary.batch import Ints
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.timeframe import DAY

_EPOCH = date(1970, 1, 1).toordinal()
_SEEN_ZONES = {
    AssetClass.STOCKS: ("America/New_York",),
    AssetClass.CRYPTO: ("UTC", "America/New_York"),
    AssetClass.FOREX: ("UTC", "America/New_York"),
    AssetClass.INDICES: ("America/New_York", "America/Chicago"),
}
"""The zones that the vendor is known to use for the days of a class; the class's own is the first."""


def day_stamps(stamps: Ints, asset_class: AssetClass) -> tuple[Ints, bool]:
    """Bring day stamps (Unix ms) to midnight of the same dates in the class's zone; whether they moved.

    The vendor's sources disagree on the zone of forex and index days. The date is what counts.

    Raises:
        BadAnswer: a stamp is at no midnight that the class could have.
    """
    days = stamps // DAY  # every zone here is UTC or west of it, where local midnight has the date of UTC
    own = _midnights(asset_class.zone, days)
    for zone in _SEEN_ZONES[asset_class]:
        if np.array_equal(stamps, _midnights(zone, days)):
            return own, zone != asset_class.zone
    row = int((stamps != own).argmax())
    raise BadAnswer(f"row {row + 1}: `t` is {stamps[row]}, which is not a midnight in {asset_class.zone}")


def date_span(day: date, asset_class: AssetClass) -> tuple[int, int]:
    """The midnights (Unix ms) that begin and end a date in the class's zone."""
    number = day.toordinal() - _EPOCH
    return _midnight(asset_class.zone, number), _midnight(asset_class.zone, number + 1)


def _midnights(zone: str, days: Ints) -> Ints:
    if zone == "UTC":
        return days * DAY
    return np.fromiter((_midnight(zone, day) for day in days.tolist()), np.int64, len(days))


@lru_cache(maxsize=1 << 16)
def _midnight(zone: str, day: int) -> int:
    local = datetime.combine(date.fromordinal(_EPOCH + day), datetime.min.time(), ZoneInfo(zone))
    return int(local.timestamp()) * 1000
