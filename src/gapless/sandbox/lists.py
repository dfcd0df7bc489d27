"""The endpoints beside the bars: lists of splits, dividends and tickers, holidays, market status."""

from dataclasses import replace
from typing import Any

from gapless.sandbox import reference
from gapless.sandbox.answers import Answer, Call, json_answer
from gapless.sandbox.desk import Desk

_MODERN = {"usual": 100, "most": 5000}
_OLD = {"usual": 10, "most": 1000}


def splits(desk: Desk, call: Call) -> Answer:
    """`/v3/reference/splits` and `/stocks/v1/splits`."""
    modern = call.url_path.startswith("/stocks/")
    rows = reference.splits(desk.market, modern=modern)
    return _list(desk, call, rows, "execution_date.desc", **(_MODERN if modern else _OLD))


def dividends(desk: Desk, call: Call) -> Answer:
    """`/v3/reference/dividends` and `/stocks/v1/dividends`."""
    modern = call.url_path.startswith("/stocks/")
    rows = reference.dividends(desk.market, modern=modern)
    return _list(desk, call, rows, "ex_dividend_date.desc", **(_MODERN if modern else _OLD))


def tickers(desk: Desk, call: Call) -> Answer:
    """`/v3/reference/tickers`: active ones unless told otherwise."""
    rows = [reference.ticker_row(ticker) for ticker in desk.market.tickers]
    active = {"active": "true"} if "cursor" not in call.query else {}
    return _list(
        desk, replace(call, query=active | dict(call.query)), rows, "ticker.asc", usual=100, most=1000
    )


def ticker(desk: Desk, call: Call) -> Answer:
    """`/v3/reference/tickers/{ticker}`."""
    found = {one.instrument.ticker: one for one in desk.market.tickers}
    ticker = found.get(call.path["ticker"])
    if ticker is None:
        return desk.not_found("Ticker not found.")
    request_id = desk.request_id()
    body = {"request_id": request_id, "results": reference.ticker_details(ticker), "status": "OK"}
    return json_answer(body, request_id)


def _list(desk: Desk, call: Call, rows: list[reference.Row], sort: str, *, usual: int, most: int) -> Answer:
    address = call.host + call.url_path
    page, following = reference.page_of(rows, call.query, usual=usual, most=most, sort=sort, address=address)
    request_id = desk.request_id()
    body: dict[str, Any] = {"results": page, "status": "OK", "request_id": request_id}
    if following:
        body["next_url"] = following
    return json_answer(body, request_id)


def upcoming(desk: Desk, call: Call) -> Answer:
    """`/v1/marketstatus/upcoming`: a bare array."""
    return json_answer(reference.upcoming(call.now), desk.request_id())


def market_now(desk: Desk, call: Call) -> Answer:
    """`/v1/marketstatus/now`."""
    return json_answer(reference.market_now(call.now), desk.request_id())
