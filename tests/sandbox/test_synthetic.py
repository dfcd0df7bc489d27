"""The synthetic market behaves like one, and is the same wherever and whenever it is made."""

import pickle
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.sandbox import BASELINE, SyntheticMarket, hours
from gapless.sandbox.catalogue import LISTINGS
from gapless.vocabulary.batch import NO_TRADES
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from sandbox.plain_client import utc

MONTH = Span(utc("2026-05-01"), utc("2026-06-01"))
MARKET = SyntheticMarket(seed=3)


def instrument(ticker: str) -> Instrument:
    """The instrument of a ticker."""
    return Instrument.parse(ticker)


@pytest.mark.parametrize("ticker", LISTINGS)
def test_bars_are_sound_and_inside_the_sessions(ticker: str) -> None:
    """Stamps rise, lows and highs hold the other prices, minutes are in a session, every session has bars."""
    one = instrument(ticker)
    first, last = hours.ordinal(date(2026, 4, 1)), hours.ordinal(date(2026, 7, 1))
    span = Span(first * DAY + DAY, last * DAY)
    sessions = hours.sessions(one.asset_class, first + 2, last - 2)
    minutes, days = MARKET.bars(one, Base.MINUTE, span), MARKET.bars(one, Base.DAY, span)
    for bars in (minutes, days):
        assert (np.diff(bars.ts) > 0).all()
        assert (bars.low > 0).all()
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert np.isin(sessions.day, days.ts).all()
    assert (np.searchsorted(minutes.ts, sessions.post) > np.searchsorted(minutes.ts, sessions.pre)).all()
    open_at = hours.sessions(one.asset_class, first - 1, last + 1).opens(Base.MINUTE)
    assert np.isin(minutes.ts, open_at).all()


@given(
    start=st.integers(0, 40 * 1440), length=st.integers(1, 4000), ticker=st.sampled_from(["AAPL", "X:ADAUSD"])
)
@settings(max_examples=25, deadline=None)
def test_any_stretch_is_the_same_as_when_it_is_cut_from_a_longer_one(
    start: int, length: int, ticker: str
) -> None:
    """A bar depends on seed, ticker and minute only, never on what was asked for around it."""
    span = Span(MONTH.start + start * MINUTE, MONTH.start + (start + length) * MINUTE)
    longer = Span(span.start - 40 * DAY, span.end + 3 * DAY)
    one = instrument(ticker)
    assert SyntheticMarket(seed=3).bars(one, Base.MINUTE, span) == MARKET.bars(
        one, Base.MINUTE, longer
    ).between(span)


def test_the_seed_makes_the_market() -> None:
    """Another seed, other prices; the same one travels to another process."""
    spy = instrument("SPY")
    here = MARKET.bars(spy, Base.MINUTE, MONTH)
    assert SyntheticMarket(seed=4).bars(spy, Base.MINUTE, MONTH) != here
    assert pickle.loads(pickle.dumps(MARKET)).bars(spy, Base.MINUTE, MONTH) == here


def test_the_whole_history_is_there() -> None:
    """The first day bar is that of 2003-09-10, and every session since has one."""
    days = MARKET.bars(instrument("BRK.B"), Base.DAY, Span(0, utc("2026-11-24")))
    assert days.ts[0] == utc("2003-09-10T04:00")
    assert len(days) == len(
        hours.sessions(instrument("BRK.B").asset_class, 12305, hours.ordinal(date(2026, 11, 24)))
    )


def test_a_liquid_stock_trades_in_nearly_every_regular_minute() -> None:
    """About 780 bars a day, regular hours nearly complete, extended hours thinner."""
    spy = instrument("SPY")
    bars = MARKET.bars(spy, Base.MINUTE, MONTH)
    sessions = hours.sessions(spy.asset_class, MONTH.start // DAY, MONTH.end // DAY)
    regular = sessions.opens(Base.MINUTE, regular=True)
    assert np.isin(regular, bars.ts).mean() > 0.99
    assert 700 <= len(bars) / len(sessions) <= 900


def test_a_split_happens_in_the_raw_price() -> None:
    """On 10 June 2024 the price of NVDA falls to a tenth, and nothing else does."""
    days = MARKET.bars(instrument("NVDA"), Base.DAY, Span(utc("2024-05-01"), utc("2024-07-01")))
    change = days.open[1:] / days.close[:-1]
    split = np.flatnonzero(days.ts[1:] == utc("2024-06-10T04:00"))[0]
    assert change[split] == pytest.approx(0.1, rel=0.1)
    assert (np.abs(np.delete(change, split) - 1) < 0.2).all()


def test_volumes_of_stocks_have_fractions_since_february_2026() -> None:
    """Whole shares until Friday the 20th, fractions from Monday the 23rd."""
    aapl = instrument("AAPL")
    before = MARKET.bars(aapl, Base.MINUTE, Span(utc("2026-02-20"), utc("2026-02-21"))).volume
    after = MARKET.bars(aapl, Base.MINUTE, Span(utc("2026-02-23"), utc("2026-02-24"))).volume
    assert (before == np.floor(before)).all()
    assert (after != np.floor(after)).mean() > 0.9


def test_the_traps_of_real_bars_are_there() -> None:
    """`vw` outside low and high, rows without `vw` and `n`, a halt, and day bars that are not the sum."""
    thin = MARKET.bars(instrument("BRK.B"), Base.MINUTE, MONTH)
    assert ((thin.vwap < thin.low) | (thin.vwap > thin.high)).any()
    assert (np.isnan(thin.vwap) == (thin.trades == NO_TRADES)).all()
    assert np.isnan(thin.vwap).any()
    halt = Span(utc("2026-06-11T15:07"), utc("2026-06-11T16:03"))
    assert not len(MARKET.bars(instrument("NVDA"), Base.MINUTE, halt))
    day = Span(utc("2026-05-05T04:00"), utc("2026-05-06T04:00"))
    minutes, bar = (MARKET.bars(instrument("AAPL"), base, day) for base in (Base.MINUTE, Base.DAY))
    assert bar.volume[0] > 1.05 * minutes.volume.sum()


def test_indices_have_prices_only() -> None:
    """No volume, no volume-weighted price, no trades."""
    bars = MARKET.bars(instrument("I:SPX"), Base.MINUTE, MONTH)
    assert np.isnan(bars.volume).all()
    assert np.isnan(bars.vwap).all()
    assert (bars.trades == NO_TRADES).all()


def test_bare_btc_is_a_fund_and_not_the_coin() -> None:
    """Who forgets the prefix gets a price of some 46 dollars."""
    fund = MARKET.bars(instrument("BTC"), Base.DAY, Span(utc("2026-11-02"), utc("2026-11-24")))
    coin = MARKET.bars(instrument("X:BTCUSD"), Base.DAY, Span(utc("2026-11-02"), utc("2026-11-24")))
    assert 30 < fund.close[-1] < 70
    assert coin.close[-1] > 50_000


def test_an_unknown_ticker_has_no_bars() -> None:
    """And knows no splits."""
    assert not len(MARKET.bars(instrument("ZZZZ"), Base.DAY, MONTH))
    assert not MARKET.splits("ZZZZ")


def test_the_baseline_is_twenty_stocks_and_five_coins() -> None:
    """The symbols of the first backfill are all listed."""
    assert len(BASELINE) == 25
    assert sum(ticker.startswith("X:") for ticker in BASELINE) == 5
