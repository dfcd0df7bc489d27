"""Recorded bars come out of a sandbox as they went in."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import shared_data
from gapless.errors import UsageError
from gapless.sandbox import Pinned, ReplayMarket, Sandbox
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from sandbox.plain_client import NOW, client_of, utc


@pytest.mark.parametrize(
    ("ticker", "read", "rows"),
    [
        ("SPY", shared_data.spy_2011, 14_180),
        ("X:BTCUSD", shared_data.bitfinex_btcusd_2016, 293_230),
        ("X:BTCUSD", shared_data.coinbase_btcusd_minutes, 8_536),
        ("C:EURUSD", shared_data.eurusd_minutes, 21_592),
        ("I:SPX", shared_data.sp500_nov_2019, 1_563),
    ],
)
async def test_recorded_minutes_travel_unchanged(ticker: str, read: Callable[[], Batch], rows: int) -> None:
    """Every bar and every number of the file, through pages of 50,000."""
    recorded, instrument = read(), Instrument.parse(ticker)
    assert len(recorded) == rows
    market = ReplayMarket({(instrument, Base.MINUTE): recorded})
    path = f"/v2/aggs/ticker/{ticker}/range/1/minute/{recorded.ts[0]}/{recorded.ts[-1]}?adjusted=false&limit=50000"
    async with Sandbox(market, now=Pinned(NOW)) as sandbox, client_of(sandbox) as client:
        pages = await client.chain(path)
    sent = [row for page in pages for row in page["results"]]
    keys = {"t": recorded.ts, "o": recorded.open, "h": recorded.high, "l": recorded.low, "c": recorded.close}
    if instrument.asset_class.has_volume:
        keys |= {"v": recorded.volume}
    for key, column in keys.items():
        assert np.array_equal(np.array([row[key] for row in sent]), column), key
    assert len(pages) == -(-rows // 50_000)
    assert set(sent[0]) == set(keys)


def test_the_long_holes_of_2016_are_there() -> None:
    """Nothing between 2016-08-02 18:02 and 08-10 15:53, and nothing in April and May."""
    stamps = shared_data.bitfinex_btcusd_2016().ts
    before = np.sort(np.argsort(np.diff(stamps))[-2:])
    assert stamps[before].tolist() == [utc("2016-04-01T00:00"), utc("2016-08-02T18:02")]
    assert stamps[before + 1].tolist() == [utc("2016-06-01T00:00"), utc("2016-08-10T15:53")]


def test_a_folder_of_files_is_a_market(tmp_path: Path) -> None:
    """Names say ticker and base; empty cells are what the vendor did not give."""
    (tmp_path / "BRK.B.1d.csv").write_text("ts,open,high,low,close,volume\n0,1,2,0.5,1.5,10\n")
    rows = "ts,open,high,low,close,volume,vwap,trades\n60000,1,1,1,1,0.5,1.25,3\n120000,1,1,1,1,2,,\n"
    (tmp_path / "X_BTCUSD.1m.csv.gz").write_bytes(gzip.compress(rows.encode()))
    market = ReplayMarket.from_folder(tmp_path)
    bitcoin = market.bars(Instrument.parse("X:BTCUSD"), Base.MINUTE, Span(0, DAY))
    assert [t.instrument.ticker for t in market.tickers] == ["X:BTCUSD", "BRK.B"]
    assert bitcoin.ts.tolist() == [60_000, 120_000]
    assert bitcoin.vwap.tolist()[0] == 1.25
    assert np.isnan(bitcoin.vwap[1])
    assert bitcoin.trades.tolist() == [3, NO_TRADES]
    assert market.bars(Instrument.parse("BRK.B"), Base.DAY, Span(0, DAY)).close.tolist() == [1.5]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("SPY.1m.csv", "ts,open,high,low\n", "no column close"),
        ("SPY.1m.csv", "ts,open,high,low,close\n0,1,1,1,one\n", "no number"),
        ("SPY.1m.csv", "ts,open,high,low,close\n60000,1,1,1,1\n0,1,1,1,1\n", "do not rise"),
        ("SPY.csv", "ts,open,high,low,close\n", "which base"),
        ("readme.txt", "", "no series"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_named(tmp_path: Path, name: str, text: str, says: str) -> None:
    """With what is wrong and what to do."""
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=says) as caught:
        ReplayMarket.from_folder(tmp_path)
    assert caught.value.hint


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Rather than taken for an empty market."""
    with pytest.raises(UsageError, match="There is no folder"):
        ReplayMarket.from_folder(tmp_path / "nowhere")
