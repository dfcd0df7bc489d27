"""What is asked of the vendor and wished for is whole minutes, at whatever second somebody asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.living import NOW, OwnedClock, asked, living, store_url, stored, truth, utc, warehouse
from gapless.app import Warehouse
from gapless.sandbox import Sandbox, SyntheticMarket
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import OPEN_END, Checked, Entry, Outcome, Wish
from gapless.vocabulary.timeframe import DAY, MINUTE, TIMEFRAMES, Base

COIN = "X:BTCUSD"
BTC = Instrument.parse(COIN)
NOON, ONE = utc("2026-11-20T12:00"), utc("2026-11-20T13:00")
HALF = MINUTE // 2


@pytest.fixture
def clock() -> OwnedClock:
    """The time of one test, the same for both sides."""
    return OwnedClock()


@pytest.fixture
def vendor(clock: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=12), now=clock) as sandbox:
        yield sandbox


@pytest.fixture
def house(vendor: Sandbox, clock: OwnedClock, tmp_path: Path) -> Iterator[Warehouse]:
    """An empty store beside it."""
    with warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one:
        yield one


@pytest.mark.parametrize("odd", [1, HALF, MINUTE - 1])
@pytest.mark.parametrize("frame", ["1m", "1d"])
def test_a_start_within_a_minute_is_that_minute(
    house: Warehouse, vendor: Sandbox, frame: str, odd: int
) -> None:
    """One request gets the minute, or the day, that it falls into and all after it, and nothing remains to be done."""
    start, end = utc("2026-11-20"), utc("2026-11-21")
    report = house.backfill([COIN], [frame], start + odd, end)
    base = TIMEFRAMES[frame].base
    assert (report.exit_code, report.gaps, house.gaps()) == (0, 0, [])
    assert stored(house, COIN, base, Span(0, NOW)) == truth(vendor, COIN, base, Span(start, end))
    assert asked(vendor) == 1
    assert house.repair().exit_code == 0
    assert asked(vendor) == 1


def test_an_end_within_a_minute_can_be_moved_on(house: Warehouse, vendor: Sandbox) -> None:
    """The minute that it falls into is whole, and a later end goes on after it."""
    for end in (NOON + HALF, ONE):
        assert house.backfill([COIN], ["1m"], NOON - 60 * MINUTE, end).exit_code == 0
    assert stored(house, COIN, Base.MINUTE, Span(0, NOW)) == truth(
        vendor, COIN, Base.MINUTE, Span(NOON - 60 * MINUTE, ONE)
    )


def test_a_window_of_odd_seconds_is_fetched_and_keeps_its_meaning(house: Warehouse, vendor: Sandbox) -> None:
    """The bars that start inside are read, no others."""
    window = Span(NOON - 7_000, ONE + 1)
    bars = house.bars(COIN, "1m", window.start, window.end, on_gap="fetch")
    assert bars.gaps == ()
    assert bars.parts[0].batch == truth(vendor, COIN, Base.MINUTE, Span(NOON, ONE + MINUTE))


def test_what_waits_for_half_a_minute_does_not_keep_the_rest_from_being_fetched(
    house: Warehouse, vendor: Sandbox, clock: OwnedClock
) -> None:
    """An update at an odd second failed and is not due again: the next one begins with the whole minute."""
    clock.at = NOW + HALF
    failed = Entry(BTC, Base.MINUTE, Span(NOON, clock.at), Outcome.FAILED, recorded=NOW, due=NOW + DAY)
    house.store.remember([Wish(BTC, TIMEFRAMES["1m"], Span(NOON, OPEN_END))])
    house.store.write(Checked(BTC, Base.MINUTE, Batch.empty(), (failed,)))
    clock.at = NOW + 200 * MINUTE
    house.update()
    read = Span(NOW, NOW + 140 * MINUTE)
    assert stored(house, COIN, Base.MINUTE, read) == truth(vendor, COIN, Base.MINUTE, read)


@pytest.mark.parametrize("outcome", [Outcome.SUSPECT, Outcome.FAILED])
@pytest.mark.parametrize("act", ["repair", "update"])
def test_a_wish_of_odd_seconds_that_a_store_holds_is_mended(
    house: Warehouse, vendor: Sandbox, act: str, outcome: Outcome
) -> None:
    """Once it is due, also where nothing but refusals came of it so far."""
    house.store.remember([Wish(BTC, TIMEFRAMES["1m"], Span(NOON + HALF, ONE + HALF))])
    tried = Entry(BTC, Base.MINUTE, Span(NOON + HALF, ONE + HALF), outcome, recorded=NOW, due=NOW)
    house.store.write(Checked(BTC, Base.MINUTE, Batch.empty(), (tried,)))
    assert getattr(house, act)().exit_code == 0
    whole = Span(NOON, ONE + MINUTE)
    assert house.gaps() == []
    assert stored(house, COIN, Base.MINUTE, Span(0, NOW)) == truth(vendor, COIN, Base.MINUTE, whole)


def test_half_a_minute_that_a_store_vouches_for_is_read_again(house: Warehouse, vendor: Sandbox) -> None:
    """What goes on after it begins with the whole minute."""
    bars = truth(vendor, COIN, Base.MINUTE, Span(NOON - MINUTE, NOON + MINUTE))
    proof = Entry(BTC, Base.MINUTE, Span(NOON - MINUTE, NOON + HALF), Outcome.BARS, recorded=NOW, rows=2)
    house.store.write(Checked(BTC, Base.MINUTE, bars, (proof,)))
    assert house.backfill([COIN], ["1m"], NOON - MINUTE, ONE).exit_code == 0
    read = Span(NOON - MINUTE, ONE)
    assert stored(house, COIN, Base.MINUTE, Span(0, NOW)) == truth(vendor, COIN, Base.MINUTE, read)
