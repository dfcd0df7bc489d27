"""Runs that end early or come back the next day: nothing is lost, nothing is asked twice, nothing is there twice."""

import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest

from engine.living import (
    KINDS,
    NOW,
    OwnedClock,
    asked,
    backfill_elsewhere,
    living,
    store_url,
    stored,
    truth,
    untrue,
    utc,
    warehouse,
)
from gapless.errors import KeyRefused, LeaseHeld, OwnLimit, Stopped, StorageError, VendorDown
from gapless.sandbox import Latency, Pinned, Profile, Sandbox, SyntheticMarket
from gapless.vocabulary.events import Event, JobEnded, PageStored
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

HOUR = 60 * MINUTE
SYMBOLS = ["X:BTCUSD", "AAPL"]
START, END = "2026-07-01T00:00Z", "2026-08-10T00:00Z"
SPAN = Span(utc("2026-07-01"), utc("2026-08-10"))
PAGES = 2 + 1 + 2
"""A chain of minutes with more than 50,000 bars, one with fewer, and two of days."""
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    """A made-up market."""
    return SyntheticMarket(seed=5)


@pytest.fixture(scope="module")
def slow(market: SyntheticMarket) -> Iterator[Sandbox]:
    """A vendor that takes its time, so that there is a middle of a run to be killed in."""
    with living(market, now=Pinned(NOW), latency=Latency(0.03, 0.06)) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("kind", "after"),
    [("packed", 1), ("packed", 3), ("packed", 4), ("packed", 5), ("plain", 2), ("plain", 5)],
)
def test_a_killed_run_goes_on_where_it_was(slow: Sandbox, tmp_path: Path, kind: str, after: int) -> None:
    """After `kill -9` the next run asks only for pages that were not stored, and the store equals the truth."""
    store, begun = store_url(tmp_path, kind), asked(slow)
    child = multiprocessing.get_context("spawn").Process(
        target=backfill_elsewhere, args=(slow.url, store, SYMBOLS, START, END)
    )
    child.start()
    while asked(slow) - begun < after and child.is_alive():
        time.sleep(0.001)
    time.sleep(Random(f"{kind} {after}").uniform(0, 0.1))
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    with warehouse(slow.url, store, OwnedClock()) as house:
        series = [(Instrument.parse(symbol), base) for symbol in SYMBOLS for base in Base]
        kept = {entry.digest for one in series for entry in house.store.entries(*one) if entry.digest}
        before = asked(slow)
        report = house.backfill(SYMBOLS, ["1m", "1d"], START, END)
        assert (report.exit_code, asked(slow) - before) == (0, PAGES - len(kept))
        assert untrue(house, slow, SYMBOLS, SPAN) == []


@kinds
def test_a_finished_backfill_asks_for_nothing(market: SyntheticMarket, tmp_path: Path, kind: str) -> None:
    """The same command again makes no request at all, and says that all is complete."""
    with (
        living(market, now=Pinned(NOW)) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, kind), OwnedClock()) as house,
    ):
        assert house.backfill(["AAPL", "X:BTCUSD"], ["5m", "1d"], "30d").exit_code == 0
        before = sandbox.stats["total"]
        again = house.backfill(["AAPL", "X:BTCUSD"], ["5m", "1d"], "30d")
        assert (again.requests, again.completed, again.exit_code) == (0, 4, 0)
        assert sandbox.stats["total"] == before


@kinds
def test_the_next_day_asks_for_the_new_day_alone(market: SyntheticMarket, tmp_path: Path, kind: str) -> None:
    """A day later the same command costs one small request for each series, and only new bars come."""
    clock = OwnedClock()
    with (
        living(market, now=clock) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, kind), clock) as house,
    ):
        house.backfill(["AAPL", "X:BTCUSD"], ["1m", "1d"], "2026-11-01")
        held = {
            symbol: len(stored(house, symbol, Base.MINUTE, Span(0, 2**50))) for symbol in ("AAPL", "X:BTCUSD")
        }
        clock.at += DAY
        before = asked(sandbox)
        report = house.backfill(["AAPL", "X:BTCUSD"], ["1m", "1d"], "2026-11-01")
        assert (report.exit_code, report.corrected, asked(sandbox) - before) == (0, 0, 4)
        # From midnight to midnight where each of them trades: 24 November.
        for symbol, day in (("AAPL", "2026-11-24T05:00"), ("X:BTCUSD", "2026-11-24T00:00")):
            new = truth(sandbox, symbol, Base.MINUTE, Span(utc(day), utc(day) + DAY))
            assert len(stored(house, symbol, Base.MINUTE, Span(0, 2**50))) - held[symbol] == len(new)


@kinds
def test_bars_of_today_are_provisional_and_never_frozen(
    market: SyntheticMarket, tmp_path: Path, kind: str
) -> None:
    """Read in mid-session they are left out unless wanted; the next update replaces the half-made ones."""
    clock = OwnedClock(at=utc("2026-11-23T17:30:30"))
    today = Span(utc("2026-11-23T05:00"), utc("2026-11-24T05:00"))
    with (
        living(market, now=clock) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, kind), clock) as house,
    ):
        house.backfill(["AAPL"], ["1m", "1d"], "2026-11-16")
        house.update()
        half_made = stored(house, "AAPL", Base.DAY, today)
        assert len(half_made) == 1
        for frame in ("1m", "1d"):
            shown = house.bars("AAPL", frame, "2026-11-23", "2026-11-24")
            more = house.bars("AAPL", frame, "2026-11-23", "2026-11-24", provisional=True)
            assert (len(shown), len(more) > 0, bool(more.numpy()["final"].any())) == (0, True, False)
        assert house.explain("AAPL", "1d", "2026-11-23").verdict == "provisional"

        clock.at = NOW
        house.update()
        whole = house.bars("AAPL", "1d", "2026-11-23", "2026-11-24")
        assert whole.parts[0].batch == truth(sandbox, "AAPL", Base.DAY, today) != half_made
        minutes = house.bars("AAPL", "1m", "2026-11-23", "2026-11-24")
        assert minutes.parts[0].batch == truth(sandbox, "AAPL", Base.MINUTE, today)
        assert minutes.parts[0].final.all()


def test_stop_finishes_the_page_in_hand(market: SyntheticMarket, tmp_path: Path) -> None:
    """A stop after the first page: what was stored stays, the exit code says resumable, the rest comes later."""
    with living(market, now=Pinned(NOW), latency=Latency(0.05)) as sandbox:
        with warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock(), workers="1") as house:

            def tell(event: Event) -> None:
                if isinstance(event, PageStored):
                    house.stop()

            report = house.backfill(SYMBOLS, ["1m", "1d"], START, END, tell=tell)
            assert report.exit_code == Stopped.exit_code
            assert 0 < report.inserted <= 2 * 50_000
        with warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock()) as house:
            assert house.backfill(SYMBOLS, ["1m", "1d"], START, END).exit_code == 0
            assert asked(sandbox) == PAGES
            assert untrue(house, sandbox, SYMBOLS, SPAN) == []


def test_ones_own_limit_stops_a_run_that_can_go_on(market: SyntheticMarket, tmp_path: Path) -> None:
    """Two requests at a time: never more, nothing twice, and the last run has it all."""
    codes = []
    with living(market, now=Pinned(NOW)) as sandbox:
        for _ in range(3):
            before = asked(sandbox)
            with warehouse(
                sandbox.url, store_url(tmp_path, "packed"), OwnedClock(), max_requests="2"
            ) as house:
                codes.append(house.backfill(SYMBOLS, ["1m", "1d"], START, END).exit_code)
                assert asked(sandbox) - before <= 2
        assert codes == [OwnLimit.exit_code, OwnLimit.exit_code, 0]
        assert asked(sandbox) == PAGES
        with warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock()) as house:
            assert untrue(house, sandbox, SYMBOLS, SPAN) == []


def test_a_vendor_that_is_down_ends_the_run_after_patience(market: SyntheticMarket, tmp_path: Path) -> None:
    """No job is failed for it: all of them are there for the next run."""
    with living(market, now=Pinned(NOW)) as sandbox:
        sandbox.fail_next("bad_gateway", times=10**6)
        with warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock(speed=200)) as house:
            report = house.backfill(["AAPL", "X:BTCUSD"], ["1d"], START, END)
            assert report.exit_code == VendorDown.exit_code
            assert not any("stop" in problem for problem in report.problems)  # nobody asked it to
            assert "502" in report.error or "503" in report.error or "504" in report.error
            sandbox.faults._scripts.clear()
            assert house.backfill(["AAPL", "X:BTCUSD"], ["1d"], START, END).exit_code == 0


@pytest.mark.parametrize("key", ["unknown", ""])
def test_a_key_that_is_not_known_ends_the_run(market: SyntheticMarket, tmp_path: Path, key: str) -> None:
    """At once, with the exit code for it; and the key is not in what is said."""
    with (
        living(market, now=Pinned(NOW)) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock(), key=key) as house,
    ):
        report = house.backfill(["AAPL", "SPY"], ["1d"], START, END)
        assert report.exit_code == KeyRefused.exit_code
        assert not key or key not in str(report.as_dict()).replace("Unknown API Key", "")


def test_a_second_run_on_the_same_series_is_turned_away(market: SyntheticMarket, tmp_path: Path) -> None:
    """It ends with the exit code for it and spoils nothing; the first run has all of its bars."""
    store = store_url(tmp_path, "packed")
    codes: list[int] = []
    with living(market, now=Pinned(NOW), latency=Latency(0.1, 0.3)) as sandbox:
        started = threading.Event()

        def first() -> None:
            with warehouse(sandbox.url, store, OwnedClock(speed=1)) as house:
                codes.append(
                    house.backfill(["X:BTCUSD"], ["1m"], START, END, tell=lambda _: started.set()).exit_code
                )

        thread = threading.Thread(target=first)
        thread.start()
        assert started.wait(60)
        while not asked(sandbox):
            time.sleep(0.002)
        with warehouse(sandbox.url, store, OwnedClock(speed=1)) as house:
            second = house.backfill(["X:BTCUSD"], ["1m"], START, END)
            thread.join()
            assert (second.exit_code, codes) == (LeaseHeld.exit_code, [0])
            assert stored(house, "X:BTCUSD", Base.MINUTE, SPAN) == truth(
                sandbox, "X:BTCUSD", Base.MINUTE, SPAN
            )


def test_a_listener_that_fails_costs_nothing(market: SyntheticMarket, tmp_path: Path) -> None:
    """It is given up and mentioned; every job completes."""

    def broken(event: Event) -> None:
        if isinstance(event, JobEnded):
            raise BrokenPipeError("Broken pipe")

    with (
        living(market, now=Pinned(NOW)) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, "packed"), OwnedClock()) as house,
    ):
        report = house.backfill(["AAPL", "SPY"], ["1d"], START, END, tell=broken)
        assert (report.completed, report.exit_code) == (2, 0)
        assert [problem for problem in report.problems if "Broken pipe" in problem]


@kinds
def test_the_edge_of_the_history_is_never_clipped(market: SyntheticMarket, tmp_path: Path, kind: str) -> None:
    """On two years of history no session is stored in part: before the edge all is refused, after it all is there."""
    clock = OwnedClock(at=utc("2026-11-24T15:00"))
    edge = clock.at - 730 * DAY
    keys = {"basic": Profile(years=2, eod_only=True)}
    with (
        living(market, now=clock, keys=keys) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, kind), clock, key="basic", massive_plan="basic") as house,
    ):
        report = house.backfill(["AAPL", "X:BTCUSD"], ["1m", "1d"], "2024-11-18", "2024-12-10")
        assert report.exit_code == 4
        assert {gap.outcome for gap in house.gaps()} == {Outcome.REFUSED}
        for symbol, hour in (("AAPL", 5), ("X:BTCUSD", 0)):
            end = utc("2024-12-10") + hour * HOUR
            # The first midnight of the exchange after the edge, with a day to spare since the edge moves.
            allowed = [day for day in range(end - 22 * DAY, end, DAY) if day >= edge]
            for base in Base:
                held = stored(house, symbol, base, Span(0, 2**50))
                assert held == truth(sandbox, symbol, base, Span(allowed[1], end))


def test_plain_rows_are_there_once(market: SyntheticMarket, tmp_path: Path) -> None:
    """Any SQLite tool counts as many minutes as the truth has, also after a run that was repeated."""
    with (
        living(market, now=Pinned(NOW)) as sandbox,
        warehouse(sandbox.url, store_url(tmp_path, "plain"), OwnedClock()) as house,
    ):
        for end in ("2026-07-10T00:00Z", "2026-07-20T00:00Z"):
            house.backfill(["X:BTCUSD"], ["1m"], START, end)
        count = len(truth(sandbox, "X:BTCUSD", Base.MINUTE, Span(SPAN.start, utc("2026-07-20"))))
    with closing(sqlite3.connect(tmp_path / "market_data.db")) as found:
        assert found.execute("SELECT COUNT(*) FROM market_data").fetchone() == (count,)


def test_a_lease_that_is_not_renewed_once_ends_no_run(
    slow: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk did not take one renewal of many: the run goes on, says so, and gives its leases back at the end."""
    clock = OwnedClock(speed=1000)
    with warehouse(slow.url, store_url(tmp_path, "packed"), clock) as house:
        renew = house.store.renew

        def fails_once(*_: object, **__: object) -> NoReturn:
            monkeypatch.undo()
            raise StorageError("SQLite could not work on the file: disk I/O error.", hint="Check the disk.")

        monkeypatch.setattr(house.store, "renew", fails_once)
        report = house.backfill(SYMBOLS, ["1m", "1d"], START, END)
        assert house.store.renew == renew  # it was met
        assert (report.exit_code, report.completed) == (0, report.jobs)
        assert any("not renewed" in problem for problem in report.problems)
        for symbol in SYMBOLS:
            house.store.claim(f"{symbol} 1m", "elsewhere:1:t", ttl=1, now=clock.now())
