"""Recorded bars: what was really odd is found, and little else."""

import csv
import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from gapless.quality import Flag, examine
from gapless.vocabulary.batch import Batch
from hand_made_market import utc
from quality.subjects import found, midnight, subject
from shared_data import (
    batch_of,
    bitfinex_btcusd_2016,
    coinbase_btcusd_minutes,
    data_path,
    eurusd_minutes,
    sp500_nov_2019,
    spy_2011,
)

pytestmark = pytest.mark.shared


def days_of(ticker: str) -> Batch:
    """Raw day bars of one of five stocks, 2000 to 2013."""
    with gzip.open(data_path("equity_daily/bokeh/stocks.csv.gz"), "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["Ticker"] == ticker]
    return batch_of(
        (midnight(row["Date"]), *(float(row[name]) for name in ("Open", "High", "Low", "Close", "Volume")))  # type: ignore[misc]
        for row in rows
    )


def when(flags: list[Flag]) -> list[str]:
    """The UTC minutes at which flags start."""
    return [f"{datetime.fromtimestamp(flag.start / 1000, UTC):%Y-%m-%d %H:%M}" for flag in flags]


@pytest.mark.parametrize(
    ("read", "ticker", "most"),
    [(spy_2011, "SPY", 0), (eurusd_minutes, "C:EURUSD", 0), (sp500_nov_2019, "I:SPX", 0)],
)
def test_orderly_markets_raise_no_flag(read: Callable[[], Batch], ticker: str, most: int) -> None:
    """A month of SPY, seventeen days of EURUSD, four of the S&P 500."""
    assert len(list(examine(subject(read(), ticker=ticker)))) <= most


def test_a_wild_market_raises_one_flag_in_four_thousand_bars() -> None:
    """Bitfinex in 2016: prints far from the market, and volumes of thousands of coins in a quiet minute."""
    flags = list(examine(subject(bitfinex_btcusd_2016())))
    counts = Counter(flag.rule for flag in flags)

    assert set(counts) == {"bad_print", "volume"}
    assert counts["bad_print"] <= 20
    assert counts["volume"] <= 60


def test_the_worst_prints_of_bitfinex_are_found() -> None:
    """Down to 575 and back to 608 in a minute; up to 640 from 611; one coin at 579 as trading resumed."""
    prints = found(subject(bitfinex_btcusd_2016()), "bad_print")
    worst = sorted(prints, key=lambda flag: -flag.size)

    assert when(worst[:2]) == ["2016-10-02 05:36", "2016-09-13 18:24"]
    assert "2016-08-10 15:53" in when(prints)


def test_six_wild_days_raise_a_flag_at_most() -> None:
    """Coinbase in 2016 and 2017: a minute with 36 times the usual volume."""
    assert len(list(examine(subject(coinbase_btcusd_minutes())))) <= 1


def test_the_print_of_six_cents_is_found() -> None:
    """Coinbase's day of 2017-04-15 has a low of 0.06 between days around 1,180; its minutes and days agree."""
    with zipfile.ZipFile(data_path("crypto/lean-coinbase/crypto/coinbase/daily/btcusd_trade.zip")) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows = [
        (utc(f"{row[0][:4]}-{row[0][4:6]}-{row[0][6:8]}"), *map(float, row[1:6]))
        for row in csv.reader(io.StringIO(text))
    ]
    one = subject(coinbase_btcusd_minutes(), batch_of(rows))  # type: ignore[arg-type]

    assert [day[:10] for day in when(found(one, "bad_print"))] == ["2017-04-15"]
    assert found(one, "day_differs") == []


def test_splits_explain_all_jumps_but_the_real_one() -> None:
    """AAPL fell to 0.53 of its close on 2000-09-29 with no split; its two splits are jumps only if unknown."""
    days = days_of("AAPL")
    splits = [(midnight("2000-06-21"), Fraction(2)), (midnight("2005-02-28"), Fraction(2))]

    unexplained = found(subject(None, days, ticker="AAPL"), "jump")
    explained = found(subject(None, days, ticker="AAPL", splits=splits), "jump")

    assert [day[:10] for day in when(unexplained)] == ["2000-06-21", "2000-09-29", "2005-02-28"]
    assert [day[:10] for day in when(explained)] == ["2000-09-29"]


def test_the_flash_crash_is_the_only_odd_day_of_its_decade() -> None:
    """On 2010-05-06 AAPL traded at 199.25 between two days around 255."""
    assert [day[:10] for day in when(found(subject(None, days_of("AAPL"), ticker="AAPL"), "bad_print"))] == [
        "2010-05-06"
    ]


@pytest.mark.parametrize(("ticker", "most"), [("IBM", 0), ("GOOG", 0), ("MSFT", 1), ("FB", 1)])
def test_other_stocks_raise_a_flag_at_most(ticker: str, most: int) -> None:
    """MSFT's split, unknown here; and a quarter up after FB's figures of October 2012."""
    assert len(list(examine(subject(None, days_of(ticker), ticker=ticker)))) <= most


def test_adjusted_prices_beside_a_split_are_recognised() -> None:
    """This file says that AAPL split 7:1 on 2014-06-09, but its prices are adjusted already."""
    with gzip.open(data_path("equity_daily/zipline/AAPL.csv.gz"), "rb") as file:
        rows = list(csv.DictReader(io.StringIO(file.read().decode())))
    columns = ("open", "high", "low", "close", "volume")
    days = batch_of((midnight(row["date"][:10]), *(float(row[name]) for name in columns)) for row in rows)  # type: ignore[misc]

    (flag,) = found(
        subject(None, days, ticker="AAPL", splits=[(midnight("2014-06-09"), Fraction(7))]), "jump"
    )

    assert when([flag]) == ["2014-06-09 04:00"]
    assert "a split of 7 for 1" in flag.reason
