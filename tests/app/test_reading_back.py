"""What comes out of a store again: derived bars, exports, explanations, gaps, and bars that were damaged."""

import csv
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.living import NOW, OwnedClock, asked, living, store_url, stored, truth, untrue, utc, warehouse
from gapless.app import Warehouse
from gapless.errors import UsageError
from gapless.sandbox import Sandbox, SyntheticMarket
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import MINUTE, Base

NEW_YORK = ZoneInfo("America/New_York")
FRAMES = ["1m", "5m", "1h", "1d", "1w"]
SYMBOLS = ["AAPL", "X:BTCUSD"]
START, END = "2026-11-02", "2026-11-16"


@pytest.fixture(scope="module")
def clock() -> OwnedClock:
    """The time of this file, the same for both sides."""
    return OwnedClock()


@pytest.fixture(scope="module")
def vendor(clock: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=8), now=clock) as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=["packed", "plain"])
def house(
    request: pytest.FixtureRequest,
    vendor: Sandbox,
    clock: OwnedClock,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Warehouse]:
    """Two weeks of a stock and a coin in five timeframes; tests only read it."""
    folder = tmp_path_factory.mktemp(request.param)
    with warehouse(vendor.url, store_url(folder, request.param), clock) as one:
        assert one.backfill(SYMBOLS, FRAMES, START, END).exit_code == 0
        yield one


# -- bars --------------------------------------------------------------------


def slow_windows(
    bars: Batch, frame: str, asset_class: AssetClass
) -> list[tuple[int, float, float, float, float]]:
    """Start, open, high, low and close of each window, by the clock on the wall of the exchange."""
    zone = NEW_YORK if asset_class is AssetClass.STOCKS else UTC

    def window(ts: int) -> int:
        wall = datetime.fromtimestamp(ts / 1000, zone)
        minute = wall.minute // 5 * 5 if frame == "5m" else 0
        return int(wall.replace(minute=minute, second=0).timestamp()) * 1000

    rows = zip(*(getattr(bars, n).tolist() for n in ("ts", "open", "high", "low", "close")), strict=True)
    found = []
    for start, group in groupby(rows, key=lambda row: window(row[0])):
        members = list(group)
        high, low = max(row[2] for row in members), min(row[3] for row in members)
        found.append((start, members[0][1], high, low, members[-1][4]))
    return found


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("frame", ["5m", "1h"])
def test_derived_bars_are_what_a_slow_loop_makes_of_the_minutes(
    house: Warehouse, vendor: Sandbox, symbol: str, frame: str
) -> None:
    """From the sandbox's own minutes, window by window; all of them final."""
    asset_class = Instrument.parse(symbol).asset_class
    bars = house.bars(symbol, frame, START, END)
    offset = 5 if symbol == "AAPL" else 0
    span = Span(utc("2026-11-02") + offset * 60 * MINUTE, utc("2026-11-16") + offset * 60 * MINUTE)
    made = zip(
        *(getattr(bars.parts[0].batch, n).tolist() for n in ("ts", "open", "high", "low", "close")),
        strict=True,
    )
    assert list(made) == slow_windows(truth(vendor, symbol, Base.MINUTE, span), frame, asset_class)
    assert bars.parts[0].final.all()


def test_whole_weeks_begin_on_monday(house: Warehouse) -> None:
    """Two weeks were asked for, and both are final."""
    weeks = house.bars("AAPL", "1w", START, END)
    assert [
        datetime.fromtimestamp(ts / 1000, NEW_YORK).strftime("%a %d")
        for ts in weeks.parts[0].batch.ts.tolist()
    ] == [
        "Mon 02",
        "Mon 09",
    ]


def test_a_week_that_is_stored_in_part_is_not_final(
    vendor: Sandbox, clock: OwnedClock, tmp_path: Path
) -> None:
    """Read up to a Wednesday, the second week is left out unless it is wanted, and then marked."""
    with warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one:
        one.backfill(["AAPL"], ["1w"], START, "2026-11-12")
        assert len(one.bars("AAPL", "1w")) == 1
        assert one.bars("AAPL", "1w", provisional=True).parts[0].final.tolist() == [True, False]


def test_bars_of_a_stranger_are_a_usage_error(house: Warehouse) -> None:
    """Nothing stored is not the same as nothing traded."""
    with pytest.raises(UsageError, match="No 1m bars of MSFT are stored"):
        house.bars("MSFT", "5m")


# -- export ------------------------------------------------------------------


def counts(house: Warehouse) -> dict[tuple[str, str], int]:
    """How many bars each wish has when it is read."""
    return {(symbol, frame): len(house.bars(symbol, frame)) for symbol in SYMBOLS for frame in FRAMES}


def test_csv_holds_every_number_as_stored(house: Warehouse, tmp_path: Path) -> None:
    """Read with Python's own csv module, the minutes are the same doubles, bar by bar."""
    receipt = house.export(tmp_path / "out", "csv")
    assert receipt.rows == sum(counts(house).values())
    (found,) = (tmp_path / "out").glob("timeframe=1m/symbol=AAPL/year=2026/*.csv")
    with found.open(newline="") as file:
        minutes = list(csv.DictReader(file))
    held = house.bars("AAPL", "1m").parts[0].batch
    for name in ("open", "high", "low", "close", "volume", "vwap"):
        written = [float(row[name] or "nan") for row in minutes]
        assert all(
            a == b or (math.isnan(a) and math.isnan(b))
            for a, b in zip(written, getattr(held, name).tolist(), strict=True)
        )
    assert [row["ts"] for row in minutes] == [
        datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for ts in held.ts.tolist()
    ]


def test_an_export_to_sqlite_counts_every_timeframe(house: Warehouse, tmp_path: Path) -> None:
    """`SELECT COUNT(*) FROM market_data` is the sum over the timeframes asked for, and each has its own share."""
    out = tmp_path / "bars.db"
    receipt = house.export(out, "sqlite")
    with closing(sqlite3.connect(out)) as db:
        (total,) = db.execute("SELECT COUNT(*) FROM market_data").fetchone()
        shares = dict.fromkeys(counts(house), 0) | {
            (symbol, frame): count
            for symbol, frame, count in db.execute(
                "SELECT symbol, timeframe, COUNT(*) FROM market_data GROUP BY symbol, timeframe"
            )
        }
    assert shares == counts(house)
    assert total == sum(shares.values())
    assert receipt.rows == sum(count for (_, frame), count in shares.items() if frame in tuple(Base))


def test_an_export_to_sqlite_is_a_store_to_go_on_with(
    house: Warehouse, vendor: Sandbox, clock: OwnedClock, tmp_path: Path
) -> None:
    """Opened as a store it has the same bars and the same coverage: a backfill of the same asks for nothing."""
    house.export(tmp_path / "bars.db", "sqlite")
    with warehouse(vendor.url, f"sqlite:///{tmp_path}/bars.db", clock) as other:
        for symbol in SYMBOLS:
            for base in Base:
                assert stored(other, symbol, base, Span(0, 2**50)) == stored(
                    house, symbol, base, Span(0, 2**50)
                )
        before = asked(vendor)
        assert other.backfill(SYMBOLS, FRAMES, START, END).exit_code == 0
        assert asked(vendor) == before


def test_nothing_is_overwritten_by_an_export(house: Warehouse, tmp_path: Path) -> None:
    """A file that is there already stays as it is."""
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        house.export(tmp_path / "mine.csv", "csv")
    assert (tmp_path / "mine.csv").read_text() == "mine"


# -- what is known -----------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "frame", "instant", "verdict"),
    [
        ("AAPL", "5m", "2026-11-04T10:01", "bar"),
        ("AAPL", "1d", "2026-11-04", "bar"),
        ("AAPL", "1m", "2026-11-04T02:00", "closed"),
        ("AAPL", "1m", "2026-11-07T11:00", "closed"),
        ("AAPL", "1d", "2026-11-08", "closed"),
        ("AAPL", "1m", "2026-11-17T11:00", "missing"),
        ("X:BTCUSD", "1d", "2026-11-07", "bar"),
        ("X:BTCUSD", "1d", "2026-11-20", "missing"),
    ],
)
def test_every_instant_has_its_verdict(
    house: Warehouse, symbol: str, frame: str, instant: str, verdict: str
) -> None:
    """A bar, a closed market, or missing because nobody asked; always in whole sentences."""
    said = house.explain(symbol, frame, instant)
    assert said.verdict == verdict
    assert said.sentences
    assert all(sentence.endswith(".") for sentence in said.sentences)


def test_a_minute_without_a_bar_is_no_trade(house: Warehouse, vendor: Sandbox) -> None:
    """A thin evening minute that the sandbox has no bar for is proved empty, with the request that proves it."""
    evening = Span(utc("2026-11-05T22:00"), utc("2026-11-06T01:00"))
    traded = set(truth(vendor, "AAPL", Base.MINUTE, evening).ts.tolist())
    silent = next(ts for ts in range(evening.start, evening.end, MINUTE) if ts not in traded)
    said = house.explain("AAPL", "1m", silent)
    assert (said.verdict, said.outcome, len(said.request_id)) == ("no trade", "bars", 32)


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("frame", FRAMES)
def test_a_bar_is_explained_at_every_instant_of_it(house: Warehouse, symbol: str, frame: str) -> None:
    """Its first second, its last one and any between have one verdict and the numbers that `bars` gives."""
    whole = house.bars(symbol, frame, "2026-11-02", "2026-11-09").parts[0].batch
    bar = whole.take(slice(len(whole) // 2, len(whole) // 2 + 1))
    start = int(bar.ts[0])
    for instant in (start, start + 1, start + 30_500, start + MINUTE - 1):
        said = house.explain(symbol, frame, instant)
        assert (said.timeframe, said.instant, said.verdict) == (frame, start, "bar")
        assert f"open {bar.open[0]:g}, high {bar.high[0]:g}, " in said.sentences[0]
        assert f"volume {bar.volume[0]:g}." in said.sentences[0]


def test_a_day_is_explained_at_its_noon(house: Warehouse) -> None:
    """Whoever asks for the day at some hour of it is told of the day."""
    assert house.explain("AAPL", "1d", "2026-11-05T10:30").verdict == "bar"
    assert house.explain("AAPL", "1d", "2026-11-07T10:30").verdict == "closed"
    weekend = house.explain("AAPL", "1h", "2026-11-07T10:30")
    assert (weekend.verdict, weekend.timeframe) == ("closed", "1m")
    assert "no 1h bar" in weekend.sentences[-1]


def test_status_counts_what_is_stored(house: Warehouse) -> None:
    """One line for each wish; complete, nothing provisional."""
    lines = house.status()
    assert {(line.symbol, line.timeframe) for line in lines} == set(counts(house))
    assert {(line.percent, line.provisional, line.complete) for line in lines} == {(100.0, 0, True)}


def test_a_gap_has_a_reason_and_a_time(vendor: Sandbox, clock: OwnedClock, tmp_path: Path) -> None:
    """An outage in the middle of a month is one gap: why, from where to where, and when it is asked again."""
    out = Span(utc("2026-10-12T04:00"), utc("2026-10-15T04:00"))
    vendor.market.hide(Instrument.parse("MSFT"), Base.DAY, out)
    try:
        with warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one:
            report = one.backfill(["MSFT"], ["1d"], "2026-10-01", "2026-11-01")
            (gap,) = one.gaps()
            assert (gap.symbol, gap.base, gap.outcome) == ("MSFT", Base.DAY, Outcome.UNCONFIRMED)
            assert gap.start <= out.start
            assert out.end - 5 * 60 * MINUTE <= gap.end <= out.end
            assert (gap.due, report.next_try) == (clock.at + 60 * MINUTE,) * 2
            assert "no bars where the market was open" in gap.reason
            vendor.market.show()
            assert one.repair().exit_code == 0
            assert one.gaps() == []
    finally:
        vendor.market.show()


# -- damage ------------------------------------------------------------------


def test_a_flipped_byte_is_found_set_aside_and_fetched_again(
    vendor: Sandbox, clock: OwnedClock, tmp_path: Path
) -> None:
    """Verify finds it, repair takes it out and asks again; then the store equals the truth as before."""
    span = Span(utc("2026-10-01T04:00"), utc("2026-11-01T04:00"))
    store = store_url(tmp_path, "packed")
    with warehouse(vendor.url, store, clock) as one:
        one.backfill(["AAPL"], ["1m", "1d"], "2026-10-01", "2026-11-01")
        assert one.verify() == []
    flip_a_stored_byte(Path(store))
    with warehouse(vendor.url, store, clock) as one:
        (damage,) = one.verify(repair=True)
        assert str(damage.instrument) == "AAPL"
        assert {gap.outcome for gap in one.gaps()} == {Outcome.LOST}
        assert one.verify() == []
        assert one.repair().exit_code == 0
        assert untrue(one, vendor, ["AAPL"], span) == []
        assert one.gaps() == []


def flip_a_stored_byte(file: Path) -> None:
    """Flip one bit in the middle of the largest blob that the file holds."""
    with closing(sqlite3.connect(file)) as db:
        blobs = []
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for column in [row[1] for row in db.execute(f"PRAGMA table_info({table})")]:
                found = db.execute(
                    f"SELECT {column} FROM {table} WHERE typeof({column}) = 'blob' ORDER BY length({column}) DESC"
                ).fetchone()
                blobs += [(len(found[0]), table, column, found[0])] if found else []
        _, table, column, blob = max(blobs)
        spoiled = bytearray(blob)
        spoiled[len(spoiled) // 2] ^= 16
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (bytes(spoiled), blob))
        db.commit()


def test_the_night_of_these_tests_is_settled() -> None:
    """The clock of this file stands after the last session that it asks for."""
    assert utc("2026-11-24T02:00") < NOW
