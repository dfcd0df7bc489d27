"""A time of day, every day, in a zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gapless.errors import UsageError
from gapless.vocabulary.instrument import AssetClass

_TIME = re.compile(r"(\d{1,2}):(\d{2})(?: *([A-Za-z][\w+/-]*))?")
_EXAMPLES = "Write 21:30 (New York), 02:30Z, or 06:00 Europe/Berlin."


@dataclass(frozen=True, slots=True)
class Daily:
    """A time of day in a zone of the IANA database."""

    at: time
    zone: str = AssetClass.STOCKS.zone

    def __str__(self) -> str:
        return f"{self.at:%H:%M} {self.zone}"

    @classmethod
    def parse(cls, text: str) -> "Daily":
        """Read `21:30`, which is in New York, `02:30Z` or `06:00 Europe/Berlin`.

        Raises:
            UsageError: no such time, or no such zone.
        """
        found = _TIME.fullmatch(text.strip())
        try:
            at = time(int(found[1]), int(found[2])) if found else None
        except ValueError:
            at = None
        if found is None or at is None:
            raise UsageError(f"`{text}` is not a time of day.", hint=_EXAMPLES)
        zone = found[3] or AssetClass.STOCKS.zone
        zone = "UTC" if zone.upper() == "Z" else zone
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            raise UsageError(f"`{zone}` is not a time zone.", hint=_EXAMPLES) from None
        return cls(at, zone)

    def next_after(self, instant: int) -> int:
        """The first moment after `instant` at which it is that time (both Unix ms).

        A time that a change of clocks leaves out comes later by as much as the clocks were moved; one that comes twice
        counts the first time.
        """
        zone = ZoneInfo(self.zone)
        day = datetime.fromtimestamp(instant / 1000, zone).date() - timedelta(days=1)
        while True:
            moment = round(datetime.combine(day, self.at, zone).astimezone(UTC).timestamp() * 1000)
            if moment > instant:
                return moment
            day += timedelta(days=1)


USUAL = Daily(time(21, 30))
"""Half an hour after the bars of stocks are final: their extended session closes at 20:00, and settles for an hour."""
