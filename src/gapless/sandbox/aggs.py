"""The aggregates endpoint: what a request means, and the page that answers it."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, quote

import msgspec

from gapless.errors import Refused, Rejected, UsageError
from gapless.sandbox import hours
from gapless.sandbox.numerals import rows_json
from gapless.sandbox.profiles import Profile
from gapless.sandbox.windows import Cut, Grid, Unit, snap
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base

MOST_BARS = 50_000
USUAL_BARS = 5_000

NOT_IN_PLAN = (
    "Your plan doesn't include this data timeframe. Please upgrade your plan at https://polygon.io/pricing"
)
NOT_ENTITLED = "You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing"
_UPSIDE_DOWN = "The parameter 'to' cannot be a time that occurs before 'from'"
_NO_TIME = "Could not parse the time parameter: '{}'. Use YYYY-MM-DD or Unix MS Timestamps"
_MILLISECONDS = re.compile(r"-?\d{1,14}")


@dataclass(frozen=True, slots=True)
class Question:
    """One request, understood: what to read, on which grid, how much of it at most.

    `span` is what is read: snapped, and cut to what the key may see. `path` and `host` are as they were asked.
    """

    instrument: Instrument
    grid: Grid
    span: Span
    limit: int
    ascending: bool
    adjusted: bool
    start_text: str
    end_text: str
    host: str

    @property
    def base(self) -> Base:
        """The bars that are counted."""
        return self.grid.unit.base

    def url(self, start: str, end: str) -> str:
        """The address of another page of the same answer."""
        grid = self.grid
        words = [] if self.adjusted else ["adjusted=false"]
        words += [f"limit={self.limit}", f"sort={'asc' if self.ascending else 'desc'}"]
        path = (
            f"/v2/aggs/ticker/{quote(self.instrument.ticker, safe=':')}/range/{grid.multiplier}/{grid.unit}"
        )
        return f"{self.host}{path}/{start}/{end}?cursor={encode_cursor('&'.join(words))}"

    def next_url(self, cut: Cut) -> str | None:
        """Where the rest is: the path moves on, only the cursor stays in the query."""
        if cut.rest is None:
            return None
        if self.ascending:
            return self.url(str(cut.rest.start), self.end_text)
        return self.url(self.start_text, str(cut.rest.end - 1))


def encode_cursor(query: str) -> str:
    """The vendor's cursors are the query itself, base64url without padding."""
    return base64.urlsafe_b64encode(query.encode()).decode().rstrip("=")


def decode_cursor(query: Mapping[str, str]) -> dict[str, str]:
    """The query that is meant: the cursor's, if there is one.

    Raises:
        Rejected: the cursor is not one of ours.
    """
    if "cursor" not in query:
        return dict(query)
    cursor = query["cursor"]
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return dict(
            parse_qsl(base64.b64decode(padded, altchars=b"-_", validate=True).decode(), strict_parsing=True)
        )
    except ValueError as error:
        raise Rejected("The cursor could not be read") from error


# -- reading a request -------------------------------------------------------


def understand(
    path: Mapping[str, str], query: Mapping[str, str], *, host: str, profile: Profile, now: int
) -> Question:
    """What a request asks for.

    Raises:
        Rejected: it cannot be understood (400).
        Refused: the key may not see it (403).
    """
    instrument = instrument_of(path["ticker"], profile)
    unit, multiplier = _unit(path["timespan"]), _count("multiplier", path["multiplier"])
    words = decode_cursor(query)
    zone = hours.DAY_ZONE[instrument.asset_class]
    start, end = _instant("from", path["from"], zone), _instant("to", path["to"], zone, last=True)
    if end < start:
        raise Rejected(_UPSIDE_DOWN)
    allowed = allowed_since(profile, zone, end, now)
    grid = Grid(unit, multiplier, snap(unit, zone, max(start, allowed)), zone)
    first = snap(Unit.MINUTE if unit.base is Base.MINUTE else Unit.DAY, zone, allowed)
    return Question(
        instrument=instrument,
        grid=grid,
        span=Span(max(grid.anchor, first), snap(unit, zone, end, units=1)),
        limit=min(_count("limit", words.get("limit", str(USUAL_BARS))), MOST_BARS),
        ascending=_one_of("sort", words.get("sort", "asc"), "asc", "desc") == "asc",
        adjusted=_one_of("adjusted", words.get("adjusted", "true"), "true", "false") == "true",
        start_text=path["from"],
        end_text=path["to"],
        host=host,
    )


def instrument_of(ticker: str, profile: Profile) -> Instrument:
    """The instrument of a ticker, if the key may see its class; the ticker's case counts."""
    try:
        instrument = Instrument.parse(ticker)
    except UsageError as error:
        raise Rejected("Ticker was incorrectly formatted") from error
    if instrument.asset_class not in profile.classes:
        raise Refused(NOT_ENTITLED)
    return Instrument(instrument.asset_class, ticker)


_EARLIEST, _LATEST = hours.ordinal(date(1900, 1, 1)) * DAY, hours.ordinal(date(2200, 1, 1)) * DAY


def _instant(name: str, text: str, zone: str, *, last: bool = False) -> int:
    """A date's first (or last) millisecond in a zone, or the millisecond that was written."""
    if _MILLISECONDS.fullmatch(text):
        return min(max(int(text), _EARLIEST), _LATEST)
    try:
        day = hours.ordinal(date.fromisoformat(text)) if len(text) == len("YYYY-MM-DD") else None
    except ValueError:
        day = None
    if day is None or not _EARLIEST <= day * DAY < _LATEST:
        raise Rejected(_NO_TIME.format(name))
    return hours.local(zone, day + 1) - 1 if last else hours.local(zone, day)


def allowed_since(profile: Profile, zone: str, end: int, now: int) -> int:
    """The first instant that the key may see, for a range up to `end`; it moves on with every call.

    Raises:
        Refused: nothing of the range, or today although only finished days are allowed.
    """
    today = hours.local(zone, hours.local_day(zone, now))
    edge = _EARLIEST if profile.years is None else now - profile.years * 365 * DAY
    if end < edge or (profile.eod_only and end >= today):
        raise Refused(NOT_IN_PLAN)
    return max(edge, _EARLIEST)


def _unit(text: str) -> Unit:
    if text not in tuple(Unit):
        raise Rejected(f"The timespan '{text}' is not supported")
    return Unit(text)


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) < 10**9:
        raise Rejected(f"The parameter '{name}' must be a whole number above zero")
    return int(text)


def _one_of(name: str, text: str, *allowed: str) -> str:
    if text not in allowed:
        raise Rejected(f"The parameter '{name}' must be one of {', '.join(allowed)}")
    return text


# -- writing an answer -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AggsPage:
    """One answer; `bars` in the order in which they are sent. No `results` is written where there are none."""

    ticker: str
    base_bars: int
    bars: Batch
    rows: int
    adjusted: bool
    status: str
    request_id: str
    next_url: str | None

    def encode(self) -> bytes:
        """The body, with keys and numbers as on the vendor's wire."""
        parts = [
            f'{{"ticker":{_json(self.ticker)},"queryCount":{self.base_bars},"resultsCount":{self.rows},'
            f'"adjusted":{_json(self.adjusted)}'.encode()
        ]
        if len(self.bars):
            parts += [b',"results":[', rows_json(self.bars), b"]"]
        parts.append(f',"status":"{self.status}","request_id":"{self.request_id}"'.encode())
        if self.rows:
            parts.append(f',"count":{self.rows}'.encode())
        if self.next_url:
            parts.append(f',"next_url":{_json(self.next_url)}'.encode())
        return b"".join([*parts, b"}"])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
