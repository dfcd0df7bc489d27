"""The vendor's own client from the package index reads a sandbox without noticing."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import pytest

from gapless.sandbox import Sandbox
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base
from sandbox.plain_client import utc

Read = TypeVar("Read")


@pytest.fixture
def vendor(sandbox: Sandbox) -> Any:  # noqa: ANN401 - the client has no types
    """The client, pointed at the sandbox."""
    massive = pytest.importorskip("massive")
    return massive.RESTClient("sandbox", base=sandbox.url, retries=0)


async def aside(work: Callable[[], Read]) -> Read:
    """Run a blocking call in a thread."""
    return await asyncio.to_thread(work)


@pytest.mark.parametrize(
    ("ticker", "timespan", "base", "limit"),
    [
        ("AAPL", "minute", Base.MINUTE, 1000),
        ("X:BTCUSD", "minute", Base.MINUTE, 5000),
        ("C:EURUSD", "minute", Base.MINUTE, 5000),
        ("BRK.B", "day", Base.DAY, 3),
    ],
)
async def test_bars_over_several_pages_are_the_truth(
    vendor: Any,  # noqa: ANN401 - the client has no types
    sandbox: Sandbox,
    ticker: str,
    timespan: str,
    base: Base,
    limit: int,
) -> None:
    """`list_aggs` follows the pages; every number is the market's."""
    ask = {"adjusted": False, "limit": limit}
    bars = await aside(lambda: list(vendor.list_aggs(ticker, 1, timespan, "2026-05-04", "2026-05-14", **ask)))
    zone = "T04:00" if ":" not in ticker else "T00:00"
    span = Span(utc("2026-05-04" + zone), utc("2026-05-15" + zone))
    truth = sandbox.truth(Instrument.parse(ticker), base, span)
    assert sandbox.stats["total"] > 2
    for name, column in (
        ("timestamp", truth.ts),
        ("open", truth.open),
        ("high", truth.high),
        ("low", truth.low),
        ("close", truth.close),
        ("volume", truth.volume),
    ):
        assert [getattr(bar, name) for bar in bars] == column.tolist(), name
    vwap = np.array([np.nan if bar.vwap is None else bar.vwap for bar in bars])
    assert np.array_equal(vwap, truth.vwap, equal_nan=True)
    assert [bar.transactions or -1 for bar in bars] == truth.trades.tolist()


async def test_an_index_has_no_volume(vendor: Any) -> None:  # noqa: ANN401 - the client has no types
    """Prices and a stamp, nothing else."""
    bars = await aside(lambda: list(vendor.list_aggs("I:SPX", 1, "day", "2026-05-04", "2026-05-08")))
    assert len(bars) == 5
    assert {(bar.volume, bar.vwap, bar.transactions) for bar in bars} == {(None, None, None)}


async def test_splits(vendor: Any) -> None:  # noqa: ANN401 - the client has no types
    """Old and new endpoint, over pages of two: the three of AAPL since 2003."""
    old = await aside(lambda: list(vendor.list_splits(ticker="AAPL", limit=2)))
    new = await aside(lambda: list(vendor.list_stocks_splits(ticker="AAPL", limit=2)))
    published = [("2020-08-31", 1, 4), ("2014-06-09", 1, 7), ("2005-02-28", 1, 2)]
    assert [(s.execution_date, s.split_from, s.split_to) for s in old] == published
    assert [(s.execution_date, s.split_from, s.split_to) for s in new] == published
    # The vendor's recorded factor of 2005-02-28 is 1/56.
    assert [s.historical_adjustment_factor for s in new] == [0.25, 0.035714, 0.017857]


async def test_dividends(vendor: Any) -> None:  # noqa: ANN401 - the client has no types
    """Four a year, with their cash, over pages."""
    new = await aside(
        lambda: list(
            vendor.list_stocks_dividends(
                ticker="MSFT", ex_dividend_date_gte="2025-01-01", ex_dividend_date_lt="2026-01-01", limit=3
            )
        )
    )
    old = await aside(lambda: list(vendor.list_dividends(ticker="MSFT", limit=1000)))
    assert [d.ex_dividend_date for d in new] == ["2025-11-10", "2025-08-11", "2025-05-12", "2025-02-10"]
    assert {d.cash_amount for d in new} == {
        d.cash_amount for d in old if d.ex_dividend_date.startswith("2025")
    }


async def test_single_days(vendor: Any, sandbox: Sandbox) -> None:  # noqa: ANN401 - the client has no types
    """Previous close, grouped and open-close agree with the day bar of Friday; their stamp is 16:00."""
    day = Span(utc("2026-11-20T05:00"), utc("2026-11-21T05:00"))
    truth = sandbox.truth(Instrument.parse("MSFT"), Base.DAY, day)
    (previous,) = await aside(lambda: vendor.get_previous_close_agg("MSFT"))
    grouped = await aside(lambda: vendor.get_grouped_daily_aggs("2026-11-20"))
    session = await aside(lambda: vendor.get_daily_open_close_agg("MSFT", "2026-11-20"))
    (mine,) = [row for row in grouped if row.ticker == "MSFT"]
    assert len(grouped) == 21
    assert previous.timestamp == mine.timestamp == utc("2026-11-20T21:00")
    assert {previous.close, mine.close, session.close, truth.close[0]} == {previous.close}
    assert session.pre_market
    assert session.after_hours


async def test_a_closed_day_is_empty_when_grouped(vendor: Any) -> None:  # noqa: ANN401 - the client has no types
    """Thanksgiving has no rows."""
    assert not await aside(lambda: vendor.get_grouped_daily_aggs("2025-11-27"))


async def test_tickers(vendor: Any) -> None:  # noqa: ANN401 - the client has no types
    """The list in pages, filtered by market, and the details of one."""
    everything = await aside(lambda: list(vendor.list_tickers(limit=7)))
    coins = await aside(lambda: list(vendor.list_tickers(market="crypto")))
    details = await aside(lambda: vendor.get_ticker_details("BRK.B"))
    assert len(everything) == len({row.ticker for row in everything}) == 30
    assert [row.ticker for row in coins] == ["X:ADAUSD", "X:BTCUSD", "X:ETHUSD", "X:SOLUSD", "X:XRPUSD"]
    assert (details.ticker, details.type) == ("BRK.B", "CS")


async def test_an_unknown_ticker_has_no_details(vendor: Any) -> None:  # noqa: ANN401 - the client has no types
    """404 NOT_FOUND, which the client raises."""
    massive = pytest.importorskip("massive")
    with pytest.raises(massive.exceptions.BadResponse, match="NOT_FOUND"):
        await aside(lambda: vendor.get_ticker_details("ZZZZ"))


async def test_market_status(vendor: Any) -> None:  # noqa: ANN401 - the client has no types
    """Monday 19:00 in New York is after hours; the next holiday is Thanksgiving, with a half day after it."""
    now = await aside(vendor.get_market_status)
    holidays = await aside(vendor.get_market_holidays)
    assert (now.market, now.after_hours, now.currencies.crypto) == ("extended-hours", True, "open")
    assert [(h.exchange, h.date, h.status) for h in holidays[:4]] == [
        ("NYSE", "2026-11-26", "closed"),
        ("NASDAQ", "2026-11-26", "closed"),
        ("NYSE", "2026-11-27", "early-close"),
        ("NASDAQ", "2026-11-27", "early-close"),
    ]
