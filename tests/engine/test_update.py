"""Keeping up: `update` again changes nothing, and after any outage it fetches all that was missed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.living import KINDS, NOW, OwnedClock, asked, living, store_url, stored, truth, utc, warehouse
from gapless.sandbox import Sandbox, SyntheticMarket
from gapless.vocabulary.events import Event, PageStored
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

SYMBOLS = ["AAPL", "X:BTCUSD", "C:EURUSD"]
SERIES = len(SYMBOLS) * len(Base)
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def clock() -> OwnedClock:
    """The time of one test, the same for both sides."""
    return OwnedClock()


@pytest.fixture
def vendor(clock: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=8), now=clock) as sandbox:
        yield sandbox


@kinds
def test_a_second_update_reads_the_last_sessions_again_and_changes_nothing(
    vendor: Sandbox, clock: OwnedClock, tmp_path: Path, kind: str
) -> None:
    """One request for each series, from the last three finished sessions on; not a bar is new, changed or gone."""
    with warehouse(vendor.url, store_url(tmp_path, kind), clock) as house:
        house.backfill(SYMBOLS, ["1m", "1d"], "2026-11-10")
        assert house.update().exit_code == 0
        held = {(s, b): stored(house, s, b, Span(0, NOW)) for s in SYMBOLS for b in Base}
        before, heard = asked(vendor), list[Event]()
        again = house.update(tell=heard.append)
        assert (again.exit_code, again.inserted, again.corrected, again.withdrawn) == (0, 0, 0, 0)
        assert asked(vendor) - before == SERIES
        starts = [event.job.span.start for event in heard if isinstance(event, PageStored)]
        assert min(starts) >= utc("2026-11-19T05:00")
        assert held == {(s, b): stored(house, s, b, Span(0, NOW)) for s in SYMBOLS for b in Base}


@kinds
def test_after_a_long_outage_all_that_was_missed_is_fetched(
    vendor: Sandbox, clock: OwnedClock, tmp_path: Path, kind: str
) -> None:
    """Nothing ran for 45 days: one update brings the store to the vendor's truth, in as few pages as that takes."""
    with warehouse(vendor.url, store_url(tmp_path, kind), clock) as house:
        clock.at = NOW - 45 * DAY
        house.backfill(["AAPL", "X:BTCUSD"], ["1m", "1d"], "2026-10-01")
        clock.at, before = NOW, asked(vendor)
        report = house.update()
        assert (report.exit_code, report.gaps, house.gaps()) == (0, 0, [])
        assert asked(vendor) - before == 2 + 1 + 1 + 1  # a coin has 64,800 minutes in that time: two pages
        for symbol, hours in (("AAPL", 5), ("X:BTCUSD", 0)):
            settled = Span(utc("2026-10-01"), utc("2026-11-24") + hours * 60 * MINUTE)
            for base in Base:
                assert stored(house, symbol, base, settled) == truth(vendor, symbol, base, settled)
