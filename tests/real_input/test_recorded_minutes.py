"""Recorded minutes, replayed through the sandbox, are in the store bar by bar, and what is not there is proved."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import shared_data
from engine.living import KINDS, OwnedClock, asked, living, store_url, stored, utc, warehouse
from gapless.app import Warehouse
from gapless.sandbox import ReplayMarket, Sandbox
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

kinds = pytest.mark.parametrize("kind", KINDS)
EVER = Span(0, 2**50)
HOUR = 60 * MINUTE


@contextmanager
def replayed(
    folder: Path, kind: str, symbol: str, bars: Batch, now: str
) -> Iterator[tuple[Warehouse, Sandbox, OwnedClock]]:
    """A warehouse whose vendor has exactly these minutes, on the day after them."""
    clock = OwnedClock(at=utc(now))
    market = ReplayMarket({(Instrument.parse(symbol), Base.MINUTE): bars})
    with (
        living(market, now=clock) as sandbox,
        warehouse(sandbox.url, store_url(folder, kind), clock) as house,
    ):
        yield house, sandbox, clock


# -- SPY, January 2011 -------------------------------------------------------


@pytest.fixture(params=KINDS)
def spy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    """A month of a liquid fund after one backfill, with the report checked on the way."""
    with replayed(tmp_path, request.param, "SPY", shared_data.spy_2011(), "2011-02-02") as (house, _, _):
        report = house.backfill(["SPY"], ["1m"], "2011-01-01", "2011-02-01")
        assert (report.exit_code, report.inserted, report.gaps) == (0, 14_180, 0)
        yield house


def test_every_minute_of_spy_is_as_recorded(spy: Warehouse) -> None:
    """All 14,180 bars, and none besides."""
    assert stored(spy, "SPY", Base.MINUTE, EVER) == shared_data.spy_2011()


def test_a_month_with_quiet_evenings_is_complete(spy: Warehouse) -> None:
    """Minutes without a trade are no gaps: the whole month is proved."""
    (status,) = spy.status()
    assert (status.percent, status.bars, status.provisional) == (100.0, 14_180, 0)
    assert spy.gaps() == []


def test_each_barless_minute_of_a_session_is_no_trade() -> None:
    """Twenty sessions from 04:00 to 20:00 have 19,200 minutes: 14,180 with a bar, 5,020 proved to have none."""
    bars = shared_data.spy_2011()
    # Half past nine in New York is 14:30 UTC in January; the sessions are the days that have that bar.
    opens = [ts for ts in bars.ts.tolist() if ts % DAY == 14 * HOUR + 30 * MINUTE]
    grid = {ts for at in opens for ts in range(at - 330 * MINUTE, at + 630 * MINUTE, MINUTE)}
    assert len(opens) == 20
    assert len(grid - set(bars.ts.tolist())) == 5_020


def test_the_verdicts_on_spy_add_up(spy: Warehouse) -> None:
    """Every minute of one day has the verdict that the recording and the opening hours give it."""
    recorded = set(shared_data.spy_2011().ts.tolist())
    midnight = utc("2011-01-05T05:00")
    verdicts = Counter(
        (spy.explain("SPY", "1m", ts).verdict, ts in recorded)
        for ts in range(midnight, midnight + DAY, 5 * MINUTE)
    )
    traded = sum(ts in recorded for ts in range(midnight, midnight + DAY, 5 * MINUTE))
    assert verdicts == {("bar", True): traded, ("no trade", False): 192 - traded, ("closed", False): 96}


def test_a_holiday_is_closed(spy: Warehouse) -> None:
    """On 17 January 2011 (Martin Luther King Jr. Day) New York did not trade."""
    assert spy.explain("SPY", "1m", "2011-01-17T11:00").verdict == "closed"


# -- Bitcoin on Bitfinex, 2016 -----------------------------------------------


def test_a_silent_market_is_asked_twice_before_it_is_believed(tmp_path: Path) -> None:
    """April, May and the halt of August 2016 are unconfirmed after one look, and sealed by one when it is due."""
    bars = shared_data.bitfinex_btcusd_2016()
    months, halt = utc("2016-04-15T12:00"), utc("2016-08-05T00:00")
    with replayed(tmp_path, "packed", "X:BTCUSD", bars, "2017-01-02") as (house, sandbox, clock):
        first = house.backfill(["X:BTCUSD"], ["1m"], "2016-01-01", "2017-01-01")
        due = clock.at + HOUR
        assert (first.exit_code, first.inserted, first.next_try) == (3, 293_230, due)
        gaps = house.gaps()
        assert {gap.outcome for gap in gaps} == {Outcome.UNCONFIRMED}
        assert [any(gap.start <= at < gap.end for gap in gaps) for at in (months, halt)] == [True, True]
        assert [house.explain("X:BTCUSD", "1m", at).due for at in (months, halt)] == [due, due]
        assert [house.explain("X:BTCUSD", "1m", at).verdict for at in (months, halt)] == ["missing"] * 2

        before = asked(sandbox)
        early = house.backfill(["X:BTCUSD"], ["1m"], "2016-01-01", "2017-01-01")
        assert (early.exit_code, asked(sandbox) - before) == (3, 0)

        clock.at = due
        second = house.backfill(["X:BTCUSD"], ["1m"], "2016-01-01", "2017-01-01")
        assert (second.exit_code, second.inserted, house.gaps()) == (0, 0, [])
        assert [house.explain("X:BTCUSD", "1m", at).verdict for at in (months, halt)] == ["empty"] * 2
        assert [status.percent for status in house.status()] == [100.0]

        before = asked(sandbox)
        third = house.backfill(["X:BTCUSD"], ["1m"], "2016-01-01", "2017-01-01")
        assert (third.exit_code, third.requests, asked(sandbox) - before) == (0, 0, 0)
        assert stored(house, "X:BTCUSD", Base.MINUTE, EVER) == bars


@kinds
def test_bars_that_were_late_are_found_by_the_second_look(tmp_path: Path, kind: str) -> None:
    """What looked empty was an outage: the bars that came meanwhile are stored, and nothing stays in doubt."""
    bars = shared_data.bitfinex_btcusd_2016().between(Span(utc("2016-01-01"), utc("2016-02-01")))
    outage = Span(utc("2016-01-10T06:00"), utc("2016-01-13T18:00"))
    with replayed(tmp_path, kind, "X:BTCUSD", bars, "2016-02-02") as (house, sandbox, clock):
        sandbox.market.hide(Instrument.parse("X:BTCUSD"), Base.MINUTE, outage)
        first = house.backfill(["X:BTCUSD"], ["1m"], "2016-01-01", "2016-02-01")
        assert (first.exit_code, first.inserted) == (3, len(bars) - len(bars.between(outage)))
        sandbox.market.show()
        clock.at += HOUR
        second = house.backfill(["X:BTCUSD"], ["1m"], "2016-01-01", "2016-02-01")
        assert (second.exit_code, second.inserted) == (0, len(bars.between(outage)))
        assert stored(house, "X:BTCUSD", Base.MINUTE, EVER) == bars


# -- currencies and indices --------------------------------------------------


@kinds
def test_every_minute_of_a_currency_pair_is_as_recorded(tmp_path: Path, kind: str) -> None:
    """Each stretch of recorded EURUSD days, asked for on its own, comes back whole."""
    bars = shared_data.eurusd_minutes()
    ends = np.flatnonzero(np.diff(bars.ts, append=2**62) > DAY)
    starts = np.concatenate(([0], ends[:-1] + 1))
    with replayed(tmp_path, kind, "C:EURUSD", bars, "2018-12-01") as (house, _, _):
        for first, last in zip(bars.ts[starts].tolist(), bars.ts[ends].tolist(), strict=True):
            house.backfill(["C:EURUSD"], ["1m"], first, last + MINUTE)
        assert stored(house, "C:EURUSD", Base.MINUTE, EVER) == bars


@kinds
def test_an_index_has_prices_and_no_volume(tmp_path: Path, kind: str) -> None:
    """The recorded S&P 500 minutes come back with every price, and with nothing made up beside them."""
    bars = shared_data.sp500_nov_2019()
    with replayed(tmp_path, kind, "I:SPX", bars, "2019-11-12") as (house, _, _):
        report = house.backfill(["I:SPX"], ["1m"], "2019-11-05", "2019-11-09")
        found = stored(house, "I:SPX", Base.MINUTE, EVER)
        assert (report.exit_code, found) == (0, bars)
        assert np.isnan(found.volume).all()
        assert np.isnan(found.vwap).all()
