"""Layout: how a table of one's own is to be read, and which instant each of its stamps means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from gapless.errors import UsageError
from gapless.transfer.soundness import midnight
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.timeframe import MINUTE, Base

NAMES = ("ts", "open", "high", "low", "close", "volume", "vwap", "trades", "symbol")
_REQUIRED = ("ts", "open", "high", "low", "close")
_UNITS = {"s": Decimal(1000), "ms": Decimal(1), "us": Decimal("1e-3"), "ns": Decimal("1e-6")}
_STAMPS = ("start", "end")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

Stamp = Callable[[object], int]
"""Reads a cell as the start of its bar (Unix ms); raises ValueError with what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file's columns mean.

    `columns` maps our names (`ts`, `open`, `high`, `low`, `close`, and if there are any `volume`, `vwap`, `trades`,
    `symbol`) to the file's; one that is not mapped has its own name, in any case. `symbol` is that of all rows where
    no column says it. `time` is `iso`, `s`, `ms`, `us` or `ns` since 1970, or a format of `strptime` (with
    a `%`). `zone` is the IANA zone of stamps without one; of day bars it is the zone whose dates they
    are (default: the asset class's). `stamp` tells whether a stamp is the `start` or the `end` of its bar.

    Raises:
        UsageError: something that cannot be.
    """

    base: Base
    columns: Mapping[str, str] = field(default_factory=dict)
    symbol: str | None = None
    time: str = "iso"
    zone: str | None = None
    stamp: str = "start"

    def __post_init__(self) -> None:
        for name in self.columns:
            _one_of("columns", name, NAMES)
        if "%" not in self.time:
            _one_of("time", self.time, ("iso", *_UNITS))
        _one_of("stamp", self.stamp, _STAMPS)
        if self.zone:
            _zone(self.zone)

    def places(self, header: Sequence[str], file: str) -> dict[str, int]:
        """Where our columns are among the file's.

        Raises:
            UsageError: one that is needed, or was named, is not there.
        """
        places = {}
        for name in NAMES:
            theirs = self.columns.get(name)
            found = [
                i for i, h in enumerate(header) if (h == theirs if theirs else h.strip().casefold() == name)
            ]
            needed = theirs or name in _REQUIRED or (name == "symbol" and not self.symbol)
            if len(found) > 1 or (needed and not found):
                raise UsageError(
                    f"`{file}` has {'more than one' if found else 'no'} column `{theirs or name}`; "
                    f"its columns are {', '.join(header)}.",
                    hint=f"Say which it is: `--columns {name}=...`"
                    + (", or give `--symbol`." if name == "symbol" else "."),
                )
            if found:
                places[name] = found[0]
        return places

    def reader(self, asset_class: AssetClass) -> Stamp:
        """How a stamp of this table is read for an instrument of this class."""
        if self.base is Base.DAY:
            zone = self.zone or asset_class.zone
            return lambda cell: self._day(self._moment(cell, zone), zone, asset_class)
        shift = MINUTE if self.stamp == "end" else 0
        return lambda cell: _milliseconds(self._moment(cell, self.zone)) - shift

    def _day(self, moment: datetime, zone: str, asset_class: AssetClass) -> int:
        """The date is what counts; it becomes midnight on the grid of the class."""
        local = moment.astimezone(_zone(zone))
        if local.time() != time():
            raise ValueError(f"is not midnight in {zone}, where a day bar begins")
        return midnight(local.date() - timedelta(days=self.stamp == "end"), asset_class.zone)

    def _moment(self, cell: object, zone: str | None) -> datetime:
        moment = self._parsed(cell)
        if moment.tzinfo:
            return moment
        if not zone:
            raise ValueError("has no time zone, and none was given (`--zone America/New_York`, for example)")
        local = moment.replace(tzinfo=_zone(zone))
        if local.utcoffset() != local.replace(fold=1).utcoffset():
            raise ValueError(
                f"is twice or never in {zone}, where clocks change; stamps with an offset are needed"
            )
        return local

    def _parsed(self, cell: object) -> datetime:
        if isinstance(cell, datetime):
            return cell
        if isinstance(cell, date):
            return datetime.combine(cell, time())
        text = str(cell).strip()
        if self.time in _UNITS:
            return _since_1970(text, _UNITS[self.time])
        try:
            if self.time == "iso":
                return datetime.fromisoformat(text)
            return datetime.strptime(text, self.time)  # noqa: DTZ007 - the zone is put to it by the caller
        except ValueError as error:
            raise ValueError("is not a time as it was announced") from error


def _since_1970(text: str, unit: Decimal) -> datetime:
    try:
        milliseconds = Decimal(text) * unit
        if milliseconds != int(milliseconds):
            raise ValueError("is not a whole number of milliseconds")
        return _EPOCH + timedelta(milliseconds=int(milliseconds))
    except (InvalidOperation, OverflowError) as error:
        raise ValueError("is not a number that a time could be") from error


def _milliseconds(moment: datetime) -> int:
    whole, rest = divmod(moment - _EPOCH, _MILLISECOND)
    if rest:
        raise ValueError("is not a whole number of milliseconds")
    return whole


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(
            f"`zone` was `{name}`, which is no time zone.", hint="Use an IANA name such as America/New_York."
        ) from error


def _one_of(param: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise UsageError(f"`{param}` was `{value}`.", hint=f"Use one of: {', '.join(allowed)}.")
