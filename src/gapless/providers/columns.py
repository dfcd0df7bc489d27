"""Rows to columns: the text of an answer's `results` array, read fast where regular, typed where not.

Both readers mean the same; the fast one answers only where it can prove that the rows are regular.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, TypeVar, cast

import msgspec
import numpy as np
import simdjson

from gapless.errors import BadAnswer
from gapless.vocabulary.batch import Floats

_Value = TypeVar("_Value")
Columns = dict[str, Floats]
"""The vendor's letters (`v vw o c h l t n`) to numbers, as written; NaN where a row lacks an optional one."""

FIELDS = ("v", "vw", "o", "c", "h", "l", "t", "n")
_REQUIRED = frozenset("ohlct")

# -- the fast reader ---------------------------------------------------------

_NUMBER = b"0123456789+-.eE"
_NAME = rb'"(v|vw|o|c|h|l|t|n)":'
_SHAPE = re.compile(rb"\{" + _NAME + rb"(?:," + _NAME + rb")*\}")
_NAMES = re.compile(_NAME)
_UNSIGNED_EXPONENT = re.compile(rb"e(?![+-])")
_PIECE = 1 << 18
_FLATTEN = bytes.maketrans(b":}", b"- ")
_DROPPED = b'{"vwochltn'


def regular_columns(array: bytes) -> Columns | None:
    """Read rows that all have the same numbers in the same order; None where that is not certain."""
    shape = array[1 : array.find(b"}") + 1].translate(None, _NUMBER)
    names = [name.decode() for name in _NAMES.findall(shape)] if _SHAPE.fullmatch(shape) else []
    if len(set(names)) != len(names) or not _REQUIRED.issubset(names) or array[:1] + array[-1:] != b"[]":
        return None
    parser = simdjson.Parser()
    flat = [_numbers(rows, shape + b",", parser) for rows in _pieces(array)]
    found = [numbers for numbers in flat if numbers is not None]
    if len(found) < len(flat):
        return None
    table = np.abs(np.concatenate(found).reshape(-1, len(names)).T, order="C")
    return dict(zip(names, table, strict=True))


def _pieces(array: bytes) -> Iterator[bytes]:
    """The rows between the brackets, in pieces that stay in the processor's cache."""
    at, end = 1, len(array) - 1
    while at < end:
        cut = array.find(b"},{", at + _PIECE, end)
        to = cut + 1 if cut > 0 else end
        yield array[at:to]
        at = to + 1


def _numbers(rows: bytes, unit: bytes, parser: simdjson.Parser) -> Floats | None:
    """The numbers of some rows, row after row, each below or at zero; None where a row is not regular.

    Without the characters of numbers, the rows must be `unit` over and over: names and punctuation are right
    then, and only the place of the digits is open. Next, `:` becomes `-`, and names, quotes and braces go:
    `{"o":1.5,"c":2},...` turns into `-1.5,-2 ,...`. There a `-` can stand only before a number or after an
    `e`; since every `e` has a sign of its own, each number begins right at its colon, and a digit anywhere
    else breaks the grammar of the flat list.
    """
    skeleton = rows.translate(None, _NUMBER) + b","
    if skeleton != unit * (len(skeleton) // len(unit)) or b"E" in rows or _UNSIGNED_EXPONENT.search(rows):
        return None
    try:
        flat = parser.parse(b"[%b]" % rows.translate(_FLATTEN, _DROPPED))
        return np.frombuffer(cast("simdjson.Array", flat).as_buffer(of_type="d"))
    except (
        ValueError,
        RuntimeError,
    ):  # its two words for a number that is malformed, or too large for 64 bits
        return None


# -- the typed reader --------------------------------------------------------


class Row(msgspec.Struct, gc=False, kw_only=True):
    """One bar on the wire. All are doubles, so that both readers round alike."""

    v: float = float("nan")
    vw: float = float("nan")
    o: float
    c: float
    h: float
    l: float  # noqa: E741 - the vendor's letter
    t: float
    n: float = float("nan")


class NamedRow(Row, gc=False, kw_only=True):
    """One ticker's bar among those of a whole market."""

    T: str


_rows = msgspec.json.Decoder(list[Row])
_named_rows = msgspec.json.Decoder(list[NamedRow])


def strict_columns(array: bytes) -> Columns:
    """Read any array of rows, keys in any order and layout, unknown ones ignored.

    Raises:
        BadAnswer: names the row (from 1) and the field.
    """
    rows = read_json(array, _rows.decode)
    return _transposed(chain.from_iterable(map(msgspec.structs.astuple, rows)), len(rows))


def named_columns(array: bytes) -> tuple[list[str], Columns]:
    """Read rows that carry their ticker; the tickers in the order of the rows, and the columns.

    Raises:
        BadAnswer: names the row (from 1) and the field.
    """
    rows = read_json(array, _named_rows.decode)
    numbers = chain.from_iterable(msgspec.structs.astuple(row)[: len(FIELDS)] for row in rows)
    return [row.T for row in rows], _transposed(numbers, len(rows))


def _transposed(numbers: "chain[float]", count: int) -> Columns:
    table = np.fromiter(numbers, np.float64, count * len(FIELDS)).reshape(count, len(FIELDS))
    return dict(zip(FIELDS, np.ascontiguousarray(table.T), strict=True))


# -- JSON --------------------------------------------------------------------

_PLACE = re.compile(r"(?P<what>.*) - at `\$(?:\.results)?\[(?P<row>\d+)\](?:\.(?P<field>\w+))?`")


def read_json(text: bytes, decode: Callable[[bytes], _Value]) -> _Value:
    """Decode with `decode`; a name that an object gives twice is a contradiction, not a choice.

    Raises:
        BadAnswer: what is wrong, and where.
    """
    try:
        value = decode(text)
        json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        fault = str(error)
    else:
        return value
    if place := _PLACE.fullmatch(fault):
        field = f"`{place['field']}`: " if place["field"] else ""
        fault = f"row {int(place['row']) + 1}: {field}{place['what']}"
    raise BadAnswer(f"the answer cannot be read: {fault}")


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has `{next(n for n in names if names.count(n) > 1)}` twice")
