"""The endpoints of single days: previous close, a whole market's day, open and close."""

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import numpy as np

from gapless.errors import Rejected
from gapless.sandbox import hours
from gapless.sandbox.aggs import allowed_since, instrument_of
from gapless.sandbox.answers import Answer, Call, json_answer
from gapless.sandbox.desk import Desk
from gapless.sandbox.numerals import rows_json
from gapless.sandbox.revisions import adjusted
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base


def prev(desk: Desk, call: Call) -> Answer:
    """The last finished day bar; its stamp is the close of the session."""
    instrument = instrument_of(call.path["ticker"], call.profile)
    zone = hours.DAY_ZONE[instrument.asset_class]
    today = hours.local(zone, hours.local_day(zone, call.now))
    days = _days(desk, instrument, Span(today - 15 * DAY, today), call)
    return _answer(desk, call, _rows(instrument, days.take(slice(-1, None))), {"ticker": instrument.ticker})


def grouped(desk: Desk, call: Call) -> Answer:
    """The bars of one day of every instrument of a market."""
    rows: list[bytes] = []
    for ticker in desk.market.tickers:
        instrument = ticker.instrument
        if ticker.market == call.path["market"] and instrument.asset_class in call.profile.classes:
            rows += _rows(instrument, _days(desk, instrument, _one_day(instrument, call), call))
    return _answer(desk, call, rows, {})


def _one_day(instrument: Instrument, call: Call) -> Span:
    """The span of the day in the path, if the key may see it."""
    text, zone = call.path["date"], hours.DAY_ZONE[instrument.asset_class]
    try:
        day = hours.ordinal(date.fromisoformat(text))
    except ValueError as error:
        raise Rejected(
            f"The path parameter `date` with value {text} is invalid, must be of the format YYYY-MM-DD."
        ) from error
    span = Span(hours.local(zone, day), hours.local(zone, day + 1))
    allowed_since(call.profile, zone, span.end - 1, call.now)
    return span


def _days(desk: Desk, instrument: Instrument, span: Span, call: Call) -> Batch:
    return _as_asked(desk, instrument, desk.visible(instrument, Base.DAY, span, call.seen), call)


def _as_asked(desk: Desk, instrument: Instrument, bars: Batch, call: Call) -> Batch:
    """The bars, adjusted unless the request says otherwise."""
    return adjusted(desk.market, instrument, bars, call.now) if _adjusts(call) else bars


def _adjusts(call: Call) -> bool:
    return call.query.get("adjusted", "true") == "true"


def _rows(instrument: Instrument, days: Batch) -> list[bytes]:
    rows = []
    for at, start in enumerate(days.ts.tolist()):
        closing = replace(days.take(slice(at, at + 1)), ts=np.array([_closing(instrument, start)], np.int64))
        rows.append(b'{"T":' + msgspec.json.encode(instrument.ticker) + b"," + rows_json(closing)[1:])
    return rows


def _answer(desk: Desk, call: Call, rows: list[bytes], head: dict[str, Any]) -> Answer:
    request_id = desk.request_id()
    body: dict[str, Any] = head | {
        "queryCount": len(rows),
        "resultsCount": len(rows),
        "adjusted": _adjusts(call),
        "results": msgspec.Raw(b"[" + b",".join(rows) + b"]"),
        "status": "OK",
        "request_id": request_id,
        "count": len(rows),
    }
    if not rows:
        del body["results"], body["count"]
    return json_answer(body, request_id)


def open_close(desk: Desk, call: Call) -> Answer:
    """The prices of one session of a stock, with the first before and the last after it."""
    instrument = instrument_of(call.path["ticker"], call.profile)
    day = _one_day(instrument, call)
    bar = _days(desk, instrument, day, call)
    if not len(bar):
        return desk.not_found("Data not found.")
    body: dict[str, Any] = {"status": "OK", "from": call.path["date"], "symbol": instrument.ticker}
    body |= {name: float(getattr(bar, name)[0]) for name in ("open", "high", "low", "close")}
    if instrument.asset_class.has_volume:
        body["volume"] = float(bar.volume[0])
    return json_answer(body | _around(desk, instrument, day.start // DAY, call), desk.request_id())


def _around(desk: Desk, instrument: Instrument, day: int, call: Call) -> dict[str, float]:
    session = hours.sessions(instrument.asset_class, day, day + 1)
    if instrument.asset_class is not AssetClass.STOCKS or not len(session):
        return {}
    found: dict[str, float] = {}
    after = Span(int(session.close[0]), int(session.post[0]))
    before = Span(int(session.pre[0]), int(session.open[0]))
    for name, column, at, span in (("afterHours", "close", -1, after), ("preMarket", "open", 0, before)):
        bars = _as_asked(desk, instrument, desk.visible(instrument, Base.MINUTE, span, call.seen), call)
        if len(bars):
            found[name] = float(getattr(bars, column)[at])
    return found


def _closing(instrument: Instrument, start: int) -> int:
    """The stamp of a day in `prev` and `grouped`: 16:00 in New York, the last millisecond of a UTC day elsewhere."""
    if instrument.asset_class in (AssetClass.STOCKS, AssetClass.INDICES):
        return hours.local(hours.NEW_YORK, start // DAY, 16 * 60)
    return start + DAY - 1
