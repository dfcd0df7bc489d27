"""What the vendor really sent, as gapless reads it."""

import json
from datetime import date

import numpy as np
import pytest

from gapless.errors import BadAnswer
from gapless.providers.columns import regular_columns
from gapless.providers.envelope import read_page
from gapless.vocabulary.batch import NO_TRADES
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base
from providers.hand_made import MASSIVE, decode, job, midnight, page
from providers.recorded import cassette, sample, vendors_own

ADJUSTED, RAW = b'"adjusted":true', b'"adjusted":false'
JANUARY = Span(midnight("2019-01-01"), midnight("2019-02-02"))


def test_aapl_days_of_january_2019() -> None:
    """21 sessions of which the vendor says 22; volumes in exponent form; midnights of New York."""
    body = cassette("stocks_aggregates").replace(ADJUSTED, RAW)

    decoded = decode(body, job("AAPL", Base.DAY, JANUARY))
    batch = decoded.batch

    assert len(batch) == 21
    assert (batch.ts[0], batch.ts[-1]) == (midnight("2019-01-02"), midnight("2019-01-31"))
    assert (batch.volume[0], batch.volume[6]) == (37039737.0, 35780670.0)
    assert (batch.open[0], batch.high[0], batch.low[0], batch.close[0]) == (154.89, 158.85, 154.23, 157.92)
    assert (batch.trades == 1).all()
    assert not decoded.full


def test_what_was_recorded_on_the_wire_takes_the_fast_way() -> None:
    """And gives what the standard library reads."""
    body = cassette("stocks_aggregates")
    rows = json.loads(body)["results"]
    text = body[body.index(b"[") : body.index(b"]") + 1]

    columns = regular_columns(text)

    assert columns is not None
    for name in rows[0]:
        assert columns[name].tolist() == [row[name] for row in rows]


def test_an_adjusted_answer_is_not_taken_for_raw() -> None:
    """The recorded answer was adjusted."""
    with pytest.raises(BadAnswer, match="adjusted"):
        decode(cassette("stocks_aggregates"), job("AAPL", Base.DAY, JANUARY))


def test_aapl_days_over_the_clock_change_of_2021() -> None:
    """128 days from July 2021 to January 2022, each at midnight in New York, weekdays all."""
    rows = json.loads(sample("bars-aapl"))
    body = json.dumps({"ticker": "AAPL", "status": "OK", "count": len(rows), "results": rows}).encode()
    span = Span(midnight("2021-07-01"), midnight("2022-02-01"))

    batch = decode(body, job("AAPL", Base.DAY, span)).batch

    assert len(batch) == 128
    assert set((batch.ts % 86_400_000 // 3_600_000).tolist()) == {4, 5}
    assert not np.isnan(batch.vwap).any()


def test_a_whole_market_in_one_answer() -> None:
    """8,374 tickers of 1 February 2019, case kept; 60 lack vw and n; stamped with the date, not the close."""
    body = cassette("stocks_grouped_daily").replace(ADJUSTED, RAW)

    bars = MASSIVE.decode_grouped(page(body), date(2019, 2, 1))

    assert len(bars) == 8374
    assert {"BIO.B", "PEBpE"} <= bars.keys()
    assert all(len(bar) == 1 for bar in bars.values())
    assert {int(bar.ts[0]) for bar in bars.values()} == {midnight("2019-02-01")}
    missing = [t for t, bar in bars.items() if np.isnan(bar.vwap[0])]
    assert len(missing) == 60
    assert all(bars[t].trades[0] == NO_TRADES for t in missing)
    assert (bars["PEB"].volume[0], bars["PEB"].close[0], bars["PEB"].trades[0]) == (739867.0, 31.63, 6996)


def test_a_whole_market_of_another_day_is_refused() -> None:
    """The rows' stamps have the date of the request."""
    body = cassette("stocks_grouped_daily").replace(ADJUSTED, RAW)
    with pytest.raises(BadAnswer, match="all tickers of 2019-02-04: a row is stamped with another date"):
        MASSIVE.decode_grouped(page(body), date(2019, 2, 4))


def test_the_vendors_own_range_answer_is_read() -> None:
    """Laid out over many lines, which the typed reader takes."""
    envelope, columns = read_page(vendors_own("v2/aggs/ticker/AAPL/range/1/day/2005-04-01/2005-04-04"))

    assert envelope.ticker == "AAPL"
    assert columns is not None
    assert columns["t"].tolist() == [1112331600000, 1112587200000]
