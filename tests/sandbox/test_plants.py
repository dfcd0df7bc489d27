"""Planted bad prints: consistent bars, the same every time, and the truth about each."""

import numpy as np

from gapless.sandbox import SyntheticMarket, hours
from gapless.sandbox.plants import Plant, PlantedMarket
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from sandbox.plain_client import utc

MAY = Span(utc("2026-05-01"), utc("2026-06-01"))
TRUE = SyntheticMarket(seed=3)
MARKET = PlantedMarket(TRUE, seed=9, rate=0.01)
BTC, SPX = Instrument.parse("X:BTCUSD"), Instrument.parse("I:SPX")


def test_the_bars_that_differ_are_those_that_it_tells() -> None:
    """No bar appears or goes, about one in a hundred is changed, and every kind is among them."""
    true, bars = (market.bars(BTC, Base.MINUTE, MAY) for market in (TRUE, MARKET))
    told = MARKET.planted(BTC, Base.MINUTE, MAY)

    assert (bars.ts == true.ts).all()
    assert bars.ts[~bars.same_rows(true)].tolist() == sorted(told)
    assert 0.008 < len(told) / len(bars) < 0.012
    assert set(told.values()) == set(Plant)


def test_planted_bars_are_as_consistent_as_a_vendors() -> None:
    """Lows and highs hold the other prices, and all are positive."""
    bars = MARKET.bars(BTC, Base.MINUTE, MAY)

    assert (bars.low > 0).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()


def test_each_kind_is_what_its_name_says() -> None:
    """Spikes of 3 to 30 %, slips of ten, volumes times a thousand, an old price all through the bar."""
    true, bars = (market.bars(BTC, Base.MINUTE, MAY) for market in (TRUE, MARKET))
    told = MARKET.planted(BTC, Base.MINUTE, MAY)
    kinds = np.array([told.get(ts, "") for ts in bars.ts.tolist()])
    up, down = bars.high / true.close, bars.low / true.close
    slipped, stale = kinds == Plant.DECIMAL_SLIP, kinds == Plant.STALE_PRICE
    swapped = np.flatnonzero(kinds == Plant.SWAPPED_DIGITS)

    assert ((up > 1.029) & (up < 1.301))[kinds == Plant.SPIKE_HIGH].all()
    assert ((down < 0.971) & (down > 0.699))[kinds == Plant.SPIKE_LOW].all()
    assert np.isclose(np.where(up > 2, up / 10, down * 10)[slipped], 1).all()
    assert (bars.volume == 1000 * true.volume)[kinds == Plant.VOLUME].all()
    assert (bars.low == bars.high)[stale].all()
    for i in swapped:
        wrong = bars.high[i] if bars.high[i] != true.high[i] else bars.low[i]
        if wrong not in (true.high[i], true.low[i]):
            assert sorted(f"{wrong:09.2f}") == sorted(f"{true.close[i]:09.2f}")


def test_a_stretch_is_the_same_however_it_is_asked_for() -> None:
    """A day alone has the bars and the plants that it has within the month."""
    day = Span(MAY.start + 10 * DAY, MAY.start + 11 * DAY)

    assert MARKET.bars(BTC, Base.MINUTE, day) == MARKET.bars(BTC, Base.MINUTE, MAY).between(day)
    assert MARKET.planted(BTC, Base.MINUTE, day) == {
        ts: kind for ts, kind in MARKET.planted(BTC, Base.MINUTE, MAY).items() if ts in day
    }


def test_days_splits_and_what_has_no_volume_are_left_alone() -> None:
    """An index gets no volume, and the rest of the market is the one behind."""
    assert MARKET.bars(BTC, Base.DAY, MAY) == TRUE.bars(BTC, Base.DAY, MAY)
    assert MARKET.planted(BTC, Base.DAY, MAY) == {}
    assert Plant.VOLUME not in MARKET.planted(SPX, Base.MINUTE, MAY).values()
    assert MARKET.tickers == TRUE.tickers
    assert (MARKET.splits("AAPL"), MARKET.dividends("AAPL")) == (TRUE.splits("AAPL"), TRUE.dividends("AAPL"))
    assert len(hours.sessions(SPX.asset_class, MAY.start // DAY, MAY.end // DAY)) == 20
