"""Readers of the recorded market data beside the project; each skips the test where the data is not there."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.timeframe import MINUTE

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
_EST = timezone(timedelta(hours=-5))


def data_path(name: str) -> Path:
    """A file or folder of the recorded data; skips the test where it is not there."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the recorded market data is not beside the project ({name})")
    return path


def batch_of(rows: Iterable[tuple[int, float, float, float, float, float]]) -> Batch:
    """Rows of ts, open, high, low, close, volume as a batch without vwap and trades."""
    table = list(rows)
    ts, *numbers = np.array(table, np.float64).reshape(-1, 6).T.copy()
    missing = np.full(len(table), np.nan)
    none = np.full(len(table), NO_TRADES, np.int64)
    open_, high, low, close, volume = numbers
    return Batch(ts.astype(np.int64), open_, high, low, close, volume, missing, none)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def spy_2011() -> Batch:
    """SPY minutes of January 2011: 14,180 bars, stamps moved from each bar's end to its start."""
    rows = []
    with data_path("equity_minute/nt-spy-minute-2011.csv").open() as file:
        for stamp, *numbers in csv.reader(file, delimiter=";"):
            end = datetime.strptime(stamp, "%Y%m%d %H%M%S").replace(tzinfo=UTC)
            open_, high, low, close, volume = map(float, numbers)
            rows.append((_ms(end) - MINUTE, open_, high, low, close, volume))
    return batch_of(rows)


def bitfinex_btcusd_2016() -> Batch:
    """Bitfinex BTCUSD minutes of 2016: 293,230 bars with two long holes."""
    raw = gzip.decompress(data_path("crypto/bitfinex/BTCUSD/2016/merged.csv.gz").read_bytes())
    # The file's order is ms, open, close, high, low, volume.
    table = np.loadtxt(io.BytesIO(raw), delimiter=",", dtype=np.float64)
    missing, none = np.full(len(table), np.nan), np.full(len(table), NO_TRADES, np.int64)
    ts, open_, close, high, low, volume = table.T.copy()
    return Batch(ts.astype(np.int64), open_, high, low, close, volume, missing, none)


def coinbase_btcusd_minutes() -> Batch:
    """Coinbase BTCUSD minutes of six days in 2016 and 2017."""
    rows = []
    folder = data_path("crypto/lean-coinbase/crypto/coinbase/minute/btcusd")
    for file in sorted(folder.glob("*_trade.zip")):
        midnight = _ms(datetime.strptime(file.name[:8], "%Y%m%d").replace(tzinfo=UTC))
        for since, *numbers in _zipped(file):
            open_, high, low, close, volume = map(float, numbers)
            rows.append((midnight + int(since), open_, high, low, close, volume))
    return batch_of(rows)


def eurusd_minutes() -> Batch:
    """FXCM EURUSD bid minutes of 17 days from 2011 to 2018; quotes have no volume, so it is 0."""
    rows = []
    folder = data_path("forex/lean-fxcm/forex/fxcm/minute/eurusd")
    for file in sorted(folder.glob("*_quote.zip")):
        midnight = _ms(datetime.strptime(file.name[:8], "%Y%m%d").replace(tzinfo=_EST))
        for since, *numbers in _zipped(file):
            open_, high, low, close = map(float, numbers[:4])
            rows.append((midnight + int(since), open_, high, low, close, 0.0))
    return batch_of(rows)


def sp500_nov_2019() -> Batch:
    """S&P 500 minutes of 5 to 8 November 2019; an index has no volume."""
    rows = []
    with data_path("equity_minute/SP500_NOV2019_IDay.csv").open() as file:
        for row in csv.DictReader(file):
            wall = datetime.strptime(row["Date"], "%m/%d/%Y %H:%M").replace(
                tzinfo=ZoneInfo("America/New_York")
            )
            open_, high, low, close = (float(row[name]) for name in ("Open", "High", "Low", "Close"))
            rows.append((_ms(wall), open_, high, low, close, float("nan")))
    return batch_of(rows)


def _zipped(file: Path) -> list[list[str]]:
    """The rows of the one CSV file in a zip archive."""
    with zipfile.ZipFile(file) as archive:
        (name,) = archive.namelist()
        return list(csv.reader(io.StringIO(archive.read(name).decode())))
