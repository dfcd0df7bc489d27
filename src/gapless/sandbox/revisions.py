"""What of the truth can be seen right now: later corrections, outages, and bars that are still being made."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gapless.sandbox import hours
from gapless.sandbox.market import Dividend, Market, Split, Ticker
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

Series = tuple[Instrument, Base]


class RevisedMarket:
    """A market whose bars can be corrected or hidden afterwards; `generation` counts the changes."""

    def __init__(self, market: Market) -> None:
        self.generation = 0
        self._market = market
        self._changes: defaultdict[Series, dict[int, dict[str, float]]] = defaultdict(dict)
        self._hidden: defaultdict[Series, SpanSet] = defaultdict(SpanSet)

    def revise(self, instrument: Instrument, base: Base, ts: int, **numbers: float) -> None:
        """From now on the bar that starts at `ts` has these numbers: `revise(..., close=10.2, volume=7)`."""
        self._changes[instrument, base].setdefault(ts, {}).update(numbers)
        self.generation += 1

    def hide(self, instrument: Instrument, base: Base, span: Span) -> None:
        """From now on the bars inside `span` are missing, as in an outage."""
        self._hidden[instrument, base] |= SpanSet([span])
        self.generation += 1

    def show(self) -> None:
        """Every outage is over."""
        self._hidden.clear()
        self.generation += 1

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
        """The market's bars with every correction made, without the hidden ones."""
        batch = self._market.bars(instrument, base, span)
        if changes := self._changes.get((instrument, base)):
            batch = _changed(batch, changes)
        for gap in self._hidden.get((instrument, base), ()):
            batch = batch.take((batch.ts < gap.start) | (batch.ts >= gap.end))
        return batch


def _changed(batch: Batch, changes: dict[int, dict[str, float]]) -> Batch:
    columns = {name: column.copy() for name, column in batch.columns.items()}
    for ts, numbers in changes.items():
        at = int(np.searchsorted(batch.ts, ts))
        if at < len(batch) and batch.ts[at] == ts:
            for name, number in numbers.items():
                columns[name][at] = number
    return Batch(**columns)


# -- bars that are being made ------------------------------------------------


def making(instrument: Instrument, base: Base, ts: int) -> Span:
    """From when on a bar exists, and when it has all its trades."""
    if base is Base.MINUTE:
        return Span(ts, ts + MINUTE)
    session = hours.sessions(instrument.asset_class, ts // DAY, ts // DAY + 1)
    return Span(int(session.open[0]), int(session.post[0])) if len(session) else Span(ts, ts + DAY)


def published(instrument: Instrument, batch: Batch, base: Base, now: int) -> Batch:
    """The bars as far as they exist at `now`: the last one may have only a part of its trades."""
    seen = batch.take(slice(0, int(np.searchsorted(batch.ts, now))))
    if not len(seen):
        return seen
    span = making(instrument, base, int(seen.ts[-1]))
    if span.start >= now:
        return seen.take(slice(0, -1))
    if span.end <= now:
        return seen
    begun = _begun(seen.take(slice(-1, None)), (now - span.start) / span.length)
    return Batch.concat((seen.take(slice(0, -1)), begun))


def _begun(bar: Batch, part: float) -> Batch:
    """A bar that has seen its first price and a part of its volume."""
    vwap = np.where(np.isnan(bar.vwap), np.nan, bar.open)
    trades = np.where(bar.trades == NO_TRADES, NO_TRADES, (bar.trades * part).astype(np.int64))
    volume = np.round(bar.volume * part, 2)
    return replace(bar, high=bar.open, low=bar.open, close=bar.open, volume=volume, vwap=vwap, trades=trades)


# -- splits ------------------------------------------------------------------


def adjusted(market: Market, instrument: Instrument, batch: Batch, now: int) -> Batch:
    """The bars on the shares of `now`: prices to 4 decimals, volumes inversely; dividends leave no trace."""
    if instrument.asset_class is not AssetClass.STOCKS:
        return batch
    before, after = np.ones(len(batch)), np.ones(len(batch))
    for split in market.splits(instrument.ticker):
        executed = hours.local(hours.NEW_YORK, hours.ordinal(split.day))
        if executed <= now:
            before[batch.ts < executed] *= split.before
            after[batch.ts < executed] *= split.after
    if (before == after).all():
        return batch
    prices = {
        name: np.round(getattr(batch, name) * before / after, 4)
        for name in ("open", "high", "low", "close", "vwap")
    }
    return replace(batch, volume=batch.volume * after / before, **prices)
