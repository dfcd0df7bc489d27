"""Pages made by a grammar and bent by mutation, read by both decoders and by a slow one written apart."""

import hashlib
import json
import math
import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn
from unittest.mock import patch

from gapless.errors import BadAnswer, GaplessError, Refused
from gapless.providers import Massive
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Decoded, Job, Page, Request
from gapless.vocabulary.timeframe import MINUTE, Base
from torture.harness import Figure, Harness

_URL = "https://vendor.example"
_START = 1_704_205_800_000
_SPAN = Span(_START, _START + 40 * MINUTE)
_JOB = Job(Instrument.parse("AAPL"), Base.MINUTE, _SPAN)
_NEXT = f"{_URL}/v2/aggs/ticker/AAPL/range/1/minute/{_START + 40 * MINUTE}/9?cursor=bGltaXQ9NQ"
_MASSIVE = Massive(_URL)

Json = dict[str, Any]
Row = tuple[int, float, float, float, float, float, float | None, int | None]


# -- the slow reading --------------------------------------------------------


class _Wrong(Exception):
    """The slow reader does not accept this; why."""


def _wrong(why: str) -> NoReturn:
    raise _Wrong(why)


def _once(pairs: list[tuple[str, Any]]) -> Json:
    if len({name for name, _ in pairs}) < len(pairs):
        _wrong("a name twice")
    return dict(pairs)


class _Whole(int):
    """A number that was written without a point or an exponent."""


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of more than eighteen digits
        mantissa, _, exponent = text.lower().partition("e")
        return Decimal(0) if exponent.startswith("-") or not Decimal(mantissa) else Decimal("Infinity")


def slowly(body: bytes) -> list[Row]:
    """The bars of a page, from the rules as the vendor's facts state them; with `json` and `Decimal` only.

    Raises:
        _Wrong: the page must not be believed.
    """
    try:
        page = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_exact,
            parse_int=_Whole,
            parse_constant=_wrong,
        )
        json.dumps(page, default=str, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise _Wrong(str(error)) from None
    if not isinstance(page, dict):
        _wrong("no object")
    for name, kinds in _KINDS.items():
        if name in page and not isinstance(page[name], kinds):
            _wrong(f"{name} is of another kind")
    if page.get("status") not in ("OK", "DELAYED") or page.get("ticker") != "AAPL" or page.get("adjusted"):
        _wrong("status, ticker or flag")
    results = page.get("results")
    rows = [_row(row) for row in (results if isinstance(results, list) else [])]
    _count(page, len(rows))
    link = page.get("next_url")
    if link is not None and not link.startswith(f"{_URL}/v2/aggs/ticker/AAPL/range/1/minute/"):
        _wrong("the next page is elsewhere")
    stamps = [row[0] for row in rows]
    if stamps != sorted(set(stamps)) or any(ts % MINUTE or ts not in _SPAN for ts in stamps):
        _wrong("stamps")
    return rows


_KINDS: dict[str, tuple[type, ...]] = {
    "status": (str,), "ticker": (str, type(None)), "adjusted": (bool, type(None)), "error": (str,),
    "message": (str,), "request_id": (str, _Whole), "next_url": (str, type(None)),
    "queryCount": (_Whole, type(None)), "resultsCount": (_Whole, type(None)), "count": (_Whole, type(None)),
    "results": (list, type(None)),
}  # fmt: skip


def _count(page: Json, rows: int) -> None:
    counts = [page.get("resultsCount"), page.get("count")]
    used = page.get("queryCount")
    if any(count is not None and count != rows for count in counts):
        _wrong("counts")
    if rows and counts == [None, None]:
        _wrong("no counts")
    if (used is not None and used < rows) or (not rows and (used or page.get("next_url"))):
        _wrong("rows are missing")


def _number(row: Json, name: str, *, needed: bool) -> float | None:
    if name not in row and not needed:
        return None
    number = row.get(name)
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        _wrong(f"{name} is no number")
    try:
        value = float(number)
    except OverflowError:  # a whole number of more than 308 digits
        value = math.inf
    if not math.isfinite(value):
        _wrong(f"{name} is too large")
    return value


def _row(row: Any) -> Row:  # noqa: ANN401 - whatever stands there
    if not isinstance(row, dict):
        _wrong("a row that is none")
    o, h, low, c, t, v = (_number(row, name, needed=True) for name in "ohlctv")
    vw, n = _number(row, "vw", needed=False), _number(row, "n", needed=False)
    assert None not in (o, h, low, c, t, v)
    if min(o, h, low, c) <= 0 or v < 0 or not low <= min(o, c) <= max(o, c) <= h:  # type: ignore[type-var,operator]
        _wrong("prices or volume")
    if any(x is not None and (x != int(x) or abs(x) >= 2**53) for x in (t, n)) or (n is not None and n < 0):
        _wrong("no whole number")
    return int(t), o, h, low, c, v, vw, None if n is None else int(n)  # type: ignore[arg-type,return-value]


# -- the grammar -------------------------------------------------------------


def _price(rng: random.Random) -> float:
    return round(rng.uniform(0.0001, 2000), rng.randint(0, 6)) or 1.0


def _good_row(rng: random.Random, ts: int, lacks: frozenset[str]) -> Json:
    low, a, b, high = sorted(_price(rng) for _ in range(4))
    o, c = rng.choice(((a, b), (b, a)))
    volume = rng.choice((0, rng.randint(1, 10**9), rng.random() * 10 ** rng.randint(-8, 9), 1.5e6))
    row = {
        "v": volume,
        "vw": _price(rng),
        "o": o,
        "c": c,
        "h": high,
        "l": low,
        "t": ts,
        "n": rng.randint(0, 10**6),
    }
    return {name: number for name, number in row.items() if name not in lacks}


def _good_page(rng: random.Random) -> Json:
    stamps = sorted(rng.sample(range(40), rng.choice((0, 1, 2, 5, 12))))
    lacks = rng.choice((frozenset(), frozenset(), frozenset({"vw"}), frozenset({"n", "vw"})))
    rows = [
        _good_row(rng, _START + minute * MINUTE, lacks if rng.random() < 0.8 else frozenset())
        for minute in stamps
    ]
    page: Json = {
        "ticker": "AAPL", "queryCount": len(rows), "resultsCount": len(rows), "adjusted": False, "results": rows,
        "status": rng.choice(("OK", "DELAYED")), "request_id": rng.choice(("0f3c", 1)), "count": len(rows),
    }  # fmt: skip
    if not rows:
        del page["results"], page["count"]
    elif rng.random() < 0.3:
        page["next_url"] = _NEXT
    return page


def _number_text(rng: random.Random, number: float) -> str:
    """A number as Go, Python or a person would write it; the value is the same."""
    if isinstance(number, int) and rng.random() < 0.9:
        return str(number)
    plain = repr(float(number))
    forms = [plain, plain.removesuffix(".0"), f"{number:.17g}", f"{number:.17e}", f"{number:.17E}"]
    return rng.choice(forms)


def _text(rng: random.Random, value: Any, *, wild: bool) -> str:  # noqa: ANN401 - any JSON
    """JSON text, laid out as the vendor does, or in any way that means the same."""
    gap = rng.choice(("", " ", "\n\t")) if wild else ""
    if isinstance(value, dict):
        pairs = list(value.items())
        if wild:
            rng.shuffle(pairs)
        inner = ",".join(f"{gap}{json.dumps(k)}:{gap}{_text(rng, v, wild=wild)}" for k, v in pairs)
        return f"{{{inner}{gap}}}"
    if isinstance(value, list):
        return f"[{gap}{','.join(_text(rng, item, wild=wild) for item in value)}{gap}]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_text(rng, value)
    return json.dumps(value)


# -- the mutations -----------------------------------------------------------

_ODD: tuple[Any, ...] = (
    None, True, "1", "", [], {}, -1, 0, 1e300, -0.5, 2**53, 2**63, 10**30, float("nan"), float("inf"), "NaN", 1.5,
    [1], {"t": 1}, "OK", "ERROR", "aapl", "https://elsewhere.example/", _NEXT, _START, _START - MINUTE, _START + 1,
)  # fmt: skip


def _odd(rng: random.Random) -> Any:  # noqa: ANN401 - any JSON
    """One of them for this page alone: the next mutation may write into it."""
    return deepcopy(rng.choice(_ODD))


def _bend_page(rng: random.Random, page: Json) -> None:
    name = rng.choice([*page, "next_url", "error", "message", "extra", "otc"])
    match rng.randrange(3):
        case 0:
            page.pop(name, None)
        case 1:
            page[name] = _odd(rng)
        case _:
            page["inner"] = {"results": page.get("results"), "t": 1}


def _bend_row(rng: random.Random, page: Json) -> None:
    rows = page.get("results")
    if not isinstance(rows, list) or not rows:
        return
    at = rng.randrange(len(rows))
    match rng.randrange(6):
        case 0:
            rows.insert(at, rng.choice((rows[at], _odd(rng))))
        case 1:
            del rows[at]
        case 2:
            rows.reverse()
        case 3 if isinstance(rows[at], dict):
            rows[at].pop(rng.choice("v vw o c h l t n".split()), None)
        case _ if isinstance(rows[at], dict):
            rows[at][rng.choice("v vw o c h l t n otc x".split())] = _odd(rng)


_SNIPPETS: tuple[bytes, ...] = (
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"-",
    b".",
    b"e",
    b"E",
    b"+",
    b"0",
    b"1",
    b"\\",
    b"\x00",
)
_SNIPPETS += (
    b"\xff",
    b" ",
    b"null",
    b"NaN",
    b"-1",
    b'"t":1,',
    b'"v":',
    b"1e5",
    b'"results":',
    b"},{",
    b"\\ud800",
)


def _bend_text(rng: random.Random, body: bytes) -> bytes:
    a, b = sorted(rng.choices(range(len(body) + 1), k=2))
    b = min(b, a + rng.choice((1, 2, 9, 80)))
    match rng.randrange(6):
        case 0:
            return body[:a]
        case 1:
            return body[:a] + body[b:]
        case 2:
            return body[:b] + body[a:]
        case 3:
            return body[:a] + bytes([rng.randrange(256)]) + body[a + 1 :]
        case 4:
            return body[:a] + rng.choice(_SNIPPETS) + body[a:]
        case _:
            return body[:a] + rng.choice(_SNIPPETS) + body[a + 1 :]


def pages(size: int, seed: int) -> Iterator[bytes]:
    """So many pages: a quarter sound, the others bent once to three times in what they say or how it is written."""
    for number in range(size):
        rng = random.Random(f"{seed}/{number}")
        page, kind = _good_page(rng), number % 4
        for _ in range(rng.randint(1, 2) if kind in (1, 2) else 0):
            rng.choice((_bend_page, _bend_row, _bend_row))(rng, page)
        body = _text(rng, page, wild=rng.random() < 0.3).encode()
        for _ in range(rng.randint(1, 3) if kind == 3 else 0):
            body = _bend_text(rng, body)
        yield body


# -- judging -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Read:
    """What a decoder made of a page: rows, or why there are none."""

    rows: list[Row] | None
    why: str = ""
    fault: GaplessError | None = None


def _rows(decoded: Decoded) -> list[Row]:
    columns = [column.tolist() for column in decoded.batch.columns.values()]
    return [
        (*row[:6], None if math.isnan(row[6]) else row[6], None if row[7] < 0 else row[7])
        for row in zip(*columns, strict=True)
    ]


def _read(body: bytes) -> _Read:
    digest = hashlib.sha256(body).hexdigest()
    page = Page(Request(_URL, AssetClass.STOCKS), body, digest, "r-1", received=0, wire_bytes=len(body))
    try:
        return _Read(_rows(_MASSIVE.decode(_JOB, page, asked=_SPAN)))
    except (BadAnswer, Refused) as fault:
        return _Read(None, fault.message, fault)
    except Exception as fault:  # noqa: BLE001 - that there is none is what is measured
        return _Read(None, f"crashed: {fault!r}")


def judge(body: bytes) -> str:
    """What was promised and not kept for one page, in words; empty where all was."""
    quick = _read(body)
    with patch("gapless.providers.envelope.regular_columns", lambda *_: None):
        typed = _read(body)
    try:
        truth = slowly(body)
    except _Wrong as why:
        truth, reason = None, str(why)
    else:
        reason = ""
    if "crashed" in quick.why + typed.why:
        return quick.why + typed.why
    if quick.rows != typed.rows:
        return f"the readers differ: {quick.why or quick.rows} against {typed.why or typed.rows}"
    if quick.rows != truth:
        return f"read as {quick.rows}, refused by the slow reader: {reason}" if truth is None else quick.why
    return _unexplained(quick, body)


def _unexplained(read: _Read, body: bytes) -> str:
    """A page that is not believed is refused with a reason, and so that it can be found again."""
    fault = read.fault
    if isinstance(fault, BadAnswer) and not (
        fault.message and fault.request_id == "r-1" and fault.digest == hashlib.sha256(body).hexdigest()
    ):
        return "refused without a reason, a request id or a digest"
    return ""


def bend(size: int, seed: int) -> Figure:
    """So many pages, each read three times."""
    broken, refused = list[tuple[bytes, str]](), 0
    for body in pages(size, seed):
        if words := judge(body):
            broken.append((body, words))
        refused += _read(body).rows is None
    first = f"; the first: {broken[0][1][:200]} {broken[0][0][:400]!r}" if broken else ""
    return Figure("malformed payloads", size, "pages", len(broken), f"{refused:,} refused{first}")


HARNESS = Harness("malformed payloads", 10_000, 1_000_000, bend)
