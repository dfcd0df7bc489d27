"""Bars as a reader gets them: every timeframe and part of a session, one symbol or many, in any library."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.slowly import NEW_YORK, assert_same, slow_bars
from engine.living import OwnedClock, living, store_url, truth, utc, warehouse
from gapless.app import Warehouse
from gapless.errors import UsageError
from gapless.sandbox import Sandbox, SyntheticMarket
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, TIMEFRAMES, Base

START, END = "2025-10-27", "2025-12-08"
"""Six weeks: clocks go back on 2 November, Thanksgiving is the 27th, the day after is half a day."""
SYMBOLS = ["AAPL", "ASML", "X:BTCUSD"]


def instant(text: str, symbol: str) -> int:
    """The midnight of a date where the symbol trades."""
    zone = UTC if symbol.startswith("X:") else NEW_YORK
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1000


@pytest.fixture(scope="module")
def clock() -> OwnedClock:
    """A time at which all of this has settled."""
    return OwnedClock(at=utc("2025-12-09T06:00"))


@pytest.fixture(scope="module")
def vendor(clock: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=21), now=clock) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def house(
    vendor: Sandbox, clock: OwnedClock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """Two stocks, one of them thin, and a coin; tests only read it."""
    with warehouse(vendor.url, store_url(tmp_path_factory.mktemp("bars"), "packed"), clock) as one:
        assert one.backfill(SYMBOLS, ["1m", "1d"], START, END).exit_code == 0
        yield one


@pytest.mark.parametrize(
    ("symbol", "frame", "part"),
    [
        ("AAPL", "1m", "all"),
        ("AAPL", "5m", "all"),
        ("AAPL", "4h", "all"),
        ("AAPL", "1m", "regular"),
        ("AAPL", "15m", "regular"),
        ("AAPL", "1h", "regular"),
        ("AAPL", "4h", "regular"),
        ("AAPL", "1d", "regular"),
        ("AAPL", "1w", "regular"),
        ("AAPL", "30m", "pre"),
        ("AAPL", "1h", "pre"),
        ("AAPL", "2h", "post"),
        ("ASML", "5m", "post"),
        ("ASML", "1h", "all"),
        ("ASML", "1d", "pre"),
        ("X:BTCUSD", "2h", "all"),
        ("X:BTCUSD", "1h", "regular"),
    ],
)
def test_bars_are_what_a_slow_loop_makes_of_the_minutes(
    house: Warehouse, vendor: Sandbox, symbol: str, frame: str, part: str
) -> None:
    """Window by window over the sandbox's own minutes, whatever the clocks and the holidays do."""
    span = Span(instant(START, symbol), instant(END, symbol))
    minutes = truth(vendor, symbol, Base.MINUTE, span)
    bars = house.bars(symbol, frame, START, END, session=part)
    assert_same(bars.parts[0].batch, slow_bars(minutes, frame, part, stock=symbol != "X:BTCUSD"))
    assert bars.parts[0].final.all()
    assert bars.gaps == ()


@pytest.mark.parametrize("symbol", ["AAPL", "X:BTCUSD"])
@pytest.mark.parametrize("frame", ["1d", "1w"])
def test_days_and_weeks_are_made_of_the_vendors_days(
    house: Warehouse, vendor: Sandbox, symbol: str, frame: str
) -> None:
    """Weeks begin on Monday where the market is."""
    days = truth(vendor, symbol, Base.DAY, Span(instant(START, symbol), instant(END, symbol)))
    bars = house.bars(symbol, frame, START, END)
    assert_same(bars.parts[0].batch, slow_bars(days, frame, stock=symbol == "AAPL"))


def test_a_month_that_is_there_in_part_is_left_out(house: Warehouse, vendor: Sandbox) -> None:
    """November is whole and final; October and December are shown, and marked, only where they are wanted."""
    days = truth(vendor, "AAPL", Base.DAY, Span(instant(START, "AAPL"), instant(END, "AAPL")))
    months = slow_bars(days, "1mo")
    assert_same(house.bars("AAPL", "1mo").parts[0].batch, months[1:2])
    (every,) = house.bars("AAPL", "1mo", provisional=True).parts
    assert_same(every.batch, months)
    assert every.final.tolist() == [False, True, False]


@settings(max_examples=40)
@given(
    frame=st.sampled_from(sorted(TIMEFRAMES)),
    part=st.sampled_from(["all", "regular", "pre", "post"]),
    edges=st.lists(st.integers(0, 42 * 1440), min_size=2, max_size=2, unique=True).map(sorted),
)
def test_a_span_cuts_no_bar(house: Warehouse, frame: str, part: str, edges: list[int]) -> None:
    """Any span has exactly the bars of the whole that start inside it, with the same numbers."""
    origin = instant(START, "ASML")
    span = Span(*(origin + edge * MINUTE for edge in edges))
    whole = house.bars("ASML", frame, session=part, on_gap="mark").parts[0].batch
    cut = house.bars("ASML", frame, span.start, span.end, session=part, on_gap="mark").parts[0].batch
    assert cut == whole.between(span)


def test_a_half_day_ends_at_one(house: Warehouse) -> None:
    """The day after Thanksgiving has four regular hourly bars, the last one half an hour, and post from 13:00."""
    half = ("2025-11-28", "2025-11-29")
    hours = {
        part: [
            datetime.fromtimestamp(ts / 1000, NEW_YORK).strftime("%H:%M")
            for ts in house.bars("AAPL", "1h", *half, session=part).parts[0].batch.ts.tolist()
        ]
        for part in ("regular", "post")
    }
    assert hours == {
        "regular": ["09:30", "10:30", "11:30", "12:30"],
        "post": ["13:00", "14:00", "15:00", "16:00"],
    }


def test_what_never_closes_has_no_pre_market(house: Warehouse) -> None:
    """No bars, and nothing missing."""
    bars = house.bars("X:BTCUSD", "1h", START, END, session="pre")
    assert (len(bars), bars.gaps) == (0, ())


def test_many_symbols_come_in_the_order_asked_for(house: Warehouse) -> None:
    """Each in its own zone's days, named in a column; a symbol asked for twice comes once."""
    bars = house.bars(["X:BTCUSD", "AAPL", "X:BTCUSD"], "1d", "2025-11-03", "2025-11-10")
    assert bars.symbols == ("X:BTCUSD", "AAPL")
    frame = bars.polars()
    assert frame.group_by("symbol", maintain_order=True).len().rows() == [("X:BTCUSD", 7), ("AAPL", 5)]
    one = house.bars("AAPL", "1d", "2025-11-03", "2025-11-10")
    assert "symbol" not in one.polars().columns
    assert frame.filter(pl.col("symbol") == "AAPL").drop("symbol").equals(one.polars())


def test_long_spans_of_many_are_what_each_alone_is(house: Warehouse) -> None:
    """Threads that share the work keep each symbol's bars, their order, and what is missing."""
    symbols = ["X:BTCUSD", "AAPL"]
    for frame in ("1m", "1h"):
        together = house.bars(symbols, frame, "2025-06-01", "2026-11-01", on_gap="mark")
        alone = [house.bars(one, frame, "2025-06-01", "2026-11-01", on_gap="mark") for one in symbols]
        assert [part.symbol for part in together.parts] == symbols
        assert [part.batch for part in together.parts] == [each.parts[0].batch for each in alone]
        assert together.gaps == tuple(gap for each in alone for gap in each.gaps)
        assert all(len(part.batch) for part in together.parts)


def test_every_library_gets_the_same_bars(house: Warehouse) -> None:
    """As a frame by its own method and through Arrow's protocol; instants are UTC everywhere."""
    bars = house.bars(["AAPL", "ASML"], "1h", START, END, session="regular")
    close = np.concatenate([part.batch.close for part in bars.parts])
    first = datetime(2025, 10, 27, 13, 30, tzinfo=UTC)
    assert bars.polars()["close"].to_list() == close.tolist()
    assert pl.DataFrame(bars).equals(bars.polars())
    assert pa.table(bars) == bars.arrow()
    assert bars.arrow()["ts"][0].as_py() == first
    assert bars.pandas()["close"].tolist() == close.tolist()
    assert bars.pandas().index[0] == ("AAPL", pd.Timestamp(first))
    assert bars.numpy()["close"].tolist() == close.tolist()
    counted = duckdb.sql("select count(*), sum(close) from bars")
    assert counted is not None
    assert counted.fetchall()[0] == pytest.approx((len(close), close.sum()))


def test_dates_are_those_of_python_too(house: Warehouse) -> None:
    """Text, dates, datetimes and milliseconds mean the same span."""
    day = house.bars("AAPL", "5m", "2025-11-03", "2025-11-04")
    assert len(day)
    assert house.bars("AAPL", "5m", date(2025, 11, 3), date(2025, 11, 4)).polars().equals(day.polars())
    start = instant("2025-11-03", "AAPL")
    assert house.bars("AAPL", "5m", start, start + DAY).polars().equals(day.polars())


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("session", {"session": "lunch"}),
        ("adjust", {"adjust": "rights"}),
        ("on_gap", {"on_gap": "ignore"}),
        ("timeframe", {"timeframe": "7m"}),
        ("`end` .* is not after `start`", {"start": "2025-11-04", "end": "2025-11-04"}),
        ("`start` .* in the future", {"start": "2026-11-04"}),
        ("`end` is before", {"end": "2025-10-01"}),
    ],
)
def test_what_makes_no_sense_is_refused(house: Warehouse, said: str, wrong: dict[str, str]) -> None:
    """In one sentence that says what was wrong, with a hint."""
    with pytest.raises(UsageError, match=said) as caught:
        house.bars("AAPL", **{"timeframe": "1d", **wrong})  # type: ignore[arg-type]  # words alone
    assert caught.value.hint


def test_no_symbol_is_refused(house: Warehouse) -> None:
    """An empty list is a slip, not a wish for nothing."""
    with pytest.raises(UsageError, match="No symbol"):
        house.bars([])
