"""Corporate actions and day bars, by hand and out of the recorded files."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable

from gapless.vocabulary.batch import Batch
from gapless.vocabulary.steps import CorporateAction
from hand_made_market import ny
from providers.hand_made import MASSIVE, page
from providers.recorded import sample, vendors_own
from shared_data import batch_of, data_path

LATE = ny("2026-01-01")
"""A moment after every recorded action."""


def split(date: str, before: str, after: str, name: str = "") -> CorporateAction:
    """`before` old shares become `after` new ones."""
    return CorporateAction("A", "split", date, name or f"{date}/{before}:{after}", before, after)


def dividend(date: str, cash: str, name: str = "", currency: str = "USD") -> CorporateAction:
    """So much cash for a share."""
    return CorporateAction("A", "dividend", date, name or f"{date}/{cash}", cash=cash, currency=currency)


def days_of(closes: dict[str, float]) -> Batch:
    """Day bars whose four prices are all the same."""
    return batch_of((ny(date), price, price, price, price, 1000.0) for date, price in closes.items())


def aapl_splits() -> list[CorporateAction]:
    """The five splits of AAPL as the vendor listed them."""
    return MASSIVE.decode_actions("split", page(_wrapped(sample("splits-aapl"))))[0]


def msft_splits() -> list[CorporateAction]:
    """The nine splits of MSFT as the vendor listed them."""
    return MASSIVE.decode_actions("split", page(_wrapped(sample("splits-msft"))))[0]


def shop_splits() -> list[CorporateAction]:
    """The one split of SHOP, which the vendor listed for two days a week apart."""
    listed, _ = MASSIVE.decode_actions("split", page(vendors_own("v3/reference/splits")))
    return [action for action in listed if action.ticker == "SHOP"]


def wiki_2014(ticker: str) -> list[dict[str, str]]:
    """Days of 2014, raw and adjusted side by side."""
    with zipfile.ZipFile(data_path("equity_daily/zipline/QUANDL_ARCHIVE.zip")) as archive:
        (name,) = archive.namelist()
        rows = csv.DictReader(io.StringIO(archive.read(name).decode()))
        return [row for row in rows if row["ticker"] == ticker]


def wiki_dividends(rows: Iterable[dict[str, str]]) -> list[CorporateAction]:
    """The dividends that stand in the rows."""
    return [dividend(row["date"], cash) for row in rows if float(cash := row["ex-dividend"])]


def already_adjusted_aapl() -> Batch:
    """AAPL 2012 to 2014 from a file that lists the split of 2014 beside prices that are adjusted for it."""
    text = gzip.decompress(data_path("equity_daily/zipline/AAPL.csv.gz").read_bytes()).decode()
    return daily(csv.DictReader(io.StringIO(text)))


def yahoo_aapl() -> dict[str, dict[str, str]]:
    """AAPL by date, 2004 to 2018: adjusted for splits, with a close that is adjusted for dividends too."""
    with data_path("equity_daily/mplfinance/yahoofinance-AAPL-20040819-20180120.csv").open() as file:
        return {row["Date"]: row for row in csv.DictReader(file)}


def raw_2000_to_2013(ticker: str) -> Batch:
    """Raw days of AAPL or MSFT."""
    text = gzip.decompress(data_path("equity_daily/bokeh/stocks.csv.gz").read_bytes()).decode()
    rows = csv.DictReader(io.StringIO(text.lower()))
    return daily(row for row in rows if row["ticker"] == ticker.lower())


def daily(rows: Iterable[dict[str, str]]) -> Batch:
    """Rows with the columns date, open, high, low, close and volume as day bars."""
    names = ("open", "high", "low", "close", "volume")
    table = ((ny(row["date"]), [float(row[name]) for name in names]) for row in rows)
    return batch_of((ts, o, h, low, c, v) for ts, (o, h, low, c, v) in table)


def _wrapped(rows: bytes) -> bytes:
    return b'{"status":"OK","request_id":1,"results":%b}' % rows
