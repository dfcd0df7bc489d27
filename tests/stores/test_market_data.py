"""The plain store for those who have only SQL: `market_data` holds final bars of what was asked for, no others."""

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
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Damage, Outcome, Wish
from gapless.vocabulary.timeframe import DAY, MINUTE, Base, Timeframe
from shared_data import spy_2011
from stores.making import (
    EVER,
    SPY,
    T0,
    Bar,
    bar,
    batch,
    checked,
    file_of,
    harm,
    minutes,
    opened,
    put,
    slow_derive,
)

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
    """The bars of SPY in a timeframe, final or not."""
    columns = "ts, open, high, low, close, volume, vwap, trades"
    query = f"SELECT {columns} FROM market_data_now WHERE symbol = 'SPY' AND timeframe = '{timeframe}'"
    return {ts: tuple(rest) for ts, *rest in ask(url, query)}  # type: ignore[misc]


def new_york_days(first: datetime, count: int) -> dict[int, Bar]:
    """Day bars from local midnight, weekends left out."""
    zone = ZoneInfo("America/New_York")
    days = (first.replace(tzinfo=zone) + timedelta(days=n) for n in range(count))
    return {int(d.timestamp() * 1000): bar(100.0 + d.day) for d in days if d.weekday() < 5}


def test_nothing_is_shown_that_nobody_asked_for(store: Store, url: str) -> None:
    """Base bars are stored for what is derived of them, and counted only where they are wanted."""
    put(store, minutes(60))
    assert ask(url, "SELECT count(*) FROM market_data_now") == [(0,)]
    wish(store, "5m", "1h")
    counted = "SELECT timeframe, count(*) FROM market_data_now GROUP BY timeframe ORDER BY timeframe"
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
    assert ask(url, "SELECT * FROM market_data_now") == [(*row, 1)]


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
    rows = ask(url, "SELECT symbol, time FROM market_data_now ORDER BY symbol")
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


# -- final bars --------------------------------------------------------------


def final(url: str, timeframe: str) -> list[object]:
    """The starts of the bars of SPY that `market_data` shows: final ones."""
    query = f"SELECT ts FROM market_data WHERE symbol = 'SPY' AND timeframe = '{timeframe}' ORDER BY ts"
    return [ts for (ts,) in ask(url, query)]


def marks(url: str, timeframe: str) -> list[object]:
    """What `market_data_now` says of each bar of SPY: 1 for final, 0 for not."""
    query = f"SELECT final FROM market_data_now WHERE timeframe = '{timeframe}' ORDER BY ts"
    return [mark for (mark,) in ask(url, query)]


def at(minute: int) -> int:
    """So many minutes after half past two in the afternoon (UTC), which is half past nine in New York."""
    return T0 + minute * MINUTE


def test_bars_that_can_still_change_are_shown_only_on_request(store: Store, url: str) -> None:
    """`market_data` leaves provisional bars out; `market_data_now` has them and says so."""
    wish(store, "1m", "5m")
    store.write(checked(minutes(20), Span(T0, at(20)), 1))
    still_open = minutes(15, at(20))
    store.write(checked(still_open, Span(at(20), at(35)), 2, outcome=Outcome.PROVISIONAL))
    assert (len(final(url, "1m")), len(shown(url, "1m"))) == (20, 35)
    assert (len(final(url, "5m")), len(shown(url, "5m"))) == (4, 7)
    assert marks(url, "5m") == [1, 1, 1, 1, 0, 0, 0]


def test_a_confirmed_bar_is_shown_though_its_numbers_stay(store: Store, url: str) -> None:
    """The same numbers read again after the session settled make the bars final, once."""
    wish(store, "1m", "5m")
    store.write(checked(minutes(20), Span(T0, at(20)), 1, outcome=Outcome.PROVISIONAL))
    assert final(url, "1m") == final(url, "5m") == []
    receipt = store.write(checked(minutes(20), Span(T0, at(20)), 2))
    assert receipt.unchanged == 20
    assert final(url, "1m") == sorted(minutes(20))
    assert marks(url, "5m") == [1, 1, 1, 1]
    store.write(checked(minutes(20), Span(T0, at(20)), 3, outcome=Outcome.PROVISIONAL))
    assert marks(url, "1m") == [1] * 20  # an answer that knows less does not undo what was confirmed
    assert list(store.verify()) == []


def test_a_window_waits_for_all_of_its_time(store: Store, url: str) -> None:
    """An hour of which half is covered is not final; the other half makes it so, bars or not."""
    wish(store, "1h")
    store.write(checked(minutes(60, at(30)), Span(at(30), at(90)), 1))  # the hour from three
    store.write(checked(minutes(30, at(90)), Span(at(90), at(120)), 2))  # half of the one from four
    assert final(url, "1h") == [at(30)]
    store.write(checked({}, Span(at(120), at(150)), 3, outcome=Outcome.UNCONFIRMED))
    assert final(url, "1h") == [at(30)]
    store.write(checked({}, Span(at(120), at(150)), 4, outcome=Outcome.EMPTY))
    assert final(url, "1h") == [at(30), at(90)]


def test_a_window_does_not_wait_for_a_closed_market(url: str) -> None:
    """Where it is told when the market is open, only that time has to be covered."""

    def open_time(_instrument: Instrument, _base: Base, span: Span) -> SpanSet:
        session = Span(T0, at(390))
        return SpanSet([session]).clip(span)

    store = opened(url, open_time=open_time)
    wish(store, "1h", "4h")
    store.write(checked(minutes(120), Span(T0, at(120)), 1))
    assert final(url, "1h") == [at(-30), at(30)]
    store.write(checked(minutes(270, at(120)), Span(at(120), at(390)), 2))
    assert final(url, "4h") == [at(-90), at(150)]
    assert list(store.verify()) == []
    store.close()


def test_a_timeframe_asked_for_later_knows_what_is_final(store: Store, url: str) -> None:
    """Rows that are made of stored bars are marked like those that grew with them."""
    store.write(checked(minutes(20), Span(T0, at(20)), 1))
    store.write(checked(minutes(15, at(20)), Span(at(20), at(35)), 2, outcome=Outcome.PROVISIONAL))
    wish(store, "5m")
    assert marks(url, "5m") == [1, 1, 1, 1, 0, 0, 0]


def test_a_window_that_lost_bars_is_final_no_more(store: Store, url: str) -> None:
    """Four hours across midnight UTC of which one day's rows were set aside wait for them."""
    wish(store, "4h")
    midnight = T0 - T0 % DAY + DAY
    window = midnight - 3 * 60 * MINUTE  # four in the afternoon in New York
    span = Span(window, window + 240 * MINUTE)
    store.write(checked(minutes(240, window), span, 1))
    assert final(url, "4h") == [window]
    harm(url, f"ts = {midnight}")
    store.set_aside(Damage(SPY, Base.MINUTE, Span(midnight, midnight + MINUTE), "a test"), now=2)
    assert final(url, "4h") == []
    assert marks(url, "4h") == [0]
    store.write(checked(minutes(240, window), span, 3))
    assert final(url, "4h") == [window]


@pytest.mark.parametrize("view", ["market_data", "market_data_now"])
def test_a_question_about_a_few_bars_reads_only_those(store: Store, url: str, view: str) -> None:
    """Symbol, timeframe and time reach the keys of both tables: no scan."""
    put(store, minutes(10))
    query = f"SELECT * FROM {view} WHERE symbol = 'SPY' AND timeframe = '1m' AND ts >= {T0} AND ts < {at(5)}"
    steps = [str(row[-1]) for row in ask(url, f"EXPLAIN QUERY PLAN {query}")]
    assert [step.split(" USING ")[0] for step in steps] == ["SEARCH s", "SEARCH b"]
    assert steps[1].endswith("(series_id=? AND provisional=? AND ts>? AND ts<?)")
