"""Answers as the vendor writes them, made by hand, and what they are answers to."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gapless.providers import Massive
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Decoded, Job, Page, Request
from gapless.vocabulary.timeframe import MINUTE, Base

PAGES = Path(__file__).resolve().parents[1] / "pages"
BASE_URL = "https://vendor.example"
MASSIVE = Massive(BASE_URL)
START = 1704205800000  # 2024-01-02 14:30 UTC
Json = dict[str, Any]

ROWS: list[Json] = [
    {"v": 1.5e6, "vw": 187.2, "o": 187.15, "c": 187.3, "h": 187.4, "l": 187, "t": START, "n": 9001},
    {"v": 812.25, "vw": 999, "o": 187.3, "c": 187.1, "h": 187.3, "l": 187.1, "t": START + MINUTE, "n": 12},
    {"v": 0, "vw": 187.1, "o": 187.1, "c": 187.1, "h": 187.1, "l": 187.1, "t": START + 3 * MINUTE, "n": 0},
]


def envelope(rows: list[Json] | None = None, **changes: Any) -> Json:  # noqa: ANN401 - any JSON
    """A sound answer about AAPL with these rows; a change to `...` takes the field away."""
    rows = ROWS if rows is None else rows
    count = len(rows)
    whole = {
        "ticker": "AAPL", "queryCount": count, "resultsCount": count, "adjusted": False, "results": rows,
        "status": "OK", "request_id": "0123abcd", "count": count,
    }  # fmt: skip
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def changed(row: int, **changes: Any) -> list[Json]:  # noqa: ANN401 - any JSON
    """The usual rows with one of them changed; a change to `...` takes the field away."""
    rows = [dict(r) for r in ROWS]
    rows[row] = {name: value for name, value in (rows[row] | changes).items() if value is not ...}
    return rows


def compact(answer: Json) -> bytes:
    """As on the wire."""
    return json.dumps(answer, separators=(",", ":")).encode()


def pretty(answer: Json) -> bytes:
    """As a person would lay it out; the fast reader does not take this."""
    return json.dumps(answer, indent=2).encode()


def page(body: bytes, asset_class: AssetClass = AssetClass.STOCKS) -> Page:
    """A page around a body."""
    return Page(Request(BASE_URL, asset_class), body, "d" * 64, "r1", received=0, wire_bytes=0)


def job(ticker: str = "AAPL", base: Base = Base.MINUTE, span: Span | None = None) -> Job:
    """A job for one ticker; ten minutes from START unless said otherwise."""
    return Job(Instrument.parse(ticker), base, span or Span(START, START + 10 * MINUTE))


def decode(body: bytes, asked_by: Job | None = None) -> Decoded:
    """Decode an answer to a job."""
    asked_by = asked_by or job()
    return MASSIVE.decode(asked_by, page(body, asked_by.instrument.asset_class), asked=asked_by.span)


def midnight(day: str, zone: str = "America/New_York") -> int:
    """The Unix milliseconds of a date's first instant."""
    first = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZoneInfo(zone))
    return int(first.timestamp()) * 1000
