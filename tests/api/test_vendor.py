"""The vendor's own client from the package index, pointed at gapless, reads the store."""

from typing import Any

import numpy as np
import pytest

from api.served import Client
from engine.living import truth, utc
from gapless.sandbox import Sandbox
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base

MONDAY = utc("2026-11-09T05:00")
WEEK = ("2026-11-09", "2026-11-13")


@pytest.fixture(scope="module")
def massive(client: Client) -> Any:  # noqa: ANN401 - the client has no types
    """The client, pointed at gapless."""
    module = pytest.importorskip("massive")
    return module.RESTClient("no key is needed", base=client.url, retries=0)


@pytest.mark.parametrize(
    ("ticker", "timespan", "base", "limit", "start"),
    [
        ("AAPL", "minute", Base.MINUTE, 1000, MONDAY),
        ("AAPL", "day", Base.DAY, 2, MONDAY),
        ("X:BTCUSD", "minute", Base.MINUTE, 5000, utc("2026-11-09")),
    ],
)
def test_list_aggs_gives_the_store(
    massive: Any,  # noqa: ANN401 - the client has no types
    vendor: Sandbox,
    ticker: str,
    timespan: str,
    base: Base,
    limit: int,
    start: int,
) -> None:
    """Over several pages, both ways: every number is the vendor's own."""
    bars = list(massive.list_aggs(ticker, 1, timespan, *WEEK, adjusted=False, limit=limit))
    held = truth(vendor, ticker, base, Span(start, start + 5 * DAY))
    assert len(bars) > limit
    for name in ("open", "high", "low", "close", "volume"):
        assert [getattr(bar, name) for bar in bars] == getattr(held, name).tolist(), name
    assert [bar.timestamp for bar in bars] == held.ts.tolist()
    vwap = np.array([np.nan if bar.vwap is None else bar.vwap for bar in bars])
    assert np.array_equal(vwap, held.vwap, equal_nan=True)
    backwards = list(massive.list_aggs(ticker, 1, timespan, *WEEK, adjusted=False, limit=limit, sort="desc"))
    assert [bar.timestamp for bar in backwards] == held.ts.tolist()[::-1]


def test_derived_bars_are_those_of_gapless(massive: Any, client: Client) -> None:  # noqa: ANN401
    """Five minutes, adjusted by default, on the one grid."""
    bars = list(massive.list_aggs("AAPL", 5, "minute", "2026-11-09", "2026-11-09"))
    ours = client.data("/v1/bars/AAPL?timeframe=5m&start=2026-11-09&end=2026-11-10&adjust=splits")["columns"]
    assert [bar.timestamp for bar in bars] == ours["ts"]
    assert [bar.close for bar in bars] == ours["close"]


def test_a_gap_is_an_error_of_the_client(massive: Any) -> None:  # noqa: ANN401
    """It raises, with the reason and the command, instead of giving half a week."""
    module = pytest.importorskip("massive")
    with pytest.raises(module.BadResponse, match="never asked for") as caught:
        list(massive.list_aggs("MSFT", 1, "minute", *WEEK))
    assert "gapless backfill MSFT" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("AAPL/range/7/minute/2026-11-09/2026-11-10", 400, "no timeframe of gapless"),
        ("AAPL/range/2/day/2026-11-09/2026-11-10", 400, "no timeframe of gapless"),
        ("AAPL/range/1/minute/2026-11-10/2026-11-09", 400, "before `from`"),
        ("AAPL/range/1/minute/yesterday/2026-11-09", 400, "YYYY-MM-DD"),
        ("AAPL/range/1/minute/2026-11-09/9999-12-31", 400, "YYYY-MM-DD"),
        ("AAPL/range/1/fortnight/2026-11-09/2026-11-09", 400, "Use one of"),
        ("AAPL/range/1/minute/2026-11-09/2026-11-09?cursor=zzz", 400, "cursor"),
    ],
)
def test_errors_have_the_shape_of_the_vendor(client: Client, path: str, status: int, words: str) -> None:
    """`status` and `error`."""
    refused = client(f"/v2/aggs/ticker/{path}")
    assert refused.status == status
    assert refused.json()["status"] == "ERROR"
    assert words in refused.json()["error"]
