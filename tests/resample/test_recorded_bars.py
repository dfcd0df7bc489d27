"""Derived bars against bars that their sources recorded themselves."""

import csv
import io
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from gapless.calendars import open_calendar
from gapless.resample import Hours, SessionPart, derive
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, TIMEFRAMES

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
SPY_MINUTES = DATA / "equity_minute/nt-spy-minute-2011.csv"
COINBASE = DATA / "crypto/lean-coinbase/crypto/coinbase"
FXCM = DATA / "forex/lean-fxcm/forex/fxcm"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the recorded market data is not beside the project"),
]


def batch(ts: Iterable[int], rows: Iterable[list[str]]) -> Batch:
    """Bars from their texts: open, high, low, close, volume."""
    columns = np.array([[float(text) for text in row[:5]] for row in rows], np.float64).reshape(-1, 5).T
    count = columns.shape[1]
    opens, highs, lows, closes, volumes = columns
    missing, uncounted = np.full(count, np.nan), np.full(count, NO_TRADES, np.int64)
    return Batch(np.fromiter(ts, np.int64), opens, highs, lows, closes, volumes, missing, uncounted)


def unzipped(path: Path) -> list[list[str]]:
    """The rows of the one file inside a zip."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return list(csv.reader(io.StringIO(text)))


def read_days(folder: Path, names: str = "*") -> Batch:
    """Minute bars from one zip a day; times in ms since the midnight that the name tells."""
    parts = []
    for path in sorted(folder.glob(names)):
        rows, midnight = unzipped(path), stamp(path.name[:8], "%Y%m%d")
        parts.append(batch((midnight + int(row[0]) for row in rows), (row[1:] for row in rows)))
    return Batch.concat(parts)


def read_all(path: Path) -> Batch:
    """Hour or day bars; times as `YYYYMMDD HH:MM`."""
    rows = unzipped(path)
    return batch((stamp(row[0], "%Y%m%d %H:%M") for row in rows), (row[1:] for row in rows))


def spy_minutes() -> Batch:
    """SPY in January 2011; the file stamps the end of a minute, in UTC."""
    rows = [line.split(";") for line in SPY_MINUTES.read_text().splitlines()]
    return batch((stamp(row[0], "%Y%m%d %H%M%S") - MINUTE for row in rows), (row[1:] for row in rows))


def stamp(text: str, form: str) -> int:
    """UTC ms of what a clock shows; FXCM's fixed clock is taken for UTC, so its days are UTC days."""
    return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()) * 1000


def assert_among(derived: Batch, recorded: Batch, *, count: int) -> None:
    """Every derived bar is one of the recorded ones: prices equal, volume but for rounding."""
    same = recorded.take(np.isin(recorded.ts, derived.ts))

    assert len(derived) == count
    assert derived.ts.tolist() == same.ts.tolist()
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(derived, name), getattr(same, name), err_msg=name)
    np.testing.assert_allclose(derived.volume, same.volume, rtol=1e-11)


@pytest.mark.parametrize(("name", "count"), [("1m", 14_180), ("5m", 3_455), ("1h", 320), ("1d", 20)])
def test_spy_minutes_give_the_counted_bars(name: str, count: int) -> None:
    """January 2011 in every timeframe, with all its volume."""
    spy = spy_minutes()

    bars = derive(spy, TIMEFRAMES[name], AssetClass.STOCKS)

    assert len(bars) == count
    assert bars.volume.sum() == 2_586_902_488
    assert (bars.open[0], bars.close[-1]) == (spy.open[0], spy.close[-1])


@pytest.mark.parametrize(
    ("name", "pre", "regular", "post"),
    [
        ("1m", 3_310, 7_800, 3_070),
        ("5m", 976, 1_560, 919),
        ("30m", 216, 260, 160),
        ("1h", 120, 140, 80),
        ("2h", 60, 80, 40),
        ("4h", 40, 40, 20),
        ("1d", 20, 20, 20),
        ("1w", 5, 5, 5),
    ],
)
def test_spy_minutes_give_the_counted_bars_of_each_part(name: str, pre: int, regular: int, post: int) -> None:
    """Twenty whole sessions of 390 minutes, and what was traded before and after them."""
    spy, instrument = spy_minutes(), Instrument.parse("SPY")
    sessions = open_calendar().sessions(instrument, Span(int(spy.ts[0]), int(spy.ts[-1])))
    made = {
        part: derive(spy, TIMEFRAMES[name], AssetClass.STOCKS, Hours.of(sessions, part))
        for part in (SessionPart.PRE, SessionPart.REGULAR, SessionPart.POST)
    }

    assert [len(bars) for bars in made.values()] == [pre, regular, post]
    assert sum(bars.volume.sum() for bars in made.values()) == 2_586_902_488


def test_coinbase_seconds_give_the_recorded_minutes() -> None:
    """Three days of BTCUSD, every field of every minute."""
    seconds = read_days(COINBASE / "second/btcusd")
    minutes = read_days(COINBASE / "minute/btcusd", "2016*")

    bars = derive(seconds, TIMEFRAMES["1m"], AssetClass.CRYPTO)

    assert len(minutes) == 4_216
    assert_among(bars, minutes, count=4_216)


def test_coinbase_minutes_give_the_recorded_days() -> None:
    """Six whole days of BTCUSD, every field."""
    minutes, days = read_days(COINBASE / "minute/btcusd"), read_all(COINBASE / "daily/btcusd_trade.zip")

    assert_among(derive(minutes, TIMEFRAMES["1d"], AssetClass.CRYPTO), days, count=6)


@pytest.mark.parametrize(("name", "recorded", "count"), [("1h", "hour", 268), ("1d", "daily", 13)])
def test_eurusd_minutes_give_the_recorded_hours_and_days(name: str, recorded: str, count: int) -> None:
    """The bids of two weeks in May 2014, on the source's own clock."""
    minutes = read_days(FXCM / "minute/eurusd", "201405*")

    bars = derive(minutes, TIMEFRAMES[name], AssetClass.FOREX)

    assert_among(bars, read_all(FXCM / recorded / "eurusd.zip"), count=count)


def test_eurusd_hours_give_the_recorded_days() -> None:
    """The bids of eleven years, on the source's own clock."""
    hours, days = read_all(FXCM / "hour/eurusd.zip"), read_all(FXCM / "daily/eurusd.zip")

    assert_among(derive(hours, TIMEFRAMES["1d"], AssetClass.FOREX), days, count=3_487)
