"""Bars over HTTP: pages of columns or rows, in JSON, CSV, NDJSON or Arrow."""

import warnings
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import numpy as np

from gapless.api.answers import Made
from gapless.api.asking import Asked, address, is_fixed
from gapless.api.declared import ARROW, CSV, JSON, NDJSON
from gapless.api.problems import wrong
from gapless.app import Bars, Warehouse
from gapless.app.instants import parse_instant
from gapless.errors import DoubtfulAdjustmentWarning
from gapless.frames import SymbolBars
from gapless.resample import aligned
from gapless.vocabulary.batch import NO_TRADES
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Timeframe

_SETTLED = 2 * DAY
"""What ended so long ago changes only when it is written again."""


@dataclass(frozen=True, slots=True)
class Page:
    """The bars of one answer, the whole that they are a part of, and the address of the next page."""

    bars: SymbolBars
    whole: Bars
    next: str | None


def hold_of(asked: Asked, now: int) -> str | None:
    """The ticker on whose writes alone an answer depends; None where it can also change by itself.

    It can while the days of its last window may still settle, where its dates mean something else tomorrow, and where
    it is adjusted: a split that is announced takes effect on its day.
    """
    _, end = dates = _dates(asked)
    if asked["adjust"] or asked["as_of"] is not None or not all(map(is_fixed, dates)):
        return None
    asset_class = Instrument.parse(asked["symbol"]).asset_class
    last = parse_instant(end, asset_class, now=now, param="end")
    window = aligned(Span(last - 1, last), Timeframe.parse(asked["timeframe"]), asset_class)
    return asked["symbol"] if window.end <= now - _SETTLED else None


def bars(warehouse: Warehouse, asked: Asked, media: str, now: int) -> Made:
    """One page, encoded as asked for at `now` (Unix ms).

    Raises:
        BarsMissing: bars of the whole that was asked for are missing, and that was not to be only marked.
    """
    page = _page(warehouse, asked, now)
    headers = {"gapless-gaps": str(len(page.whole.gaps)), "gapless-final-until": str(page.whole.final_until)}
    if page.next:
        headers["link"] = f'<{page.next}>; rel="next"'
    if media == JSON:
        return Made(_json(page, rows=asked["shape"] == "rows"), media, headers)
    return Made(_ENCODERS[media](page.bars), media, headers)


def _page(warehouse: Warehouse, asked: Asked, now: int) -> Page:
    start, end = _dates(asked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DoubtfulAdjustmentWarning)  # told by /v1/actions
        whole = warehouse.bars(
            asked["symbol"],
            asked["timeframe"],
            start,
            end,
            session=asked["session"],
            adjust=asked["adjust"],
            as_of=asked["as_of"],
            on_gap=asked["on_gap"],
            provisional=asked["provisional"],
        )
    (part,) = whole.parts
    limit: int = asked["limit"]
    if len(part.batch) <= limit:
        return Page(part, whole, None)
    if end is not None:  # `30d` is to be what it was
        end = parse_instant(end, Instrument.parse(part.symbol).asset_class, now=now, param="end")
    shown = SymbolBars(part.symbol, part.batch.take(slice(0, limit)), part.final[:limit])
    return Page(shown, whole, _next(asked, int(part.batch.ts[limit]), end))


def _dates(asked: Asked) -> tuple[Any, Any]:
    return _read_cursor(asked["cursor"]) if asked["cursor"] else (asked["start"], asked["end"])


def _next(asked: Asked, start: int, end: str | int | None) -> str:
    """The same question from a bar on; the cursor holds where it ends too, so that `30d` stays what it was."""
    told = f"{start},{'' if end is None else end}"
    cursor = urlsafe_b64encode(told.encode()).decode().rstrip("=")
    values = [(name, _text(value)) for name, value in asked.items() if name not in ("symbol", "cursor")]
    return address(f"/v1/bars/{asked['symbol']}", [*values, ("cursor", cursor)])


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _read_cursor(cursor: str) -> tuple[int, str | int | None]:
    try:
        start, _, end = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(",")
        return int(start), int(end) if end.lstrip("-").isdigit() and len(end) > len(
            "20240131"
        ) else end or None
    except ValueError:
        raise wrong("`cursor` is not one that came with an answer.", "Follow `next` as it is.") from None


# -- encodings ---------------------------------------------------------------


def _json(page: Page, *, rows: bool) -> bytes:
    columns = _lists(page.bars)
    told: dict[str, Any] = {"symbol": page.bars.symbol, "timeframe": page.whole.timeframe}
    if rows:
        told["rows"] = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    else:
        told["columns"] = columns
    told["gaps"] = [asdict(gap) for gap in page.whole.gaps]
    return msgspec.json.encode(told | {"final_until": page.whole.final_until, "next": page.next})


def _lists(part: SymbolBars) -> dict[str, list[Any]]:
    """The columns as lists; the encoder writes NaN as null."""
    columns = {name: column.tolist() for name, column in part.columns.items()}
    if (part.batch.trades == NO_TRADES).any():
        columns["trades"] = [None if count == NO_TRADES else count for count in columns["trades"]]
    return columns


def _csv(part: SymbolBars) -> bytes:
    lines = [",".join(part.columns), *(",".join(row) for row in _texts(part))]
    return ("\n".join(lines) + "\n").encode()


def _texts(part: SymbolBars) -> Iterator[tuple[str, ...]]:
    """Bars as rows of text: numbers as they round-trip, nothing where there is none."""
    columns = []
    for name, column in part.columns.items():
        texts = [str(value) for value in column.tolist()]
        if column.dtype == np.float64 and np.isnan(column).any():
            texts = ["" if text == "nan" else text for text in texts]
        if name == "trades":
            texts = ["" if text == str(NO_TRADES) else text for text in texts]
        columns.append([text.lower() for text in texts] if name == "final" else texts)
    return zip(*columns, strict=True)


def _ndjson(part: SymbolBars) -> bytes:
    columns = _lists(part)
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return msgspec.json.Encoder().encode_lines(rows)


def _arrow(part: SymbolBars) -> bytes:
    from gapless.frames.in_arrow import stream  # noqa: PLC0415 - pyarrow is an extra

    return stream(part)


_ENCODERS: dict[str, Callable[[SymbolBars], bytes]] = {CSV: _csv, NDJSON: _ndjson, ARROW: _arrow}
