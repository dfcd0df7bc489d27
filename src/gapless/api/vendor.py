"""The vendor's own question for bars, answered from the store in the vendor's own shape."""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec
import numpy as np

from gapless.api.answers import Made
from gapless.api.asking import Asked, read_all
from gapless.api.declared import Endpoint
from gapless.api.problems import wrong
from gapless.app import Warehouse
from gapless.app.instants import parse_instant
from gapless.resample import aligned
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import TIMEFRAMES, Timeframe

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MILLISECONDS = re.compile(r"\d{1,14}")
_MINUTES = {"minute": 1, "hour": 60}
_LONGER = {"day": "1d", "week": "1w", "month": "1mo"}


class _Bar(msgspec.Struct, omit_defaults=True):
    """A bar with the vendor's names; what is missing is left out."""

    t: int
    o: float
    c: float
    h: float
    l: float  # noqa: E741 - the vendor's name
    v: float | None = None
    vw: float | None = None
    n: int | None = None


def aggs(warehouse: Warehouse, endpoint: Endpoint, asked: Asked, host: str, on_gap: str) -> Made:
    """One page of bars; `host` is where the caller found us, for the address of the next page."""
    if asked["cursor"]:
        asked = _with_cursor(endpoint, asked)
    frame, instrument = _timeframe(asked), Instrument.parse(asked["ticker"])
    span = _span(asked, instrument, frame)
    found = warehouse.bars(
        instrument.ticker,
        frame.name,
        span.start,
        span.end,
        adjust="splits" if asked["adjusted"] else None,
        on_gap=on_gap,
    )
    batch = found.parts[0].batch
    if asked["sort"] == "desc":
        batch = batch.take(slice(None, None, -1))
    page = batch.take(slice(0, asked["limit"]))
    told: dict[str, Any] = {
        "ticker": instrument.ticker,
        "queryCount": len(page),
        "resultsCount": len(page),
        "adjusted": asked["adjusted"],
    }
    if len(page):
        told["results"] = _rows(page)
    told |= {"status": "OK", "request_id": _request_id(asked)}
    if len(page):
        told["count"] = len(page)
    if len(batch) > len(page):
        told["next_url"] = _next(asked, host, int(batch.ts[len(page)]))
    return Made(msgspec.json.encode(told))


def _rows(batch: Batch) -> list[_Bar]:
    given = (batch.ts, batch.open, batch.close, batch.high, batch.low)
    perhaps = _perhaps(batch.volume), _perhaps(batch.vwap)
    trades = [None if count == NO_TRADES else count for count in batch.trades.tolist()]
    columns = (*(column.tolist() for column in given), *perhaps, trades)
    return [_Bar(*numbers) for numbers in zip(*columns, strict=True)]


def _perhaps(column: Floats) -> list[float | None]:
    if not np.isnan(column).any():
        return list(column.tolist())
    return [None if number != number else number for number in column.tolist()]  # noqa: PLR0124 - NaN alone is not itself


def _timeframe(asked: Asked) -> Timeframe:
    count, unit = asked["multiplier"], asked["timespan"]
    if unit in _LONGER and count == 1:
        return TIMEFRAMES[_LONGER[unit]]
    minutes = count * _MINUTES.get(unit, 0)
    for frame in TIMEFRAMES.values():
        if minutes and frame.minutes == minutes:
            return frame
    raise wrong(f"{count} {unit} is no timeframe of gapless.", f"It has {', '.join(TIMEFRAMES)}.")


def _span(asked: Asked, instrument: Instrument, frame: Timeframe) -> Span:
    """Whole windows from the one that holds `from` to the one that holds `to`."""
    first, last = _instant(asked, "from", instrument), _instant(asked, "to", instrument, last=True)
    if last < first:
        raise wrong("`to` is before `from`.")
    return aligned(Span(first, last + 1), frame, instrument.asset_class)


def _instant(asked: Asked, name: str, instrument: Instrument, *, last: bool = False) -> int:
    """A day or Unix milliseconds; the last instant of a day where that is asked for."""
    text = asked[name]
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
        day = day + timedelta(days=1) if day and last else day
    except (ValueError, OverflowError):
        day = None
    if day is None:
        raise wrong(f"`{name}` was `{text}`.", "Use YYYY-MM-DD or Unix milliseconds.")
    return parse_instant(day, instrument.asset_class, now=0, param=name) - last


def _next(asked: Asked, host: str, at: int) -> str:
    """Where to go on: as the vendor has it, the path begins or ends at the next bar, and the cursor is the query."""
    first, last = (asked["from"], at) if asked["sort"] == "desc" else (at, asked["to"])
    query = f"adjusted={str(asked['adjusted']).lower()}&limit={asked['limit']}&sort={asked['sort']}"
    cursor = urlsafe_b64encode(query.encode()).decode().rstrip("=")
    ticker = quote(asked["ticker"], safe=":")
    path = f"/v2/aggs/ticker/{ticker}/range/{asked['multiplier']}/{asked['timespan']}/{first}/{last}"
    return f"http://{host}{path}?cursor={cursor}"


def _with_cursor(endpoint: Endpoint, asked: Asked) -> Asked:
    try:
        text = urlsafe_b64decode(asked["cursor"] + "=" * (-len(asked["cursor"]) % 4)).decode("ascii")
        query = dict(parse_qsl(text, strict_parsing=True))
    except ValueError:
        raise wrong("`cursor` is not one that came with an answer.", "Follow `next_url` as it is.") from None
    place = {name: str(asked[name]) for name in ("ticker", "multiplier", "timespan", "from", "to")}
    return read_all(endpoint, query | place)


def _request_id(asked: Asked) -> str:
    return hashlib.blake2b(repr(sorted(asked.items())).encode(), digest_size=16).hexdigest()
