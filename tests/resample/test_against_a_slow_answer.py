"""Grid and bars against a plain answer: one bar at a time, with datetime and zoneinfo only."""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.resample import aligned, derive, window_ends, window_starts
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import AssetClass
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
    windows: dict[int, list[Bar]] = {}
    for ts, *numbers in zip(*(column.tolist() for column in batch.columns.values()), strict=True):
        windows.setdefault(start_of_window(ts, timeframe, zone), []).append(tuple(numbers))
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


# -- what is asked -------------------------------------------------------------

CLOCK_CHANGES = ("2007-03-11", "2024-03-10", "2024-11-03", "2025-11-02", "2045-03-12")
ORDINARY_DAYS = ("1999-12-30", "2024-02-28", "2024-12-30", "2026-06-15")

timeframes = st.sampled_from(list(TIMEFRAMES.values()))
classes = st.sampled_from(list(AssetClass))
midnights = st.sampled_from(
    [stamp(datetime.fromisoformat(day + "T00:00+00:00")) for day in CLOCK_CHANGES + ORDINARY_DAYS]
)
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
    columns = [np.array(column) for column in zip(*expected.values(), strict=True)]
    for name, wanted in zip(("open", "high", "low", "close"), columns[:4], strict=True):
        np.testing.assert_array_equal(getattr(actual, name), wanted, err_msg=name)
    np.testing.assert_allclose(actual.volume, columns[4], rtol=1e-12, err_msg="volume")
    np.testing.assert_allclose(actual.vwap, columns[5], rtol=1e-12, err_msg="vwap")
    np.testing.assert_array_equal(actual.trades, columns[6], err_msg="trades")
