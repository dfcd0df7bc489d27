"""Grid and bars against a plain answer: one bar at a time, with datetime and zoneinfo only."""

import math
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.resample import Hours, SessionPart, aligned, derive, derive_many, window_ends, window_starts
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, TIMEFRAMES, Timeframe

Bar = tuple[float, ...]

# -- the slow answer -----------------------------------------------------------


def start_of_window(ts: int, timeframe: Timeframe, zone: ZoneInfo) -> int:
    """The start of the window that holds an instant, both in UTC ms."""
    local = datetime.fromtimestamp(ts // 1000, zone)
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
    if timeframe.minutes is not None:
        elapsed = ts - stamp(midnight)
        return stamp(midnight) + elapsed // (timeframe.minutes * MINUTE) * timeframe.minutes * MINUTE
    if timeframe.name == "1w":
        return stamp(midnight - timedelta(days=local.weekday()))  # wall-clock days
    if timeframe.name == "1mo":
        return stamp(midnight.replace(day=1))
    return stamp(midnight)


def slow_bars(batch: Batch, timeframe: Timeframe, zone: ZoneInfo) -> dict[int, Bar]:
    """Open, high, low, close, volume, vwap and trades of each window, by its start."""
    return slow_bars_by(batch, lambda ts: start_of_window(ts, timeframe, zone))


def slow_bars_by(batch: Batch, start_of: Callable[[int], int | None]) -> dict[int, Bar]:
    """The same, where `start_of` tells the start of an instant's window, None where the bar is left out."""
    windows: dict[int, list[Bar]] = {}
    for ts, *numbers in zip(*(column.tolist() for column in batch.columns.values()), strict=True):
        if (start := start_of(ts)) is not None:
            windows.setdefault(start, []).append(tuple(numbers))
    return {start: slow_bar(bars) for start, bars in windows.items()}


def slow_bar(bars: list[Bar]) -> Bar:
    """One bar out of many."""
    opens, highs, lows, closes, volumes, vwaps, trades = zip(*bars, strict=True)
    priced = [(v, w) for v, w in zip(volumes, vwaps, strict=True) if not (math.isnan(v) or math.isnan(w))]
    weight = math.fsum(v for v, _ in priced)
    vwap = math.fsum(v * w for v, w in priced) / weight if weight else math.nan
    return (
        opens[0],
        max(highs),
        min(lows),
        closes[-1],
        math.nan if any(math.isnan(v) for v in volumes) else math.fsum(volumes),
        vwaps[0] if len(bars) == 1 else vwap,
        NO_TRADES if NO_TRADES in trades else sum(trades),
    )


def stamp(moment: datetime) -> int:
    """UTC ms."""
    return int(moment.timestamp()) * 1000


NEW_YORK = ZoneInfo("America/New_York")
HALF_DAYS = (date(2024, 2, 29), date(2024, 11, 1), date(2026, 6, 16))  # made up, among the days asked for


def session_of(day: date) -> tuple[int, int, int, int] | None:
    """Pre-market, open, close and end (UTC ms) of a stock session; None at the weekend."""

    def at(hour: int, minute: int = 0) -> int:
        return stamp(datetime.combine(day, time(hour, minute), NEW_YORK))

    close = 13 if day in HALF_DAYS else 16
    return (at(4), at(9, 30), at(close), at(close + 4)) if day.weekday() < 5 else None


def start_in_part(ts: int, timeframe: Timeframe, part: SessionPart) -> int | None:
    """The start of the window that holds an instant in a part of its session, None where it is in none."""
    session = session_of(datetime.fromtimestamp(ts // 1000, NEW_YORK).date())
    names = [SessionPart.PRE, SessionPart.REGULAR, SessionPart.POST]
    if session is None or not session[0] <= ts < session[-1]:
        return None
    place = bisect_right(session, ts) - 1
    if names[place] is not part:
        return None
    if timeframe.minutes is None:
        return start_of_window(ts, timeframe, NEW_YORK)
    minutes = (ts - session[place]) // MINUTE
    return session[place] + minutes // timeframe.minutes * timeframe.minutes * MINUTE


def sessions_around(ts: int) -> Sessions:
    """The sessions of the days around an instant."""
    days = [datetime.fromtimestamp(ts // 1000, UTC).date() + timedelta(days=k) for k in range(-5, 8)]
    rows = [
        (stamp(datetime.combine(day, time(), NEW_YORK)), *session)
        for day in days
        if (session := session_of(day)) is not None
    ]
    return Sessions(*np.array(rows, np.int64).T)


# -- what is asked -------------------------------------------------------------

CLOCK_CHANGES = ("2007-03-11", "2024-03-10", "2024-11-03", "2025-11-02", "2045-03-12")
ORDINARY_DAYS = ("1999-12-30", "2024-02-28", "2024-12-30", "2026-06-15")

timeframes = st.sampled_from(list(TIMEFRAMES.values()))
classes = st.sampled_from(list(AssetClass))
midnights = st.sampled_from(
    [stamp(datetime.fromisoformat(day + "T00:00+00:00")) for day in CLOCK_CHANGES + ORDINARY_DAYS]
)
parts = st.sampled_from([SessionPart.PRE, SessionPart.REGULAR, SessionPart.POST])
near = st.integers(-1500 * MINUTE, 3000 * MINUTE)
patient = settings(deadline=None)  # the slow answer takes its time


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Minute bars around a date: runs, holes and lone bars, and numbers that are missing."""
    midnight = draw(midnights)
    run = draw(st.integers(1, 8))
    begins = draw(st.lists(near, min_size=1, max_size=60))
    ts = np.unique([(midnight + at) // MINUTE * MINUTE + k * MINUTE for at in begins for k in range(run)])
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    low, opening, close, high = np.sort(rng.uniform(1, 100, (4, len(ts))), axis=0)
    volume = rng.choice([draw(st.sampled_from([0.0, math.nan])), 1.0, 0.25, 1234.5], len(ts))
    unpriced = rng.random(len(ts)) < draw(st.sampled_from([0.0, 0.3, 1.0]))
    uncounted = rng.random(len(ts)) < draw(st.sampled_from([0.0, 0.1, 1.0]))
    return Batch(
        ts=ts.astype(np.int64),
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=volume,
        vwap=np.where(unpriced, np.nan, (low + high) / 2),
        trades=np.where(uncounted, NO_TRADES, rng.integers(0, 99, len(ts))),
    )


# -- the tests -----------------------------------------------------------------


@patient
@given(batches(), timeframes, classes)
def test_derived_bars_are_those_of_the_slow_answer(
    batch: Batch, timeframe: Timeframe, asset_class: AssetClass
) -> None:
    """Windows, prices and trades are equal, sums equal but for rounding, on clock-change days too."""
    expected = slow_bars(batch, timeframe, ZoneInfo(asset_class.zone))

    assert_same(derive(batch, timeframe, asset_class), expected)


@pytest.mark.parametrize("name", ["5m", "4h", "1d", "1mo"])
def test_long_batches_are_worked_on_in_pieces_that_nobody_sees(name: str) -> None:
    """150,000 bars give the same bars as one at a time: no window is cut."""
    rng = np.random.default_rng(7)
    ts = 1_704_067_200_000 + np.sort(rng.choice(300_000, 150_000, replace=False)) * MINUTE
    price = rng.uniform(1, 100, len(ts))
    batch = Batch(ts, price, price, price, price, price, price, np.ones(len(ts), np.int64))
    timeframe = TIMEFRAMES[name]

    expected = slow_bars(batch, timeframe, ZoneInfo("America/New_York"))

    assert_same(derive(batch, timeframe, AssetClass.STOCKS), expected)


@patient
@given(batches(), timeframes, parts)
def test_bars_of_a_part_of_each_session_are_those_of_the_slow_answer(
    batch: Batch, timeframe: Timeframe, part: SessionPart
) -> None:
    """Pre-market, regular hours and post-market, on full days, half days, weekends and around clock changes."""
    hours = Hours.of(sessions_around(int(batch.ts[0])), part)

    bars = derive(batch, timeframe, AssetClass.STOCKS, hours)

    assert_same(bars, slow_bars_by(batch, lambda ts: start_in_part(ts, timeframe, part)))


@patient
@given(batches(), timeframes, parts)
def test_windows_of_a_part_end_where_the_slow_answer_changes(
    batch: Batch, timeframe: Timeframe, part: SessionPart
) -> None:
    """The last millisecond of an intraday window is in it, and the next one is not."""
    hours = Hours.of(sessions_around(int(batch.ts[0])), part)
    bars = derive(batch, timeframe, AssetClass.STOCKS, hours)

    ends = window_ends(bars.ts, timeframe, AssetClass.STOCKS, hours).tolist()

    if timeframe.minutes is None:
        assert ends == window_ends(bars.ts, timeframe, AssetClass.STOCKS).tolist()
        return
    for start, end in zip(bars.ts.tolist(), ends, strict=True):
        assert start_in_part(end - 1, timeframe, part) == start
        assert start_in_part(end, timeframe, part) != start
        assert aligned(Span(start + 1, end - 1), timeframe, AssetClass.STOCKS, hours) == Span(start, end)


@patient
@given(batches(), st.lists(timeframes, unique=True), st.none() | parts)
def test_timeframes_made_together_are_those_made_alone(
    batch: Batch, wanted: list[Timeframe], part: SessionPart | None
) -> None:
    """To the last bit, whatever else is made with them and in whatever order they are asked for."""
    hours = Hours.of(sessions_around(int(batch.ts[0])), part) if part else None

    made = derive_many(batch, wanted, AssetClass.STOCKS, hours)

    assert made == {t.name: derive(batch, t, AssetClass.STOCKS, hours) for t in wanted}


def test_a_window_of_one_shorter_bar_is_summed_as_if_that_were_not_there() -> None:
    """Six minutes around midnight: each quarter of an hour holds one bar of five minutes, whose sum ends otherwise."""
    ts = stamp(datetime.fromisoformat("2007-03-10T23:59+00:00")) + np.arange(6) * MINUTE
    price = np.array([46.71457577, 50.63330711, 48.97472296, 69.33293108, 27.80776952, 50.67230943])
    volume = np.array([0.25, 1234.5, 0.0, 1234.5, 0.0, 0.25])
    batch = Batch(ts, price, price, price, price, volume, price, np.ones(6, np.int64))
    wanted = [TIMEFRAMES["5m"], TIMEFRAMES["15m"]]

    made = derive_many(batch, wanted, AssetClass.STOCKS)

    assert made == {t.name: derive(batch, t, AssetClass.STOCKS) for t in wanted}


@patient
@given(batches(), timeframes, st.integers(0, 60))
def test_a_bar_does_not_depend_on_other_windows(batch: Batch, timeframe: Timeframe, at: int) -> None:
    """Bars of a part of the base bars are the same, to the last bit, as among all others."""
    middle = int(batch.ts[min(at, len(batch) - 1)])
    window = aligned(Span(middle, middle + 1), timeframe, AssetClass.STOCKS)

    alone = derive(batch.between(window), timeframe, AssetClass.STOCKS)

    assert alone == derive(batch, timeframe, AssetClass.STOCKS).between(window)


@patient
@given(batches(), timeframes, classes)
def test_deriving_again_changes_nothing(batch: Batch, timeframe: Timeframe, asset_class: AssetClass) -> None:
    """Bars that are already on the grid are handed back to the last bit."""
    once = derive(batch, timeframe, asset_class)

    assert derive(once, timeframe, asset_class) == once


@patient
@given(st.lists(near, min_size=1, max_size=40), midnights, timeframes, classes)
def test_each_instant_is_inside_its_own_window(
    offsets: list[int], midnight: int, timeframe: Timeframe, asset_class: AssetClass
) -> None:
    """A window starts where the slow answer says, and the next window starts at its end."""
    ts = np.array(sorted(midnight + at for at in offsets), np.int64)
    zone = ZoneInfo(asset_class.zone)

    starts = window_starts(ts, timeframe, asset_class)
    ends = window_ends(ts, timeframe, asset_class)

    assert starts.tolist() == [start_of_window(t, timeframe, zone) for t in ts.tolist()]
    assert ((starts <= ts) & (ts < ends)).all()
    assert [start_of_window(e, timeframe, zone) for e in ends.tolist()] == ends.tolist()
    assert [start_of_window(e - 1, timeframe, zone) for e in ends.tolist()] == starts.tolist()


@patient
@given(midnights, near, st.integers(1, 40 * DAY), timeframes, classes)
def test_an_aligned_span_is_the_smallest_of_whole_windows(
    midnight: int, offset: int, length: int, timeframe: Timeframe, asset_class: AssetClass
) -> None:
    """It starts and ends with the windows of the span's first and last instant."""
    span = Span(midnight + offset, midnight + offset + length)
    zone = ZoneInfo(asset_class.zone)

    whole = aligned(span, timeframe, asset_class)

    assert whole.start == start_of_window(span.start, timeframe, zone)
    assert whole.end >= span.end
    assert start_of_window(whole.end, timeframe, zone) == whole.end
    last = start_of_window(span.end - 1, timeframe, zone)
    assert start_of_window(whole.end - 1, timeframe, zone) == last
    assert aligned(whole, timeframe, asset_class) == whole


def assert_same(actual: Batch, expected: dict[int, Bar]) -> None:
    """Every bar of one is a bar of the other; sums and means may differ by rounding."""
    assert actual.ts.tolist() == list(expected)
    columns = np.array(list(expected.values())).reshape(-1, 7).T
    for name, wanted in zip(("open", "high", "low", "close"), columns[:4], strict=True):
        np.testing.assert_array_equal(getattr(actual, name), wanted, err_msg=name)
    np.testing.assert_allclose(actual.volume, columns[4], rtol=1e-12, err_msg="volume")
    np.testing.assert_allclose(actual.vwap, columns[5], rtol=1e-12, err_msg="vwap")
    np.testing.assert_array_equal(actual.trades, columns[6], err_msg="trades")
