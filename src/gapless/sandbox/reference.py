"""The endpoints beside the bars: splits, dividends, tickers, holidays, market status. Pure, no sockets."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from gapless.errors import Rejected
from gapless.sandbox import hours
from gapless.sandbox.aggs import decode_cursor, encode_cursor
from gapless.sandbox.catalogue import shares_since
from gapless.sandbox.market import Market, Ticker
from gapless.vocabulary.instrument import AssetClass

Row = dict[str, Any]
Query = Mapping[str, str]


def _row_id(*parts: object) -> str:
    return "E" + hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


# -- rows --------------------------------------------------------------------


def splits(market: Market, *, modern: bool) -> list[Row]:
    """Every split; `modern` rows say more."""
    rows: list[Row] = []
    for ticker in _stocks(market):
        known = tuple(market.splits(ticker))
        for split in known:
            row: Row = {
                "id": _row_id(ticker, split.day),
                "execution_date": split.day.isoformat(),
                "split_from": split.before,
                "split_to": split.after,
                "ticker": ticker,
            }
            if modern:
                row["adjustment_type"] = "forward_split" if split.after > split.before else "reverse_split"
                since = shares_since(known, split.day) * split.after / split.before
                row["historical_adjustment_factor"] = round(1 / since, 6)
            rows.append(row)
    return rows


def dividends(market: Market, *, modern: bool) -> list[Row]:
    """Every dividend; `modern` rows say more."""
    rows: list[Row] = []
    for ticker in _stocks(market):
        for dividend in market.dividends(ticker):
            day = dividend.day.isoformat()
            row: Row = {
                "id": _row_id(ticker, day, dividend.cash),
                "cash_amount": dividend.cash,
                "currency": "USD",
                "declaration_date": hours.day_of(hours.ordinal(dividend.day) - 21).isoformat(),
                "ex_dividend_date": day,
                "frequency": dividend.frequency,
                "pay_date": hours.day_of(hours.ordinal(dividend.day) + 14).isoformat(),
                "record_date": day,
                "ticker": ticker,
            }
            if modern:
                shares = shares_since(tuple(market.splits(ticker)), dividend.day)
                row |= {
                    "distribution_type": "recurring",
                    "split_adjusted_cash_amount": round(dividend.cash / shares, 6),
                }
            else:
                row["dividend_type"] = "CD"
            rows.append(row)
    return rows


def _stocks(market: Market) -> list[str]:
    return [t.instrument.ticker for t in market.tickers if t.instrument.asset_class is AssetClass.STOCKS]


def ticker_row(ticker: Ticker) -> Row:
    """A row of the list of tickers."""
    name, asset_class = ticker.instrument.ticker, ticker.instrument.asset_class
    row: Row = {"ticker": name, "name": ticker.name, "market": ticker.market, "active": ticker.active}
    if asset_class is AssetClass.STOCKS:
        figi = "BBG" + hashlib.sha256(name.encode()).hexdigest()[:9].upper()
        return row | {
            "locale": "us",
            "primary_exchange": "ARCX" if ticker.kind == "ETF" else "XNAS",
            "type": ticker.kind,
            "currency_name": "usd",
            "composite_figi": figi,
        }
    if asset_class is AssetClass.INDICES:
        return row | {"locale": "us", "source_feed": "CMEMarketDataPlatform"}
    pair = name.partition(":")[2]
    return row | {"locale": "global", "base_currency_symbol": pair[:-3], "currency_symbol": pair[-3:]}


def ticker_details(ticker: Ticker) -> Row:
    """What the endpoint of one ticker adds."""
    row = ticker_row(ticker)
    if ticker.instrument.asset_class is AssetClass.STOCKS:
        row |= {
            "list_date": hours.FIRST_DAY.isoformat(),
            "ticker_root": row["ticker"].split(".")[0],
            "round_lot": 100,
        }
    return row


# -- lists in pages ----------------------------------------------------------

_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "": lambda value, wanted: value == wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "any_of": lambda value, wanted: value in wanted.split(","),
}


def page_of(
    rows: Iterable[Row], query: Query, *, usual: int, most: int, sort: str, address: str
) -> tuple[list[Row], str | None]:
    """The rows that a query selects, one page of them, and the address of the next.

    Filters are `field=` and `field.gt|gte|lt|lte|any_of=`; `sort` is what a query without one means.

    Raises:
        Rejected: a limit or sort that cannot be.
    """
    words = decode_cursor(query)
    chosen = _sorted([row for row in rows if _selected(row, words)], words, sort)
    limit = _whole(words.get("limit", str(usual)), "limit")
    if not 1 <= limit <= most:
        raise Rejected(f"The parameter 'limit' must be between 1 and {most}")
    first = _whole(words.get("page_marker", "0"), "cursor")
    page = chosen[first : first + limit]
    if first + limit >= len(chosen):
        return page, None
    marked = urlencode(sorted({**words, "limit": str(limit), "page_marker": str(first + limit)}.items()))
    return page, f"{address}?cursor={encode_cursor(marked)}"


def _selected(row: Row, words: Query) -> bool:
    for word, wanted in words.items():
        field, _, how = word.partition(".")
        if field in row and how in _COMPARE and not _COMPARE[how](_text(row[field]), wanted):
            return False
    sought = words.get("search", "").lower()
    return sought in f"{row.get('ticker', '')} {row.get('name', '')}".lower()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sorted(rows: list[Row], words: Query, usual: str) -> list[Row]:
    text = words.get("sort", usual)
    if "." not in text:
        text += "." + words.get("order", usual.rpartition(".")[2])
    field, _, order = text.rpartition(".")
    if order not in ("asc", "desc") or (rows and field not in rows[0]):
        raise Rejected(f"The parameter 'sort' has the value '{text}', which is not a field and an order")
    by_ticker = sorted(rows, key=lambda row: str(row["ticker"]))
    return sorted(by_ticker, key=lambda row: row[field], reverse=order == "desc")


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Rejected(f"The parameter '{name}' must be a whole number")
    return int(text)


# -- the state of the markets ------------------------------------------------


def upcoming(now: int) -> list[Row]:
    """The holidays of the next year, one row an exchange."""
    rows: list[Row] = []
    for day, name, early in hours.upcoming(now):
        row: Row = {"date": day.isoformat(), "name": name, "status": "early-close" if early else "closed"}
        if early:
            session = hours.sessions(AssetClass.STOCKS, hours.ordinal(day), hours.ordinal(day) + 1)
            row |= {"open": _iso(int(session.open[0])), "close": _iso(int(session.close[0]))}
        rows += [{"exchange": exchange, **row} for exchange in ("NYSE", "NASDAQ")]
    return rows


def _iso(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def market_now(now: int) -> Row:
    """Which markets are open at an instant."""
    day = hours.local_day(hours.NEW_YORK, now)
    early = after = regular = False
    for session in _rows(AssetClass.STOCKS, day):
        early, regular, after = (a <= now < b for a, b in pairwise(session[1:]))
    stocks = "open" if regular else "extended-hours" if early or after else "closed"
    utc_day = hours.local_day("UTC", now)
    forex = any(session[2] <= now < session[3] for session in _rows(AssetClass.FOREX, utc_day))
    return {
        "market": stocks,
        "earlyHours": early,
        "afterHours": after,
        "serverTime": datetime.fromtimestamp(now // 1000, hours.zone(hours.NEW_YORK)).isoformat(),
        "exchanges": dict.fromkeys(("nyse", "nasdaq", "otc"), stocks),
        "currencies": {"fx": "open" if forex else "closed", "crypto": "open"},
    }


def _rows(asset_class: AssetClass, day: int) -> Sequence[Sequence[int]]:
    found = hours.sessions(asset_class, day, day + 1)
    columns = (found.day, found.pre, found.open, found.close, found.post)
    return list(zip(*(column.tolist() for column in columns), strict=True))
