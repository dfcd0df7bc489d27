"""Whatever goes wrong with single answers, every job ends complete and the store holds exactly the truth."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.living import KINDS, NOW, OwnedClock, living, store_url, stored, truth, untrue, utc, warehouse
from gapless.sandbox import MIX, Fault, Pinned, Sandbox, SyntheticMarket
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import MINUTE, Base

SYMBOLS = ("AAPL", "BRK.B", "SPY", "X:BTCUSD", "C:EURUSD", "I:SPX")
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def clock() -> OwnedClock:
    """One date for both sides; it goes on with the waits."""
    return OwnedClock(flows=True)


@pytest.fixture(scope="module")
def running(clock: OwnedClock) -> Iterator[Sandbox]:
    """A market whose pages are made once for all tests of this file."""
    with living(SyntheticMarket(seed=3), now=clock, stall=0.05) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """The same without what an earlier test planted and did not use up."""
    running.faults._scripts.clear()
    running.faults.made.clear()
    return running


@kinds
@pytest.mark.parametrize("fault", MIX)
def test_no_fault_costs_a_bar(
    sandbox: Sandbox, clock: OwnedClock, tmp_path: Path, kind: str, fault: Fault
) -> None:
    """Three answers in a row go wrong for each series; all is read in the end."""
    symbols = ["AAPL", "X:BTCUSD"]
    span = Span(utc("2026-09-01"), utc("2026-09-05"))
    for symbol in symbols:
        sandbox.fail_next(fault, times=3, where=f"/{symbol}/range/1/minute")
    with warehouse(sandbox.url, store_url(tmp_path, kind), clock) as house:
        report = house.backfill(symbols, ["5m", "1d"], "2026-09-01T00:00Z", "2026-09-05T00:00Z")
        assert sandbox.faults.made[fault] >= 2
        assert (report.completed, report.exit_code, report.problems) == (4, 0, ())
        assert untrue(house, sandbox, symbols, span) == []


@pytest.mark.parametrize("fault", MIX)
def test_no_fault_breaks_a_chain_of_pages(sandbox: Sandbox, tmp_path: Path, fault: Fault) -> None:
    """The first page of two goes wrong, and then the second; no bar is lost at the seam, none is there twice."""
    span = Span(utc("2026-08-01"), utc("2026-09-06"))
    sandbox.fail_next(fault, times=2, where="/X:BTCUSD/range/1/minute")
    with warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock(flows=True)) as house:
        report = house.backfill(["X:BTCUSD"], ["1m"], span.start, span.end)
        assert (sandbox.faults.made[fault], report.exit_code) == (2, 0)
        held = stored(house, "X:BTCUSD", Base.MINUTE, span)
        assert len(held) > 50_000
        assert held == truth(sandbox, "X:BTCUSD", Base.MINUTE, span)


@pytest.mark.parametrize(("kind", "seed"), [("packed", 1), ("plain", 2), ("packed", 3)])
def test_one_answer_in_five_going_wrong_costs_no_bar(tmp_path: Path, kind: str, seed: int) -> None:
    """Six symbols, sixty days, every kind of fault mixed: all jobs complete, bar by bar."""
    span = Span(utc("2026-08-01"), utc("2026-10-01"))
    market = SyntheticMarket(seed=3)
    with (
        living(market, now=Pinned(NOW), stall=0.05, faults="20%", seed=seed) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, kind), OwnedClock(flows=True)) as house,
    ):
        report = house.backfill(SYMBOLS, ["1m", "1d"], "2026-08-01T00:00Z", "2026-10-01T00:00Z")
        assert sum(sandbox.faults.made.values()) > 0
        assert (report.completed, report.jobs, report.exit_code) == (12, 12, 0)
        assert untrue(house, sandbox, SYMBOLS, span) == []


def test_a_429_never_fails_a_job(sandbox: Sandbox, tmp_path: Path) -> None:
    """Far more of them than any other failure is given tries."""
    sandbox.fail_next("rate_limit", times=12, where="/SPY/range/1/day")
    with warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock(speed=1000, flows=True)) as house:
        report = house.backfill(["SPY"], ["1d"], "2026-08-01", "2026-09-01")
        assert (report.exit_code, report.retries) == (0, {"RateLimited": 12})
        assert len(house.bars("SPY", "1d")) == 21


@kinds
def test_clipped_history_heals_by_the_second_look(sandbox: Sandbox, tmp_path: Path, kind: str) -> None:
    """An answer whose first half is missing is asked for again within the same run, and then whole."""
    span = Span(utc("2026-08-03T04:00"), utc("2026-09-01T04:00"))
    sandbox.fail_next("clipped_history", where="/AAPL/range/1/minute")
    sandbox.fail_next("clipped_history", where="/AAPL/range/1/day")
    with warehouse(sandbox.url, store_url(tmp_path, kind), OwnedClock(flows=True)) as house:
        report = house.backfill(["AAPL"], ["1m", "1d"], "2026-08-03", "2026-09-01")
        assert (report.exit_code, report.gaps) == (0, 0)
        assert untrue(house, sandbox, ["AAPL"], span) == []


def test_history_that_stays_clipped_is_never_called_whole(sandbox: Sandbox, tmp_path: Path) -> None:
    """If the second look is clipped as well, the rest is a gap with a reason and a time, not silence."""
    sandbox.fail_next("clipped_history", times=2, where="/AAPL/range/1/minute")
    clock = OwnedClock()
    with warehouse(sandbox.url, store_url(tmp_path, "packed"), clock) as house:
        report = house.backfill(["AAPL"], ["1m"], "2026-08-03", "2026-09-01")
        assert report.exit_code == 3
        assert {gap.outcome for gap in house.gaps()} == {Outcome.UNCONFIRMED}
        clock.at += 60 * MINUTE
        assert house.backfill(["AAPL"], ["1m"], "2026-08-03", "2026-09-01").exit_code == 0
        span = Span(utc("2026-08-03T04:00"), utc("2026-09-01T04:00"))
        assert stored(house, "AAPL", Base.MINUTE, span) == truth(sandbox, "AAPL", Base.MINUTE, span)


def test_a_refusal_in_a_200_costs_its_own_job_only(sandbox: Sandbox, tmp_path: Path) -> None:
    """It is recorded as refused with a time to ask again; the other jobs go on, and it is not repeated."""
    sandbox.fail_next("not_authorized_200", where="/AAPL/range/1/day")
    clock = OwnedClock()
    with warehouse(sandbox.url, store_url(tmp_path, "packed"), clock) as house:
        report = house.backfill(["AAPL", "SPY"], ["1d"], "2026-08-03", "2026-09-01")
        assert (report.completed, report.refused, report.failed, report.exit_code) == (1, 1, 0, 4)
        assert [(gap.symbol, gap.outcome) for gap in house.gaps()] == [("AAPL", Outcome.REFUSED)]
        assert house.backfill(["AAPL", "SPY"], ["1d"], "2026-08-03", "2026-09-01").requests == 0
        clock.at += 24 * 60 * MINUTE
        assert house.backfill(["AAPL", "SPY"], ["1d"], "2026-08-03", "2026-09-01").exit_code == 0


@kinds
def test_a_late_revision_is_found_by_update(tmp_path: Path, kind: str) -> None:
    """A bar that changes after it was read is a new version; what was read before stays readable."""
    clock = OwnedClock()
    with (
        living(SyntheticMarket(seed=3), now=clock) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, kind), clock) as house,
    ):
        house.backfill(["AAPL"], ["1m"], "2026-11-16")
        span = Span(utc("2026-11-16T05:00"), utc("2026-11-24T01:00"))
        as_read, read_at = stored(house, "AAPL", Base.MINUTE, span), clock.at
        assert as_read == truth(sandbox, "AAPL", Base.MINUTE, span)

        sandbox.market.revise(Instrument.parse("AAPL"), Base.MINUTE, utc("2026-11-20T15:31"), volume=1.5)
        clock.at += 60 * MINUTE
        report = house.update()
        now_read = stored(house, "AAPL", Base.MINUTE, span)
        assert (report.exit_code, report.inserted, report.corrected) == (0, 0, 1)
        assert now_read == truth(sandbox, "AAPL", Base.MINUTE, span)
        assert now_read != as_read
        if house.store.capabilities.versions:
            assert house.store.read(Instrument.parse("AAPL"), Base.MINUTE, span, as_of=read_at) == as_read
