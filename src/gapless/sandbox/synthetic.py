"""A market made of noise: any minute of any known instrument since 2003, the same for the same seed.

Nothing is remembered from bar to bar. Every number is a pure function of (seed, ticker, minute), so any stretch
can be made on its own, in any order, in any process.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from datetime import date, datetime
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from gapless.sandbox import hours
from gapless.sandbox.catalogue import LISTINGS, Listing, shares_since
from gapless.sandbox.market import Dividend, Split, Ticker
from gapless.sandbox.noise import Bits, dice_of, random_bits, wander
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats, Ints
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

Made = TypeVar("Made")

_FIRST = hours.ordinal(hours.FIRST_DAY)
_LAST = hours.ordinal(date(2031, 1, 1))
_NOW = hours.ordinal(date(2026, 11, 24))
FRACTIONS_SINCE = int(datetime.fromisoformat("2026-02-23T00:00-05:00").timestamp()) * 1000
"""From here on the volumes of stocks have fractions."""

_MINUTE_MONTHS, _DAY_MONTHS = 40, 12_000
"""How many months of one instrument are remembered: 100 MB of minutes, 20 MB of days."""


class SyntheticMarket:
    """The listings of the catalogue, with every bar made when it is asked for."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._minute_months: _Kept[tuple[str, int], Batch] = _Kept(_MINUTE_MONTHS)
        self._day_months: _Kept[tuple[str, int], Batch] = _Kept(_DAY_MONTHS)

    def __reduce__(self) -> tuple[type["SyntheticMarket"], tuple[int]]:
        return SyntheticMarket, (self.seed,)

    @property
    def tickers(self) -> Sequence[Ticker]:
        """Every listing of the catalogue."""
        return [Ticker(one.instrument, one.name, one.kind) for one in LISTINGS.values()]

    def splits(self, ticker: str) -> Sequence[Split]:
        """The splits that happen in the raw prices."""
        return LISTINGS[ticker].splits if ticker in LISTINGS else ()

    def dividends(self, ticker: str) -> Sequence[Dividend]:
        """Quarterly dividends; they leave no trace in the prices."""
        return LISTINGS[ticker].dividends if ticker in LISTINGS else ()

    def bars(self, instrument: Instrument, base: Base, span: Span) -> Batch:
        """The bars that start inside `span`, from 2003-09-10 to the end of 2030."""
        listing = LISTINGS.get(instrument.ticker)
        if listing is None:
            return Batch.empty()
        # A New York day reaches into the next one of UTC.
        first, last = max(span.start // DAY - 1, _FIRST), min(span.end // DAY + 1, _LAST)
        if first >= last:
            return Batch.empty()
        make = self._minutes if base is Base.MINUTE else self._days
        return Batch.concat(
            make(listing, month).between(span) for month in range(_month(first), _month(last - 1) + 1)
        )

    def _minutes(self, listing: Listing, month: int) -> Batch:
        made = self._minute_months
        return made.get((listing.ticker, month), lambda: _minutes(self.seed, listing, *_days_of(month)))

    def _days(self, listing: Listing, month: int) -> Batch:
        def make() -> Batch:
            sessions = hours.sessions(listing.instrument.asset_class, *_days_of(month))
            return _day_bars(self.seed, listing, self._minutes(listing, month), sessions)

        return self._day_months.get((listing.ticker, month), make)


def _month(day: int) -> int:
    """The month that a day is in, counted from 1970."""
    date_ = hours.day_of(day)
    return (date_.year - 1970) * 12 + date_.month - 1


def _days_of(month: int) -> tuple[int, int]:
    """The days of a month inside the market's history."""
    start, end = (hours.ordinal(date(1970 + m // 12, m % 12 + 1, 1)) for m in (month, month + 1))
    return max(start, _FIRST), min(end, _LAST)


Key = TypeVar("Key", bound=Hashable)


class _Kept(Generic[Key, Made]):
    """What was made lately; safe to ask from several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Key, Made] = OrderedDict()
        self._turn = threading.Lock()

    def get(self, key: Key, make: Callable[[], Made]) -> Made:
        """The thing of this key, made where it is not there."""
        with self._turn:
            if key not in self._made:
                self._made[key] = make()
            self._made.move_to_end(key)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
            return self._made[key]


# -- minute bars -------------------------------------------------------------


def _minutes(seed: int, listing: Listing, first: int, last: int) -> Batch:
    """Every minute bar of the days from `first` up to and without `last`."""
    days = hours.sessions(listing.instrument.asset_class, first, last)
    slots, day = _slots(days)
    if not len(slots):
        return Batch.empty()
    dice = dice_of(random_bits(seed, listing.ticker, "bar", slots))
    traded = _traded(listing, days, slots, day, dice[0])
    slots, day, dice = slots[traded], day[traded], [die[traded] for die in dice]
    open_, high, low, close = _prices(seed, listing, days, slots, day, dice)
    if listing.instrument.asset_class is AssetClass.INDICES:
        none = np.full(len(slots), np.nan)
        return Batch(slots, open_, high, low, close, none, none, np.full(len(slots), NO_TRADES, np.int64))
    volume, vwap, trades = _activity(seed, listing, days, slots, day, high, low)
    return Batch(slots, open_, high, low, close, volume, vwap, trades)


def _slots(days: Sessions) -> tuple[Ints, Ints]:
    """The start of every minute in which there could be a trade, and the position of its session."""
    if not len(days):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    grid = days.pre[:, None] + np.arange(0, int((days.post - days.pre).max()), MINUTE)
    inside = grid < days.post[:, None]
    return grid[inside], np.nonzero(inside)[0]


def _traded(listing: Listing, days: Sessions, slots: Ints, day: Ints, die: Floats) -> NDArray[np.bool_]:
    """Which minutes have a trade; the first and the last of the regular session always do."""
    open_, close = days.open[day], days.close[day]
    regular = (slots >= open_) & (slots < close)
    hours_away = np.maximum(open_ - slots, slots - close) / hours.HOUR
    chance = np.where(regular, listing.regular, listing.extended * np.clip(1.1 - 0.15 * hours_away, 0.2, 1.0))
    traded: NDArray[np.bool_] = (die < chance) | (slots == open_) | (slots == close - MINUTE)
    for halt in listing.halts:
        traded &= (slots < halt.start) | (slots >= halt.end)
    return traded


def _level(seed: int, listing: Listing, instants: Ints) -> Floats:
    """The price at which a share of today would trade, before rounding."""
    minutes = instants // MINUTE
    years = (minutes / 1440 - _FIRST) / (_NOW - _FIRST)
    trend = np.log(listing.then) + np.log(listing.now / listing.then) * years
    # Ends near the price of 2026: the walk is taken relative to where it will be.
    here = wander(seed, listing.ticker, minutes)
    there = wander(seed, listing.ticker, np.array([_NOW * 1440]))
    level: Floats = np.exp(trend + (here - there) * (listing.swing / 1440**0.5))
    return level


def _prices(
    seed: int, listing: Listing, days: Sessions, slots: Ints, day: Ints, dice: list[Floats]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Open, high, low, close as traded, on the price grid."""
    grid = 10.0**listing.decimals
    shares = np.array([shares_since(listing.splits, hours.day_of(int(d) // DAY)) for d in days.day])[day]
    ends = np.stack((slots, slots + MINUTE)).ravel()
    order = np.argsort(ends, kind="stable")
    level = np.empty(len(ends))
    level[order] = _level(seed, listing, ends[order])
    ticks = np.maximum(level.reshape(2, -1) * shares * grid, 1.0)
    usual = ticks[0] * (listing.swing / 1440**0.5) * 2
    open_ = np.rint(ticks[0] + usual * (dice[3] - 0.5))
    close = np.rint(ticks[1])
    high = np.maximum(open_, close) + np.floor(usual * dice[1] ** 2 * 2)
    low = np.maximum(np.minimum(open_, close) - np.floor(usual * dice[2] ** 2 * 2), 1)
    return open_ / grid, high / grid, low / grid, close / grid


def _activity(
    seed: int, listing: Listing, days: Sessions, slots: Ints, day: Ints, high: Floats, low: Floats
) -> tuple[Floats, Floats, Ints]:
    """Volume, volume-weighted price and trades."""
    bits = random_bits(seed, listing.ticker, "activity", slots)
    size, place, count, odd = dice_of(bits)
    stock = listing.instrument.asset_class is AssetClass.STOCKS
    volume = listing.volume * np.exp(2.4 * (size + count - 1.0))
    if stock:
        volume *= _rush(days, slots, day)
    volume = _counted(listing, volume, slots, bits)
    # One row in 25 lies outside: trades that count for the volume but not for high and low.
    outside = np.where(odd < 0.02, -0.5, np.where(odd > 0.98, 0.5, 0.0))  # noqa: PLR2004 - two in a hundred each
    places = min(listing.decimals + 2, 6)
    vwap = np.rint((low + (high - low) * (0.2 + 0.6 * place + outside)) * 10**places) / 10**places
    trades = 1 + (volume * (0.01 if stock else 0.3) * (0.5 + count)).astype(np.int64)
    if listing.spotty:
        lost = (odd > 0.5) & (odd < 0.503)  # noqa: PLR2004 - three in a thousand
        vwap[lost], trades[lost] = np.nan, NO_TRADES
    return volume, vwap, trades


def _rush(days: Sessions, slots: Ints, day: Ints) -> Floats:
    """How busy a minute is beside a usual one: more at the open and close, little outside regular hours."""
    open_, close = days.open[day], days.close[day]
    at = np.clip((slots - open_) / (close - open_), 0, 1)
    busy: Floats = np.where((slots >= open_) & (slots < close), 0.6 + 3.2 * (at - 0.5) ** 2 * 2, 0.02)
    return busy


def _counted(listing: Listing, volume: Floats, slots: Ints, bits: Bits) -> Floats:
    """The volume in the units in which it is reported: shares, ticks, or parts of a coin."""
    if listing.instrument.asset_class is AssetClass.CRYPTO:
        places = 8 if listing.volume < 1000 else 4  # noqa: PLR2004 - cheap coins are counted more coarsely
        coins: Floats = np.maximum(np.rint(volume * 10.0**places), 1) / 10.0**places
        return coins
    whole = np.floor(volume) + 1
    if listing.instrument.asset_class is AssetClass.FOREX:
        return whole
    millionths = np.where(slots >= FRACTIONS_SINCE, (bits >> np.uint64(20)) % np.uint64(1_000_000), 0)
    counted: Floats = (whole * 1e6 + millionths) / 1e6
    return counted


# -- day bars ----------------------------------------------------------------


def _day_bars(seed: int, listing: Listing, minutes: Batch, days: Sessions) -> Batch:
    """Day bars from the trades of regular hours, which are deliberately not the sum of the minutes."""
    if not len(days):
        return Batch.empty()
    starts = np.searchsorted(minutes.ts, days.pre)
    opens, closes = np.searchsorted(minutes.ts, days.open), np.searchsorted(minutes.ts, days.close)
    pairs = np.stack((opens, closes), axis=1).ravel()
    open_, close = minutes.open[opens], minutes.close[closes - 1]
    high = _over(np.maximum, minutes.high, pairs)[::2]
    low = _over(np.minimum, minutes.low, pairs)[::2]
    if not listing.instrument.asset_class.has_volume:
        none = np.full(len(days), np.nan)
        return Batch(days.day, open_, high, low, close, none, none, np.full(len(days), NO_TRADES, np.int64))
    volume, trades = (
        np.add.reduceat(minutes.volume, starts),
        np.add.reduceat(np.maximum(minutes.trades, 0), starts),
    )
    worth = np.add.reduceat(np.nan_to_num(minutes.vwap) * minutes.volume, starts)
    weight = np.add.reduceat(np.where(np.isnan(minutes.vwap), 0, minutes.volume), starts)
    grid = 10.0 ** (listing.decimals + 2)
    vwap = np.rint(worth / weight * grid) / grid
    if listing.instrument.asset_class is AssetClass.STOCKS:
        close, high, low = _auction(seed, listing, days, close, high, low)
        # Odd lots and the auctions are in no minute bar.
        volume = np.where(days.day < FRACTIONS_SINCE, np.floor(volume * 1.08), volume * 1.08)
    return Batch(days.day, open_, high, low, close, np.rint(volume * 1e6) / 1e6, vwap, trades)


def _over(what: np.ufunc, column: Floats, pairs: Ints) -> Floats:
    """A reduction from each even position to the odd one after it; the last may be the end of the column."""
    folded: Floats = what.reduceat(np.append(column, column[-1]), pairs)
    return folded


def _auction(
    seed: int, listing: Listing, days: Sessions, close: Floats, high: Floats, low: Floats
) -> tuple[Floats, Floats, Floats]:
    """The official close is the auction's: a few ticks from the last minute, now and then a new high or low."""
    grid = 10.0**listing.decimals
    die = dice_of(random_bits(seed, listing.ticker, "auction", days.day))[0]
    official = np.maximum(np.rint(close * grid) + np.floor(die * 7) - 3, 1) / grid
    return official, np.maximum(high, official), np.minimum(low, official)
