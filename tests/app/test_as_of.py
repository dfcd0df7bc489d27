"""Bars as they were: what the vendor changes afterwards is found, listed, and readable as of any moment."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from engine.living import NOW, OwnedClock, living, store_url, stored, truth, utc, warehouse
from gapless import BarsMissing
from gapless.app import Warehouse
from gapless.sandbox import Sandbox, SyntheticMarket
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

START, END = "2026-11-16", "2026-11-24"
SYMBOLS = ["AAPL", "MSFT", "X:BTCUSD"]
STOCKS = Span(utc("2026-11-19T05:00"), utc("2026-11-24T05:00"))
COINS = Span(utc("2026-11-21T00:00"), utc("2026-11-24T00:00"))
"""The last three sessions before `NOW`: Thursday, Friday and Monday; Saturday to Monday."""
TRAILING = {"AAPL": STOCKS, "MSFT": STOCKS, "X:BTCUSD": COINS}


@pytest.fixture
def clock() -> OwnedClock:
    """The time of one test, the same for both sides."""
    return OwnedClock()


@pytest.fixture
def vendor(clock: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market whose bars can be revised."""
    with living(SyntheticMarket(seed=51), now=clock) as sandbox:
        yield sandbox


@pytest.fixture
def house(vendor: Sandbox, clock: OwnedClock, tmp_path: Path) -> Iterator[Warehouse]:
    """An empty store beside it."""
    with warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one:
        yield one


def whole(symbol: str) -> Span:
    """From the first day that is asked for to the last."""
    return Span(utc("2026-11-16"), TRAILING[symbol].end)


def minute(stamp: int) -> Span:
    """The minute that starts then."""
    return Span(stamp, stamp + MINUTE)


def test_a_correction_is_seen_from_the_update_on(
    house: Warehouse, vendor: Sandbox, clock: OwnedClock
) -> None:
    """As of the moment before it the old numbers, now the new ones; the list of revisions has both."""
    apple, day = Instrument.parse("AAPL"), utc("2026-11-20T05:00")
    house.backfill(["AAPL"], ["1d"], START)
    before, old = clock.at, house.bars("AAPL", "1d").polars()
    low = truth(vendor, "AAPL", Base.DAY, Span(day, day + DAY)).low[0]
    vendor.market.revise(apple, Base.DAY, day, close=low, volume=77.0)
    clock.at += 60 * MINUTE
    house.update()
    new = house.bars("AAPL", "1d")
    assert house.bars("AAPL", "1d", as_of=before).polars().equals(old)
    assert house.bars("AAPL", "1d", as_of="now").polars().equals(new.polars())
    assert new.parts[0].batch == truth(vendor, "AAPL", Base.DAY, Span(utc("2026-11-16T05:00"), before))
    (revision,) = house.revisions("AAPL", "1w", START, END)
    assert (revision.ts, revision.written, revision.final) == (day, clock.at, True)
    assert revision.old is not None
    assert revision.new is not None
    was = old.row(4, named=True)
    assert (revision.old.close, revision.old.volume) == (was["close"], was["volume"])
    assert (revision.new.close, revision.new.volume, revision.new.open) == (low, 77.0, was["open"])
    assert house.revisions("AAPL", "1d", "2026-11-21", END) == []


@pytest.mark.parametrize("kind", ["packed", "plain"])
def test_no_moment_is_called_whole_before_its_bars_were_there(
    vendor: Sandbox, clock: OwnedClock, tmp_path: Path, kind: str
) -> None:
    """A clock that was ahead and is put right between two runs: at any moment bars are there, or told as missing."""
    span = Span(utc("2026-11-17T05:00"), utc("2026-11-18T05:00"))
    with warehouse(vendor.url, store_url(tmp_path, kind), clock) as house:
        for at, day in ((30_000, 16), (10_000, 17)):
            clock.at = NOW + at
            house.backfill(["AAPL"], ["1m"], f"2026-11-{day}", f"2026-11-{day + 1}")
        clock.at = NOW + 60_000
        for seconds in (9, 15, 29, 30, 40):
            bars = house.bars(
                "AAPL", "1m", "2026-11-17", "2026-11-18", as_of=NOW + 1000 * seconds, on_gap="mark"
            )
            assert bool(len(bars)) != bool(bars.gaps), seconds
        assert bars.parts[0].batch == truth(vendor, "AAPL", Base.MINUTE, span)


def test_derived_bars_are_as_they_were(house: Warehouse, vendor: Sandbox, clock: OwnedClock) -> None:
    """An hour is made of its minutes as they stood at that moment."""
    stamp = utc("2026-11-23T15:30")
    house.backfill(["AAPL"], ["1m"], START)
    before, old = clock.at, house.bars("AAPL", "1h").polars()
    vendor.market.revise(Instrument.parse("AAPL"), Base.MINUTE, stamp, high=9999.0)
    clock.at += MINUTE
    house.update()
    assert house.bars("AAPL", "1h", as_of=before).polars().equals(old)
    assert house.bars("AAPL", "1h").polars()["high"].max() == 9999.0


def test_gaps_are_those_of_then(house: Warehouse, clock: OwnedClock) -> None:
    """What was fetched later was missing then, and no command is said to help."""
    house.backfill(["AAPL"], ["1d"], START, "2026-11-19")
    before = clock.at
    clock.at += MINUTE
    house.backfill(["AAPL"], ["1d"], START, END)
    assert len(house.bars("AAPL", "1d", START, END)) == 6
    with pytest.raises(BarsMissing, match="2026-11-19") as caught:
        house.bars("AAPL", "1d", START, END, as_of=before)
    assert "gapless" not in caught.value.hint
    assert len(house.bars("AAPL", "1d", START, END, as_of=before, on_gap="mark")) == 3


def test_finality_is_that_of_then(house: Warehouse, clock: OwnedClock) -> None:
    """A bar of the session that was open then is left out, and half made where it is wanted."""
    clock.at = utc("2026-11-23T17:30")
    house.backfill(["AAPL"], ["1d"], START)
    house.update()
    before = clock.at
    clock.at = NOW
    house.update()
    assert len(house.bars("AAPL", "1d", START, END)) == 6
    then = house.bars("AAPL", "1d", START, END, as_of=before)
    assert (len(then), then.gaps, then.final_until) == (5, (), utc("2026-11-23T05:00"))
    shown = house.bars("AAPL", "1d", START, END, as_of=before, provisional=True)
    assert shown.parts[0].final.tolist() == [True] * 5 + [False]


@pytest.mark.parametrize("seed", range(3))
def test_update_finds_every_revision_of_the_last_sessions(
    house: Warehouse, vendor: Sandbox, clock: OwnedClock, seed: int
) -> None:
    """Hundreds of bars corrected, withdrawn or late: each is listed once with its numbers, and nothing else is."""
    random = Random(seed)
    late, withdrawn, corrected = (set[tuple[str, Base, int]]() for _ in range(3))
    chosen = {
        (symbol, base): random.sample(bars.ts.tolist(), min(len(bars), 90))
        for symbol in SYMBOLS
        for base in Base
        for bars in [truth(vendor, symbol, base, TRAILING[symbol])]
    }
    for (symbol, base), stamps in chosen.items():
        for stamp in stamps:
            kind = random.choice([corrected, late, withdrawn] if base is Base.MINUTE else [corrected])
            kind.add((symbol, base, stamp))
    hide(vendor, late)
    house.backfill(SYMBOLS, ["1m", "1d"], START, END)
    held = {key: stored(house, *key, whole(key[0])) for key in chosen}
    vendor.market.show()
    hide(vendor, withdrawn)
    for symbol, base, stamp in corrected:
        (low,) = truth(vendor, symbol, base, minute(stamp)).low
        vendor.market.revise(Instrument.parse(symbol), base, stamp, close=low, volume=random.uniform(1, 9))
    clock.at += MINUTE
    house.update()
    found = {
        (symbol, base, one.ts): (one.old is not None, one.new is not None)
        for symbol, base in chosen
        for one in house.revisions(symbol, base)
    }
    assert found == (
        dict.fromkeys(late, (False, True))
        | dict.fromkeys(withdrawn, (True, False))
        | dict.fromkeys(corrected, (True, True))
    )
    assert len(found) > 200
    for symbol, base in chosen:
        span = whole(symbol)
        assert stored(house, symbol, base, span) == truth(vendor, symbol, base, span)
        then = house.store.read(Instrument.parse(symbol), base, span, clock.at - 1)
        assert then == held[symbol, base]


def hide(vendor: Sandbox, bars: set[tuple[str, Base, int]]) -> None:
    """Take single bars out of what the vendor shows."""
    for symbol, base, stamp in bars:
        vendor.market.hide(Instrument.parse(symbol), base, minute(stamp))


def test_an_older_session_is_not_read_again(house: Warehouse, vendor: Sandbox, clock: OwnedClock) -> None:
    """An update is three sessions of requests, not the whole history: what changes earlier is left to `verify`."""
    house.backfill(["AAPL"], ["1d"], START)
    vendor.market.revise(Instrument.parse("AAPL"), Base.DAY, utc("2026-11-18T05:00"), volume=1.5)
    clock.at += DAY
    house.update()
    assert house.revisions("AAPL") == []
