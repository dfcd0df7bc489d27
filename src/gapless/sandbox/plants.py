"""A market with bad prints: wrong trades planted in its minute bars at a given rate, and the truth about each.

Which bars are hit, how and how hard is a pure function of (seed, ticker, minute). Day bars stay right: they are
published later, when the wrong trades have been cancelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np

from gapless.sandbox.market import Dividend, Market, Split, Ticker
from gapless.sandbox.noise import dice_of, random_bits
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base


class Plant(StrEnum):
    """One way in which a minute bar is wrong."""

    SPIKE_HIGH = "spike_high"  # one trade 3 to 30 % above the market
    SPIKE_LOW = "spike_low"  # one trade 3 to 30 % below the market
    DECIMAL_SLIP = "decimal_slip"  # one trade at ten times the price, or a tenth
    SWAPPED_DIGITS = "swapped_digits"  # one trade with two neighbouring digits the wrong way round
    STALE_PRICE = "stale_price"  # a bar that repeats the close of a month ago
    VOLUME = "volume"  # a thousand times the volume


_KINDS = tuple(Plant)
_LEAST_SPIKE, _MOST_SPIKE = 0.03, 0.30
_OLD = 30 * DAY
_THOUSAND = 1000
_TENTH = 0.1


@dataclass(frozen=True, slots=True)
class _Bar:
    """The numbers of one minute bar that a plant can change."""

    open: float
    high: float
    low: float
    close: float
    volume: float

    def with_trade(self, price: float, place: float) -> "_Bar":
        """One more trade: the first of the bar (`place` below 0.25), the last (from 0.75), or between."""
        first = price if place < 0.25 else self.open  # noqa: PLR2004 - a quarter
        last = price if place >= 0.75 else self.close  # noqa: PLR2004 - a quarter
        return _Bar(first, max(self.high, price), min(self.low, price), last, self.volume)


class PlantedMarket:
    """Another market, in which about `rate` of all minute bars hold a bad print."""

    def __init__(self, market: Market, seed: int, rate: float) -> None:
        self._market = market
        self._seed = seed
        self._rate = rate

    @property
    def tickers(self) -> Sequence[Ticker]:
        """The market's."""
        return self._market.tickers

    def splits(self, ticker: str) -> Sequence[Split]:
        """The market's."""
        return self._market.splits(ticker)

    def dividends(self, ticker: str) -> Sequence[Dividend]:
        """The market's."""
        return self._market.dividends(ticker)

    def bars(self, instrument: Instrument, base: Base, span: Span) -> Batch:
        """The market's bars with the bad prints in them; each is as consistent as a vendor's bar."""
        return self._planted(instrument, base, span)[0]

    def planted(self, instrument: Instrument, base: Base, span: Span) -> dict[int, Plant]:
        """Which bars of `bars` are wrong, by their start (Unix ms), and how."""
        return self._planted(instrument, base, span)[1]

    def _planted(self, instrument: Instrument, base: Base, span: Span) -> tuple[Batch, dict[int, Plant]]:
        batch, told = self._market.bars(instrument, base, span), dict[int, Plant]()
        if base is not Base.MINUTE:
            return batch, told
        dice = np.array(dice_of(random_bits(self._seed, instrument.ticker, "plant", batch.ts)))
        columns = {name: column.copy() for name, column in batch.columns.items()}
        for i in np.flatnonzero(dice[0] < self._rate):
            kind, ts = _KINDS[int(dice[1, i] * len(_KINDS))], int(batch.ts[i])
            true = _Bar(*(float(columns[name][i]) for name in _Bar.__slots__))
            bar = self._wrong(instrument, ts, kind, true, (dice[2, i], dice[3, i]))
            if bar != true:
                told[ts] = kind
                for name in _Bar.__slots__:
                    columns[name][i] = getattr(bar, name)
        return Batch(**columns), told

    def _wrong(
        self, instrument: Instrument, ts: int, kind: Plant, bar: _Bar, dice: tuple[float, float]
    ) -> _Bar:
        """The bar with a plant in it, or as it was where there is no room for one."""
        size, place = dice
        if kind is Plant.VOLUME:
            return replace(bar, volume=bar.volume * _THOUSAND) if bar.volume > 0 else bar
        if kind is Plant.STALE_PRICE:
            before = Span(ts - _OLD, ts - DAY)
            for old in self._market.bars(instrument, Base.DAY, before).close[:1].tolist():
                return _Bar(old, old, old, old, bar.volume)
            return bar
        price = _wrong_price(kind, bar.close, size)
        return bar.with_trade(price, place) if price > 0 else bar


def _wrong_price(kind: Plant, close: float, size: float) -> float:
    """The price of the bad trade, with as many decimals as the close; 0 where it is too small for them."""
    text = np.format_float_positional(close, trim="-")
    places = len(text.partition(".")[2])
    away = _LEAST_SPIKE + (_MOST_SPIKE - _LEAST_SPIKE) * size
    if kind is Plant.SPIKE_HIGH:
        return round(close * (1 + away), places)
    if kind is Plant.SPIKE_LOW:
        return round(close * (1 - away), places)
    if kind is Plant.DECIMAL_SLIP:
        return round(close * 10, places) if size < 0.5 else close * _TENTH  # noqa: PLR2004 - up or down
    return _swapped(text)


def _swapped(text: str) -> float:
    """The first two neighbouring digits that differ change places."""
    for i, (a, b) in enumerate(pairwise(text)):
        if a.isdigit() and b.isdigit() and a != b:
            return float(text[:i] + b + a + text[i + 2 :])
    return float(text)
