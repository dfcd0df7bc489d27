"""Bad prints whose truth is known: nearly all that matter are found, and nearly nothing else is.

A plant matters when it moves the high or the low of its bar by 3 % or more, or multiplies the volume; a stale
price that happens to be near the market is as good as a right one. A flag is right when its bar was planted.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from gapless.quality import Subject, examine
from gapless.sandbox import Market, ReplayMarket, SyntheticMarket, hours
from gapless.sandbox.plants import Plant, PlantedMarket
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from hand_made_market import utc
from shared_data import eurusd_minutes, sp500_nov_2019, spy_2011

SIX_WEEKS = Span(utc("2025-03-01"), utc("2025-04-12"))
TICKERS = ("AAPL", "ASML", "BRK.B", "TSLA", "SPY", "X:BTCUSD", "X:ADAUSD", "C:EURUSD", "I:SPX")
RATE = 0.002
MATTERS = np.log(1.03)


@dataclass(frozen=True)
class Score:
    """How many plants mattered, how many of them were found, and how many flags were right and wrong."""

    mattered: int
    found: int
    right: int
    wrong: int

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.mattered + other.mattered,
            self.found + other.found,
            self.right + other.right,
            self.wrong + other.wrong,
        )


def score(market: Market, ticker: str, span: Span, seed: int) -> Score:
    """What the rules say about one planted series, held against the truth."""
    instrument, planted = Instrument.parse(ticker), PlantedMarket(market, seed, RATE)
    clean, bars = (one.bars(instrument, Base.MINUTE, span) for one in (market, planted))
    truth = planted.planted(instrument, Base.MINUTE, span)
    sessions = hours.sessions(instrument.asset_class, span.start // DAY - 1, span.end // DAY + 1)
    flags = {f.start for f in examine(Subject(instrument, span, bars, None, sessions))}
    moved = np.maximum(np.abs(np.log(bars.high / clean.high)), np.abs(np.log(bars.low / clean.low)))
    far = set(bars.ts[moved >= MATTERS].tolist())
    mattered = {ts for ts, kind in truth.items() if kind is Plant.VOLUME or ts in far}
    return Score(len(mattered), len(mattered & flags), len(flags & truth.keys()), len(flags - truth.keys()))


def test_planted_prints_are_found_and_nothing_else() -> None:
    """Nine instruments, six weeks, three seeds: recall and precision are both 0.95 or better."""
    total = sum(
        (score(SyntheticMarket(seed), ticker, SIX_WEEKS, seed) for seed in (1, 2, 3) for ticker in TICKERS),
        Score(0, 0, 0, 0),
    )

    assert total.mattered > 1000
    assert total.found / total.mattered >= 0.95
    assert total.right / (total.right + total.wrong) >= 0.95


@pytest.mark.shared
def test_prints_planted_in_recorded_bars_are_found_and_nothing_else() -> None:
    """SPY in 2011, EURUSD over eight years and the S&P 500 in 2019, as their markets really moved."""
    total = Score(0, 0, 0, 0)
    for ticker, bars in (("SPY", spy_2011()), ("C:EURUSD", eurusd_minutes()), ("I:SPX", sp500_nov_2019())):
        market = ReplayMarket({(Instrument.parse(ticker), Base.MINUTE): bars})
        span = Span(int(bars.ts[0]), int(bars.ts[-1]) + 1)
        total = sum((score(market, ticker, span, seed) for seed in range(8)), total)

    assert total.mattered > 200
    assert total.found / total.mattered >= 0.95
    assert total.right / (total.right + total.wrong) >= 0.95


def test_without_plants_the_same_market_raises_no_flag() -> None:
    """Neither its days nor its minutes, at twelve instruments and six weeks."""
    market = SyntheticMarket(seed=5)
    for ticker in (*TICKERS, "NVDA", "BTC", "X:SOLUSD"):
        instrument = Instrument.parse(ticker)
        minutes, days = (market.bars(instrument, base, SIX_WEEKS) for base in (Base.MINUTE, Base.DAY))
        sessions = hours.sessions(
            instrument.asset_class, SIX_WEEKS.start // DAY - 1, SIX_WEEKS.end // DAY + 1
        )
        assert len(Batch.concat((minutes, days)))
        assert list(examine(Subject(instrument, SIX_WEEKS, minutes, days, sessions))) == []
