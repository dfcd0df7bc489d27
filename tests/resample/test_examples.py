"""Derived bars and their grid by hand-made examples."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from gapless.resample import aligned, derive, window_ends, window_starts
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, TIMEFRAMES

STOCKS, CRYPTO, INDICES = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.INDICES


def utc(text: str) -> int:
    """A moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def minutes(start: str, *rows: tuple[float, float, float, float, float, float, int]) -> Batch:
    """Minute bars in a row: open, high, low, close, volume, vwap, trades."""
    ts = utc(start) + np.arange(len(rows)) * MINUTE
    first, high, low, last, volume, vwap = np.array([row[:6] for row in rows], np.float64).T
    return Batch(ts, first, high, low, last, volume, vwap, np.array([row[6] for row in rows], np.int64))


def windows(first: str, last: str, name: str, asset_class: AssetClass) -> list[str]:
    """The starts of all windows between two moments in UTC, as `day hour:minute`."""
    ts = np.arange(utc(first), utc(last), MINUTE)
    starts = np.unique(window_starts(ts, TIMEFRAMES[name], asset_class))
    return [datetime.fromtimestamp(int(s) / 1000, UTC).strftime("%d %H:%M") for s in starts]


def test_a_bar_is_first_highest_lowest_last_and_the_sums() -> None:
    """Five minutes become one bar, and the next window is another bar."""
    batch = minutes(
        "2024-06-03 14:31",
        (10.0, 12.0, 9.0, 11.0, 100.0, 10.5, 5),
        (11.0, 15.0, 10.0, 14.0, 300.0, 12.5, 7),
        (14.0, 14.5, 8.0, 8.5, 0.0, math.nan, 0),
        (8.5, 9.5, 8.5, 9.0, 100.0, 9.0, 1),
        (9.0, 9.25, 9.0, 9.25, 7.5, 9.125, 2),
    )

    bars = derive(batch, TIMEFRAMES["5m"], STOCKS)

    assert bars.ts.tolist() == [utc("2024-06-03 14:30"), utc("2024-06-03 14:35")]
    assert [bars.open[0], bars.high[0], bars.low[0], bars.close[0]] == [10.0, 15.0, 8.0, 9.0]
    assert [bars.volume[0], bars.vwap[0], bars.trades[0]] == [500.0, 11.4, 13]
    assert bars.take(slice(1, 2)).same_rows(batch.take(slice(4, 5))).all()


def test_a_sum_with_a_missing_term_is_missing() -> None:
    """One bar without a number of trades makes the window's number unknown; others are not touched."""
    batch = minutes(
        "2024-06-03 14:33",
        (1.0, 1.0, 1.0, 1.0, 10.0, 1.0, 4),
        (1.0, 1.0, 1.0, 1.0, 10.0, math.nan, NO_TRADES),
        (1.0, 1.0, 1.0, 1.0, 10.0, 1.0, 4),
        (1.0, 1.0, 1.0, 1.0, 10.0, 1.0, 4),
    )

    bars = derive(batch, TIMEFRAMES["5m"], STOCKS)

    assert bars.trades.tolist() == [NO_TRADES, 8]
    assert bars.volume.tolist() == [20.0, 20.0]
    assert bars.vwap.tolist() == [1.0, 1.0]


def test_indices_have_prices_only() -> None:
    """Without any volume the derived volume and vwap are missing, not zero."""
    row = (1.0, 2.0, 0.5, 1.5, math.nan, math.nan, NO_TRADES)

    bars = derive(minutes("2024-06-03 14:30", row, row, row), TIMEFRAMES["1h"], INDICES)

    assert len(bars) == 1
    assert np.isnan([bars.volume[0], bars.vwap[0]]).all()
    assert bars.trades.tolist() == [NO_TRADES]


def test_windows_without_volume_have_no_average_price() -> None:
    """Weights that sum to zero give no vwap, and no warning."""
    row = (1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1)

    assert math.isnan(derive(minutes("2024-06-03 14:30", row, row), TIMEFRAMES["5m"], STOCKS).vwap[0])


@pytest.mark.parametrize("name", TIMEFRAMES)
def test_no_bars_give_no_bars(name: str) -> None:
    """An empty batch stays empty, in every timeframe."""
    nothing = np.empty(0, np.int64)

    assert len(derive(Batch.empty(), TIMEFRAMES[name], STOCKS)) == 0
    assert len(window_starts(nothing, TIMEFRAMES[name], STOCKS)) == 0
    assert len(window_ends(nothing, TIMEFRAMES[name], STOCKS)) == 0


def test_stock_windows_of_four_hours_follow_new_york_through_the_year() -> None:
    """04:00, 08:00, 12:00 and 16:00 New York are an hour earlier in UTC in summer."""
    assert windows("2024-01-16 09:00", "2024-01-17 01:00", "4h", STOCKS) == [
        "16 09:00",
        "16 13:00",
        "16 17:00",
        "16 21:00",
    ]
    assert windows("2024-07-16 08:00", "2024-07-17 00:00", "4h", STOCKS) == [
        "16 08:00",
        "16 12:00",
        "16 16:00",
        "16 20:00",
    ]


def test_the_day_with_23_hours_ends_with_a_short_window() -> None:
    """Midnight is 05:00 UTC before and 04:00 UTC after: windows count from it, and the last has three hours."""
    assert windows("2024-03-10 05:00", "2024-03-11 08:00", "4h", STOCKS) == [
        "10 05:00",
        "10 09:00",
        "10 13:00",
        "10 17:00",
        "10 21:00",
        "11 01:00",
        "11 04:00",
    ]


def test_the_day_with_25_hours_has_one_short_window_more() -> None:
    """The seventh window of four hours lasts one, from 23:00 to midnight in New York."""
    assert windows("2024-11-03 04:00", "2024-11-04 09:00", "4h", STOCKS) == [
        "03 04:00",
        "03 08:00",
        "03 12:00",
        "03 16:00",
        "03 20:00",
        "04 00:00",
        "04 04:00",
        "04 05:00",
    ]


def test_crypto_windows_never_move() -> None:
    """UTC knows no clock changes."""
    assert windows("2024-03-10 00:00", "2024-03-11 00:00", "4h", CRYPTO) == [
        f"10 {hour:02}:00" for hour in range(0, 24, 4)
    ]


@pytest.mark.parametrize(
    ("name", "moment", "start", "end"),
    [
        ("1h", "2024-10-31 15:42:07", "2024-10-31 15:00", "2024-10-31 16:00"),
        ("1d", "2024-10-31 15:42:07", "2024-10-31 04:00", "2024-11-01 04:00"),
        ("1w", "2024-10-31 15:42:07", "2024-10-28 04:00", "2024-11-04 05:00"),  # clocks go back on Sunday
        ("1mo", "2024-10-31 15:42:07", "2024-10-01 04:00", "2024-11-01 04:00"),
        ("2h", "2024-03-11 03:30", "2024-03-11 03:00", "2024-03-11 04:00"),  # the end of a day of 23 hours
        ("4h", "2024-03-11 03:30", "2024-03-11 01:00", "2024-03-11 04:00"),
        ("2h", "2024-11-04 04:30", "2024-11-04 04:00", "2024-11-04 05:00"),  # the end of a day of 25 hours
        ("4h", "2024-11-04 04:30", "2024-11-04 04:00", "2024-11-04 05:00"),
        ("1d", "2024-11-04 04:30", "2024-11-03 04:00", "2024-11-04 05:00"),
    ],
)
def test_a_moment_is_aligned_to_its_window(name: str, moment: str, start: str, end: str) -> None:
    """Windows end with the local day at the latest; days, weeks (from Monday) and months are local."""
    instant = utc(moment)

    assert aligned(Span(instant, instant + 1), TIMEFRAMES[name], STOCKS) == Span(utc(start), utc(end))
