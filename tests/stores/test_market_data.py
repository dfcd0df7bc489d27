"""The plain store for those who have only SQL: `market_data` holds the timeframes asked for, no others."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gapless.errors import StorageError
from gapless.ports import Store
from gapless.stores import open_store
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Wish
from gapless.vocabulary.timeframe import DAY, MINUTE, Base, Timeframe
from shared_data import spy_2011
from stores.making import EVER, SPY, T0, Bar, bar, batch, checked, file_of, minutes, opened, put, slow_derive

BTC = Instrument.parse("X:BTCUSD")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the plain store is."""
    return f"sqlite:///{tmp_path}/market_data.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A new plain store."""
    store = opened(url)
    yield store
    store.close()


def wish(store: Store, *names: str, instrument: Instrument = SPY) -> None:
    """Ask for timeframes."""
    store.remember([Wish(instrument, Timeframe.parse(name), Span(T0, T0 + DAY)) for name in names])


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    """What any SQLite tool would see."""
    db = sqlite3.connect(file_of(url))
    rows = db.execute(query).fetchall()
    db.close()
    return rows


def shown(url: str, timeframe: str) -> dict[int, Bar]:
    """The bars of SPY that the view shows in a timeframe."""
    columns = "ts, open, high, low, close, volume, vwap, trades"
    query = f"SELECT {columns} FROM market_data WHERE symbol = 'SPY' AND timeframe = '{timeframe}'"
    return {ts: tuple(rest) for ts, *rest in ask(url, query)}  # type: ignore[misc]


def new_york_days(first: datetime, count: int) -> dict[int, Bar]:
    """Day bars from local midnight, weekends left out."""
    zone = ZoneInfo("America/New_York")
    days = (first.replace(tzinfo=zone) + timedelta(days=n) for n in range(count))
    return {int(d.timestamp() * 1000): bar(100.0 + d.day) for d in days if d.weekday() < 5}


def test_nothing_is_shown_that_nobody_asked_for(store: Store, url: str) -> None:
    """Base bars are stored for what is derived of them, and counted only where they are wanted."""
    put(store, minutes(60))
    assert ask(url, "SELECT count(*) FROM market_data") == [(0,)]
    wish(store, "5m", "1h")
    counted = "SELECT timeframe, count(*) FROM market_data GROUP BY timeframe ORDER BY timeframe"
    assert ask(url, counted) == [("1h", 2), ("5m", 12)]  # 14:30 to 15:30 touches two hours
    wish(store, "1m")
    assert ask(url, counted) == [("1h", 2), ("1m", 60), ("5m", 12)]


def test_a_row_reads_like_a_bar(store: Store, url: str) -> None:
    """Symbol, timeframe, both forms of time, prices; what the vendor did not say is NULL."""
    wish(store, "1m")
    nan = float("nan")
    put(store, {T0: (1.5, 2.0, 1.0, 1.75, nan, nan, -1)})
    (row,) = ask(url, "SELECT * FROM market_data")
    assert row == ("SPY", "1m", T0, "2024-01-02T14:30:00Z", 1.5, 2.0, 1.0, 1.75, None, None, None)


def test_one_hour_by_hand(store: Store, url: str) -> None:
    """First open, highest high, lowest low, last close, sums, and the average weighted by volume."""
    wish(store, "1h")
    start = T0 + 30 * MINUTE
    rows: dict[int, Bar] = {
        start: (10.0, 12.0, 9.0, 11.0, 100.0, 10.5, 5),
        start + 20 * MINUTE: (11.0, 15.0, 10.0, 14.0, 300.0, 12.5, 7),
        start + 59 * MINUTE: (14.0, 14.0, 8.0, 9.0, 100.0, 11.0, 1),
    }
    put(store, rows)
    assert shown(url, "1h") == {start: (10.0, 15.0, 8.0, 9.0, 500.0, 11.8, 13)}


@pytest.mark.parametrize("names_first", [True, False])
def test_recorded_minutes_count_as_published(store: Store, url: str, *, names_first: bool) -> None:
    """SPY in January 2011 has 3,455 five-minute and 320 hourly bars, whenever they are asked for."""
    bars = spy_2011()
    if names_first:
        wish(store, "5m", "1h")
    rows = {
        int(ts): (1.0, 1.0, 1.0, 1.0, float(v), 1.0, 1) for ts, v in zip(bars.ts, bars.volume, strict=True)
    }
    starts = sorted(rows)
    for at in range(0, len(starts), 3000):
        page = {ts: rows[ts] for ts in starts[at : at + 3000]}
        end = starts[at + 3000] if at + 3000 < len(starts) else starts[-1] + MINUTE
        store.write(checked(page, Span(starts[at], end), 1))
    if not names_first:
        wish(store, "5m", "1h")
    found = "SELECT timeframe, count(*), sum(volume) FROM market_data GROUP BY timeframe"
    assert sorted(ask(url, found)) == [("1h", 320, 2586902488.0), ("5m", 3455, 2586902488.0)]


def test_a_correction_reaches_every_timeframe(store: Store, url: str) -> None:
    """One changed minute changes the bars that hold it, in the same write; a withdrawn one leaves them."""
    wish(store, "15m", "4h")
    put(store, minutes(240), at=1)
    changed = minutes(240)
    changed[T0 + 100 * MINUTE] = bar(500.0, volume=1.0)
    put(store, changed, at=2)
    for name in ("15m", "4h"):
        derived = slow_derive(batch(changed), Timeframe.parse(name), SPY.asset_class)
        assert batch(shown(url, name)) == derived
    store.write(checked({}, Span(T0, T0 + 30 * MINUTE), 3))
    assert min(shown(url, "15m")) == T0 + 30 * MINUTE


def test_weeks_and_months_are_made_of_whole_ones(store: Store, url: str) -> None:
    """Pages that end amid weeks and months, across a change of the clock, leave no window cut."""
    wish(store, "1w", "1mo")
    days = new_york_days(datetime(2024, 1, 1), 120)  # noqa: DTZ001  the zone comes with the days
    starts = sorted(days)
    for at in range(0, len(starts), 17):
        page = {ts: days[ts] for ts in starts[at : at + 17]}
        end = starts[at + 17] if at + 17 < len(starts) else starts[-1] + DAY
        store.write(checked(page, Span(min(page), end), 1, base=Base.DAY))
    for name in ("1w", "1mo"):
        derived = slow_derive(batch(days), Timeframe.parse(name), SPY.asset_class)
        assert batch(shown(url, name)) == derived
    utc = [datetime.fromtimestamp(ts / 1000, UTC) for ts in sorted(shown(url, "1mo"))]
    assert [f"{d:%m-%d %H}" for d in utc] == ["01-01 05", "02-01 05", "03-01 05", "04-01 04"]


def test_each_class_has_its_own_midnight(store: Store, url: str) -> None:
    """A coin's four hours count from midnight UTC, a stock's from midnight in New York."""
    wish(store, "4h")
    wish(store, "4h", instrument=BTC)
    for instrument in (SPY, BTC):
        store.write(checked(minutes(1), Span(T0, T0 + MINUTE), 1, instrument=instrument))
    rows = ask(url, "SELECT symbol, time FROM market_data ORDER BY symbol")
    assert rows == [("SPY", "2024-01-02T13:00:00Z"), ("X:BTCUSD", "2024-01-02T12:00:00Z")]


def test_rows_and_base_change_together(store: Store, url: str) -> None:
    """A derivation that fails undoes the write that needed it."""
    wish(store, "5m")
    put(store, minutes(10))
    bare = open_store(url)
    with pytest.raises(StorageError, match="without a way to derive"):
        put(bare, minutes(20), at=2)
    bare.close()
    assert len(store.read(SPY, Base.MINUTE, EVER)) == 10
    assert len(shown(url, "5m")) == 2
