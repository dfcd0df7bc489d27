"""The whole store at once: lazy scans, SQL, quality, and the way out to files and in again."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from engine.living import OwnedClock, asked, living, store_url, stored, truth, utc, warehouse
from gapless import Limits
from gapless.app import Warehouse
from gapless.errors import UsageError
from gapless.sandbox import Plant, PlantedMarket, Sandbox, SyntheticMarket
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, Base

SYMBOLS = ["AAPL", "ASML", "X:BTCUSD"]
FRAMES = ["1m", "1h", "1d", "1w"]
START, END = "2026-06-08", "2026-11-16"
"""Two pieces of a scan, neither of which begins with a week or ends with one."""


@pytest.fixture(scope="module")
def clock() -> OwnedClock:
    """The time of this file, the same for both sides."""
    return OwnedClock()


@pytest.fixture(scope="module")
def vendor(clock: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=61), now=clock) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def house(
    vendor: Sandbox, clock: OwnedClock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """Five months of three symbols in four timeframes; tests only read it."""
    with warehouse(vendor.url, store_url(tmp_path_factory.mktemp("views"), "packed"), clock) as one:
        assert one.backfill(SYMBOLS, FRAMES, START, END).exit_code == 0
        yield one


# -- scan --------------------------------------------------------------------


@pytest.mark.parametrize("view", [{}, {"session": "regular"}, {"adjust": "all"}, {"provisional": True}])
def test_a_scan_has_the_bars_of_every_call(house: Warehouse, view: dict[str, str]) -> None:
    """All symbols and timeframes of the store, piece by piece, are what `bars` gives one by one."""
    frames = ["1h", "1d", "1w"]
    scanned = house.scan((), frames, **view).polars().collect()  # type: ignore[arg-type]  # words alone
    one_by_one = [
        house.bars(symbol, frame, on_gap="mark", **view)  # type: ignore[arg-type]  # words alone
        .polars()
        .select(pl.lit(symbol).alias("symbol"), pl.lit(frame).alias("timeframe"), pl.all())
        for symbol in SYMBOLS
        for frame in frames
    ]
    expected = pl.concat(one_by_one)
    text = pl.col("symbol", "timeframe").cast(pl.String)
    order = ["symbol", "timeframe", "ts"]
    assert scanned.with_columns(text).sort(order).equals(expected.sort(order))
    assert len(expected) > 3000


def test_a_scan_is_cut_to_dates_and_filters(house: Warehouse) -> None:
    """Whether the scan is told or the library that reads it."""
    told = house.scan(["ASML"], ["1m"], "2026-08-03", "2026-08-05").polars().collect()
    lazily = house.scan().polars()
    start, end = pl.lit("2026-08-03T04:00+00:00"), pl.lit("2026-08-05T04:00+00:00")
    found = lazily.filter(
        pl.col("symbol") == "ASML",
        pl.col("timeframe") == "1m",
        pl.col("ts") >= start.str.to_datetime("%Y-%m-%dT%H:%M%z"),
        pl.col("ts") < end.str.to_datetime("%Y-%m-%dT%H:%M%z"),
    ).collect()
    assert len(told)
    assert found.equals(told)
    data = house.scan().dataset()
    query = "select count(*), sum(close) from data where symbol = 'ASML' and timeframe = '1m' and ts between ? and ?"
    counted = duckdb.execute(query, [told["ts"][0], told["ts"][-1]]).fetchall()
    assert counted[0] == pytest.approx((len(told), told["close"].sum()))
    assert data.count_rows() == len(lazily.collect())


def test_a_stranger_and_what_was_never_asked_for_are_refused(house: Warehouse) -> None:
    """Nothing stored is not the same as nothing traded."""
    with pytest.raises(UsageError, match="MSFT was never asked for"):
        house.scan(["MSFT"])
    with pytest.raises(UsageError, match="not a part of a session"):
        house.scan(session="lunch")


def test_a_scan_before_all_that_is_there_is_empty(house: Warehouse) -> None:
    """Dates that miss the store give no bars, one way or the other."""
    assert len(house.scan(end="2026-01-01").polars().collect()) == 0
    assert len(house.scan(start="2026-11-20").polars().collect()) == 0


# -- SQL ---------------------------------------------------------------------


def test_sql_counts_what_is_stored(house: Warehouse, vendor: Sandbox) -> None:
    """The first query that anybody tries, against the sandbox's own truth."""
    found = house.sql("select symbol, count(*) from bars where timeframe = '1d' group by 1 order by 1").rows
    days = {
        symbol: len(truth(vendor, symbol, Base.DAY, Span(utc("2026-06-08"), utc("2026-11-15T06:00"))))
        for symbol in SYMBOLS
    }
    assert dict(found) == days


def test_sql_joins_what_is_known(house: Warehouse) -> None:
    """Every view has its rows: symbols, the ledger behind them, gaps, revisions and quality."""
    found = house.sql(
        """
        select s.symbol, s.base, s.bars, count(distinct l.request_id) > 0 as told,
               (select count(*) from gaps g where g.symbol = s.symbol) as gaps
        from symbols s join ledger l using (symbol, base)
        where l.outcome = 'bars' group by all order by all
        """
    )
    assert found.columns == ("symbol", "base", "bars", "told", "gaps")
    assert [row[:2] for row in found.rows] == [(s, b) for s in SYMBOLS for b in ("1d", "1m")]
    assert {row[3:] for row in found.rows} == {(True, 0)}
    assert house.sql("select count(*) from revisions").rows == [(0,)]
    assert house.sql("select count(*) from quality where base = '1d'").rows == [(0,)]


def test_sql_sees_gaps_and_revisions(vendor: Sandbox, clock: OwnedClock, tmp_path: Path) -> None:
    """The same ones that `gaps` and `revisions` list."""
    apple, stamp, now = Instrument.parse("AAPL"), utc("2026-11-20T05:00"), clock.at
    out = Span(utc("2026-11-16T05:00"), utc("2026-11-17T05:00"))
    vendor.market.hide(apple, Base.DAY, out)
    try:
        with warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one:
            one.backfill(["AAPL"], ["1d"], "2026-11-09")
            vendor.market.revise(apple, Base.DAY, stamp, volume=5.0)
            clock.at += MINUTE
            one.update()
            (gap,) = one.gaps()
            assert one.sql('select symbol, epoch_ms(start), epoch_ms("end"), outcome from gaps').rows == [
                (gap.symbol, gap.start, gap.end, gap.outcome)
            ]
            (revision,) = one.revisions("AAPL")
            assert revision.old is not None
            query = "select symbol, base, epoch_ms(ts), old_volume, new_volume, final from revisions"
            assert one.sql(query).rows == [("AAPL", "1d", stamp, revision.old.volume, 5.0, True)]
    finally:
        vendor.market.show()
        clock.at = now


def test_sql_only_reads(house: Warehouse) -> None:
    """Files are out of reach, and a long result is cut with a note."""
    with pytest.raises(UsageError):
        house.sql("select * from read_csv('/etc/passwd')")
    cut = house.sql("select * from bars", limits=Limits(rows=10))
    assert (len(cut.rows), cut.cut) == (10, True)
    assert cut.note


# -- quality -----------------------------------------------------------------


def test_a_clean_market_has_no_bad_print(house: Warehouse) -> None:
    """Nor a price that jumps without a split."""
    rules = {flag.rule for flag in house.quality()}
    assert not rules & {"bad_print", "jump", "ohlc", "flat"}


def test_planted_prints_are_found(clock: OwnedClock, tmp_path: Path) -> None:
    """Of the wrong trades in the sandbox nearly all have a flag, and nearly every flag is one of them."""
    market = PlantedMarket(SyntheticMarket(seed=62), seed=4, rate=0.002)
    span = Span(utc("2026-10-19T04:00"), utc("2026-11-16T05:00"))
    with (
        living(market, now=clock) as vendor,
        warehouse(vendor.url, store_url(tmp_path, "packed"), clock) as one,
    ):
        one.backfill(["AAPL", "SPY"], ["1m", "1d"], "2026-10-19", "2026-11-16")
        found = {
            (flag.symbol, flag.start)
            for flag in one.quality()
            if flag.base is Base.MINUTE and flag.rule in ("bad_print", "volume")
        }
        assert {flag.symbol for flag in one.quality(["SPY"], "2026-11-09")} == {"SPY"}
    planted = {
        (symbol, ts)
        for symbol in ("AAPL", "SPY")
        for ts, plant in market.planted(Instrument.parse(symbol), Base.MINUTE, span).items()
        if plant is not Plant.STALE_PRICE
    }
    every = {
        (symbol, ts)
        for symbol in ("AAPL", "SPY")
        for ts in market.planted(Instrument.parse(symbol), Base.MINUTE, span)
    }
    assert len(planted) > 50
    assert len(found & planted) >= 0.95 * len(planted)
    assert len(found & every) >= 0.95 * len(found)


# -- out and in --------------------------------------------------------------


def test_a_round_trip_keeps_bars_and_proofs(
    house: Warehouse, vendor: Sandbox, clock: OwnedClock, tmp_path: Path
) -> None:
    """Packed to Parquet to a plain store: all complete there, byte for byte, and nothing is asked for again."""
    whole = ((), ["1m", "1d"], "2026-10-26", END)
    weeks = {
        "AAPL": Span(utc("2026-10-26T04:00"), utc("2026-11-16T05:00")),
        "X:BTCUSD": Span(utc("2026-10-26"), utc("2026-11-16")),
    }
    receipt = house.export(tmp_path / "out", "parquet", *whole)
    assert house.export(tmp_path / "out", "parquet", *whole).made == 0
    with warehouse(vendor.url, store_url(tmp_path, "plain"), clock) as other:
        assert other.import_(tmp_path / "out").rows == receipt.rows
        for symbol, span in weeks.items():
            for base in Base:
                assert stored(other, symbol, base, span) == stored(house, symbol, base, span)
        assert {(line.symbol, line.timeframe, line.percent) for line in other.status()} == {
            (symbol, base, 100.0) for symbol in SYMBOLS for base in ("1m", "1d")
        }
        before = asked(vendor)
        report = other.backfill(SYMBOLS, FRAMES, "2026-10-26", END)
        assert (report.exit_code, report.requests, asked(vendor) - before) == (0, 0, 0)
        there, here = (one.bars("ASML", "1h", "2026-10-26", END) for one in (other, house))
        assert there.polars().equals(here.polars())


def test_an_export_of_a_view_is_adjusted(house: Warehouse, tmp_path: Path) -> None:
    """Regular hours, adjusted: the numbers of `bars` in the same view; such a folder is no store to import."""
    house.export(tmp_path / "out", "parquet", ["AAPL"], ["1h"], session="regular", adjust="all")
    (file,) = (tmp_path / "out").rglob("*.parquet")
    bars = house.bars("AAPL", "1h", session="regular", adjust="all")
    assert (
        pl.read_parquet(file, hive_partitioning=False)["close"].to_list() == bars.polars()["close"].to_list()
    )
    with pytest.raises(UsageError):
        house.import_(tmp_path / "out")
