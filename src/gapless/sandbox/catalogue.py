"""The instruments of the synthetic market: made-up price levels, splits and habits, written as data."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gapless.sandbox.market import Dividend, Split
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span


@dataclass(frozen=True, slots=True)
class Listing:
    """What one instrument is like.

    Prices are per share of today, in 2003 and 2026; `swing` is the usual size of a day's move (a share of
    the price), `volume` the usual volume of a regular minute; `regular` and `extended` are the parts of the
    minutes with a trade, inside and outside regular hours; `spotty`: some rows have neither `vw` nor `n`.
    """

    ticker: str
    name: str
    then: float
    now: float
    kind: str = ""
    swing: float = 0.015
    volume: float = 0.0
    regular: float = 0.998
    extended: float = 0.6
    decimals: int = 2
    spotty: bool = False
    dividend: float = 0.0
    splits: tuple[Split, ...] = ()
    halts: tuple[Span, ...] = ()

    @property
    def instrument(self) -> Instrument:
        """The listing's asset class and ticker."""
        return Instrument.parse(self.ticker)

    @property
    def dividends(self) -> tuple[Dividend, ...]:
        """Quarterly cash, as it was paid on the shares of the day."""
        return tuple(_quarterly(self)) if self.dividend else ()


def shares_since(splits: tuple[Split, ...], day: date) -> float:
    """How many shares of today one share of `day` has become."""
    shares = 1.0
    for split in splits:
        if split.day > day:
            shares *= split.after / split.before
    return shares


def _quarterly(listing: Listing) -> Iterator[Dividend]:
    for year in range(2004, 2028):
        for month in (2, 5, 8, 11):
            day = date(year, month, 10)
            day += timedelta(-day.weekday() % 7)
            cash = listing.dividend * 1.05 ** (year - 2026) * shares_since(listing.splits, day)
            yield Dividend(day, round(cash, 4))


def _split(text: str) -> Split:
    day, before, after = text.split()
    return Split(date.fromisoformat(day), int(before), int(after))


def _splits(*texts: str) -> tuple[Split, ...]:
    return tuple(_split(text) for text in texts)


def _halt(start: str, end: str) -> Span:
    return Span(
        *(int(datetime.fromisoformat(t).replace(tzinfo=UTC).timestamp()) * 1000 for t in (start, end))
    )


_STOCKS = (
    Listing("AAPL", "Apple Inc.", 0.40, 268, "CS", volume=70_000, extended=0.85, dividend=0.26,
            splits=_splits("2005-02-28 1 2", "2014-06-09 1 7", "2020-08-31 1 4")),
    Listing("MSFT", "Microsoft Corp", 28, 505, "CS", volume=30_000, extended=0.7, dividend=0.83),
    Listing("GOOGL", "Alphabet Inc. Class A", 2.5, 280, "CS", volume=40_000, extended=0.7, dividend=0.21,
            splits=_splits("2014-04-03 1000 1998", "2022-07-18 1 20")),
    Listing("AMZN", "Amazon.Com Inc", 2.2, 232, "CS", volume=60_000, extended=0.75, swing=0.018,
            splits=_splits("2022-06-06 1 20")),
    Listing("TSLA", "Tesla, Inc.", 1.1, 420, "CS", volume=120_000, extended=0.95, swing=0.03,
            splits=_splits("2020-08-31 1 5", "2022-08-25 1 3")),
    Listing("NVDA", "Nvidia Corp", 0.25, 185, "CS", volume=250_000, extended=0.95, swing=0.028, dividend=0.01,
            splits=_splits("2006-04-07 1 2", "2007-09-11 2 3", "2021-07-20 1 4", "2024-06-10 1 10"),
            halts=(_halt("2026-06-11T15:07", "2026-06-11T16:03"),)),
    Listing("META", "Meta Platforms, Inc. Class A", 18, 610, "CS", volume=25_000, extended=0.7, swing=0.02,
            dividend=0.53),
    Listing("NFLX", "Netflix Inc", 0.2, 110, "CS", volume=60_000, extended=0.6, swing=0.022,
            splits=_splits("2004-02-12 1 2", "2015-07-15 1 7", "2025-11-17 1 10", "2026-06-15 1 2")),
    Listing("AVGO", "Broadcom Inc.", 1.2, 345, "CS", volume=40_000, extended=0.65, swing=0.022, dividend=0.6,
            splits=_splits("2024-07-15 1 10")),
    Listing("ASML", "ASML Holding N.V. NY Registry Shares", 12, 1010, "ADRC", volume=2_500, regular=0.985,
            extended=0.16, swing=0.02, dividend=1.7, spotty=True,
            splits=_splits("2007-10-01 9 8", "2012-11-29 100 77")),
    Listing("BRK.B", "Berkshire Hathaway Inc. New", 55, 505, "CS", volume=8_000, regular=0.99, extended=0.2,
            swing=0.01, spotty=True, splits=_splits("2010-01-21 1 50")),
    Listing("JPM", "JPMorgan Chase & Co.", 35, 305, "CS", volume=18_000, extended=0.35, dividend=1.5),
    Listing("V", "Visa Inc. Class A", 12, 335, "CS", volume=12_000, extended=0.3, dividend=0.67,
            splits=_splits("2015-03-19 1 4")),
    Listing("WMT", "Walmart Inc.", 17, 102, "CS", volume=30_000, extended=0.45, swing=0.01, dividend=0.235,
            splits=_splits("2024-02-26 1 3")),
    Listing("JNJ", "Johnson & Johnson", 50, 200, "CS", volume=15_000, extended=0.3, swing=0.01, dividend=1.3),
    Listing("SPY", "SPDR S&P 500 ETF Trust", 103, 665, "ETF", volume=130_000, regular=1.0, extended=0.95, swing=0.01,
            dividend=1.8),
    Listing("QQQ", "Invesco QQQ Trust, Series 1", 33, 600, "ETF", volume=90_000, regular=1.0, extended=0.95,
            swing=0.012, dividend=0.75),
    Listing("DIA", "SPDR Dow Jones Industrial Average ETF Trust", 95, 465, "ETF", volume=9_000, extended=0.45,
            swing=0.009, dividend=0.6),
    Listing("IWM", "iShares Russell 2000 ETF", 50, 240, "ETF", volume=60_000, extended=0.8, swing=0.013, dividend=0.6,
            splits=_splits("2005-06-09 1 2")),
    Listing("EEM", "iShares MSCI Emerging Markets ETF", 14, 54, "ETF", volume=45_000, extended=0.5, swing=0.012,
            dividend=0.4, splits=_splits("2005-06-09 1 3", "2008-07-24 1 3")),
    Listing("BTC", "Bitcoin Mini Fund Shares", 40, 46, "ETF", volume=900, regular=0.95, extended=0.12, swing=0.025,
            spotty=True),
)  # fmt: skip

_OTHERS = (
    Listing("X:BTCUSD", "Bitcoin - United States Dollar", 0.05, 91_000, swing=0.025, volume=4.2, regular=0.9995),
    Listing("X:ETHUSD", "Ethereum - United States Dollar", 0.02, 3_050, swing=0.03, volume=70, regular=0.999),
    Listing("X:XRPUSD", "XRP - United States Dollar", 0.004, 2.2, swing=0.035, volume=60_000, regular=0.997,
            decimals=5),
    Listing("X:SOLUSD", "Solana - United States Dollar", 0.01, 138, swing=0.035, volume=900, regular=0.998, decimals=3),
    Listing("X:ADAUSD", "Cardano - United States Dollar", 0.01, 0.44, swing=0.035, volume=90_000, regular=0.99,
            decimals=5),
    Listing("C:EURUSD", "Euro - United States Dollar", 1.2, 1.16, swing=0.004, volume=95, regular=0.998, decimals=5),
    Listing("C:USDJPY", "United States Dollar - Japanese Yen", 110, 155, swing=0.005, volume=95, regular=0.998,
            decimals=3),
    Listing("I:SPX", "S&P 500", 1_020, 6_650, swing=0.01, regular=1.0),
    Listing("I:NDX", "Nasdaq 100", 1_350, 24_600, swing=0.012, regular=1.0),
)  # fmt: skip

LISTINGS = {listing.ticker: listing for listing in sorted((*_STOCKS, *_OTHERS), key=lambda one: one.ticker)}
"""Every listing by its ticker."""

BASELINE = tuple(
    listing.ticker
    for listing in LISTINGS.values()
    if listing.instrument.asset_class in (AssetClass.STOCKS, AssetClass.CRYPTO) and listing.ticker != "BTC"
)
"""The 25 symbols that a first backfill usually asks for."""
