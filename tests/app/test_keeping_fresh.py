"""A store that is kept fresh for days, in time that passes by sleeping alone."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from engine.living import NOW, OwnedClock, asked, living, store_url, stored, truth, utc, warehouse
from gapless.app import AsyncWarehouse
from gapless.app.keeping_fresh import keep_fresh, last_done
from gapless.errors import LeaseHeld, OwnLimit, StoreFull, VendorDown
from gapless.reports import RunReport
from gapless.sandbox import Sandbox, SyntheticMarket
from gapless.vocabulary.daily import USUAL, Daily
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

WELL = RunReport(
    run_id="20260306-023000-0a1b2c3d",
    jobs=2,
    completed=2,
    failed=0,
    refused=0,
    bars=9,
    inserted=9,
    corrected=0,
    withdrawn=0,
    requests=4,
    estimated_requests=4,
    ideal_requests=4,
    action_requests=0,
    seconds=1.0,
    estimated_seconds=1.0,
    limited_by={},
    store_seconds=0.1,
    rows_per_second=9.0,
    wire_bytes=99,
    bytes_per_bar=None,
    slowest="",
    retries={},
    problems=(),
    gaps=0,
    next_try=None,
)
"""How a run ends that did what it should."""

HOUR = 60 * MINUTE


@dataclass
class SleptClock:
    """A clock on which time passes when somebody sleeps; the date is that of `date`, which others may share."""

    date: OwnedClock

    def now(self) -> int:
        """The date in Unix milliseconds."""
        return self.date.at

    def monotonic(self) -> float:
        """Seconds."""
        return self.date.at / 1000

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.date.at += round(seconds * 1000)
        await asyncio.sleep(0)


def at(text: str) -> SleptClock:
    """A clock that stands at a moment in UTC."""
    return SleptClock(OwnedClock(utc(text)))


@dataclass
class Updates:
    """Updates that take no time and end as `script` says, then well; kept with their moments."""

    clock: SleptClock
    script: list[RunReport | Exception] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def update(self) -> RunReport:
        """Note when it was, and end."""
        self.moments.append(self.clock.now())
        end = self.script.pop(0) if self.script else WELL
        if isinstance(end, Exception):
            raise end
        return end

    async def run(self, daily: Daily, count: int, **options: Any) -> list[int]:  # noqa: ANN401 - keep_fresh's own
        """The moments of so many updates."""
        running = asyncio.create_task(keep_fresh(self.update, daily, self.clock, self.told.append, **options))
        await _until(lambda: len(self.moments) >= count or running.done())
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        return self.moments[:count]


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - virtual time goes on meanwhile
        await asyncio.sleep(0)


async def test_it_updates_at_that_time_every_day_whatever_the_clocks_do() -> None:
    """On 8 March 2026 clocks in New York are put forward: the next nights are an hour earlier in UTC."""
    updates = Updates(at("2026-03-06T00:00"))
    assert await updates.run(USUAL, 4) == [
        utc("2026-03-06T02:30"),
        utc("2026-03-07T02:30"),
        utc("2026-03-08T02:30"),
        utc("2026-03-09T01:30"),
    ]
    assert updates.told[0] == "The next update is due at 2026-03-06 02:30 UTC (21:30 America/New_York)."
    assert updates.told[1] == "Updated: 2 of 2 complete, 9 new bars, 4 requests."


@pytest.mark.parametrize(
    ("last", "first"),
    [
        ("2026-03-04T02:31", "2026-03-06T12:00"),
        ("2026-03-06T02:29", "2026-03-06T12:00"),
        ("2026-03-06T02:31", "2026-03-07T02:30"),
    ],
)
async def test_an_update_that_was_missed_runs_at_once(last: str, first: str) -> None:
    """One, however many were; none where the store was brought up to now since."""
    updates = Updates(at("2026-03-06T12:00"))
    moments = await updates.run(USUAL, 2, last=utc(last))
    assert moments[0] == utc(first)
    assert moments[1] == utc("2026-03-07T02:30" if first.endswith("12:00") else "2026-03-08T02:30")


async def test_a_machine_that_slept_makes_up_for_it_once() -> None:
    """Three days went by in one wink: one update, then the next night's."""
    clock = at("2026-03-02T00:00")
    updates = Updates(clock)

    def sleeping(words: str) -> None:
        updates.told.append(words)
        clock.date.at += 3 * DAY * (len(updates.told) == 1)

    running = asyncio.create_task(keep_fresh(updates.update, USUAL, clock, sleeping))
    await _until(lambda: len(updates.moments) > 1)
    running.cancel()
    await asyncio.wait([running])
    assert updates.moments[:2] == [utc("2026-03-05T00:00"), utc("2026-03-05T02:30")]


@pytest.mark.parametrize(
    ("end", "said", "minutes"),
    [
        (
            replace(WELL, error="Nothing got through.", error_exit=VendorDown.exit_code),
            "ended early: Nothing",
            30,
        ),
        (
            replace(WELL, error="Another run.", error_exit=LeaseHeld.exit_code),
            "ended early: Another run.",
            30,
        ),
        (StoreFull("The disk is full.", hint="Make room."), "did not run: The disk is full. Make room.", 30),
        (ZeroDivisionError("of ours"), "a fault in gapless: ZeroDivisionError: of ours", 30),
        (
            replace(WELL, error="50 requests.", error_exit=OwnLimit.exit_code),
            "ended early: 50 requests.",
            24 * 60,
        ),
        (
            replace(WELL, completed=1, gaps=3),
            "Updated: 1 of 2 complete, 9 new bars, 4 requests; gaps",
            24 * 60,
        ),
    ],
)
async def test_what_goes_wrong_is_told_and_outlived(
    end: RunReport | Exception, said: str, minutes: int
) -> None:
    """What may pass is tried again in half an hour; a limit of one's own holds until tomorrow."""
    updates = Updates(at("2026-03-03T00:00"), [end])
    first, second = await updates.run(USUAL, 2)
    assert second - first == minutes * MINUTE
    assert said in updates.told[1]


def test_only_a_run_that_did_its_work_counts_as_the_last() -> None:
    """One that is not over, or that was kept from it, does not."""
    runs: list[dict[str, Any]] = [
        {"ended": None, "report": None},
        {"ended": 9, "report": {"exit_code": 8}},
        {"ended": 7, "report": {"exit_code": 3}},
        {"ended": 5, "report": {"exit_code": 0}},
    ]
    assert (last_done(runs), last_done(runs[:2]), last_done([])) == (7, None, None)


@pytest.fixture
def date() -> OwnedClock:
    """The date of one test, the same for both sides."""
    return OwnedClock()


@pytest.fixture
def vendor(date: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=6), now=date) as sandbox:
        yield sandbox


async def test_a_real_store_is_kept_fresh(vendor: Sandbox, date: OwnedClock, tmp_path: Path) -> None:
    """Day after day it equals the vendor's truth up to the last session; a night costs one request for each series."""
    async with AsyncWarehouse(warehouse(vendor.url, store_url(tmp_path, "packed"), date)) as house:
        await house.backfill(["AAPL", "X:BTCUSD"], ["1m", "1d"], "2026-11-16")
        before, told = asked(vendor), list[str]()
        running = asyncio.create_task(keep_fresh(house.update, USUAL, SleptClock(date), told.append))
        await _until(lambda: len(told) > 2 * 3)
        running.cancel()
        await asyncio.wait([running])
        assert [words.partition(",")[0] for words in told[1:6:2]] == ["Updated: 4 of 4 complete"] * 3
        assert asked(vendor) - before == 3 * 4
        assert date.at > NOW + 2 * DAY
        days = Span(utc("2026-11-16T05:00"), utc("2026-11-26T05:00"))
        for symbol in ("AAPL", "X:BTCUSD"):
            for base in Base:
                assert stored(house.warehouse, symbol, base, days) == truth(vendor, symbol, base, days)
