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
from numpy.typing import NDArray

from gapless.errors import BadAnswer
from gapless.vocabulary.batch import Floats
from gapless.vocabulary.steps import Octets

_Value = TypeVar("_Value")
Columns = dict[str, Floats]
"""The vendor's letters (`v vw o c h l t n`) to numbers, as written; NaN where a row lacks an optional one."""

FIELDS = ("v", "vw", "o", "c", "h", "l", "t", "n")
_REQUIRED = frozenset("ohlct")

# -- the fast reader ---------------------------------------------------------

_NUMBER = b"0123456789+-.eE"
_NAME = rb'"(v|vw|o|c|h|l|t|n)":'
_SHAPE = re.compile(rb"\{" + _NAME + rb"(?:," + _NAME + rb")*\},")
_NAMES = re.compile(_NAME)
_UNSIGNED_EXPONENT = re.compile(rb"e(?![+-])")
_PIECE = 1 << 16
_FLATTEN = bytes.maketrans(b":}", b"- ")
_DROPPED = b'{"vwochltn'


def regular_columns(text: Octets, start: int = 0, end: int | None = None) -> Columns | None:
    """Read the rows of the array that is `text[start:end]`, if they are regular.

    That is, each has the fields that it has in the same order; None where that is not certain.
    """
    last = (len(text) if end is None else end) - 1
    if text[start : start + 1] + text[last : last + 1] != b"[]":
        return None
    parser, shapes = simdjson.Parser(), _Shapes()
    parts = [_numbers(rows, shapes, parser) for rows in _pieces(text, start + 1, last)]
    found = [part for part in parts if part is not None]
    if not found or len(found) < len(parts):
        return None
    return shapes.columns([numbers for numbers, _ in found], [kinds for _, kinds in found])


class _Shapes:
    """The shapes of rows met so far: all that is in a row but its numbers, and the comma after it.

    They differ in what they lack; rows with the same fields in another order are not regular.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, ...]] = {}

    def kinds(self, skeleton: Octets) -> NDArray[np.uint8] | None:
        """For each row of a skeleton the number of its shape; None where something in it is not a row.

        A shape has a brace at each end and none inside, so no match begins or ends within a row; and the digits
        that take the place of rows are not in a skeleton, whose numbers are gone.
        """
        marks = skeleton
        for kind, shape in enumerate(self._known):
            if marks == shape * (rows := len(marks) // len(shape)):
                return np.full(rows, kind, np.uint8)
            marks = marks.replace(shape, b"%d" % kind)
        while (at := marks.find(b"{")) >= 0:
            shape = bytes(marks[at : marks.find(b"}", at) + 2])
            if not self._learn(shape):
                return None
            marks = marks.replace(shape, b"%d" % (len(self._known) - 1))
        kinds = np.frombuffer(marks, np.uint8) - ord("0")  # what is not a digit ends up above them
        return kinds if (kinds < len(self._known)).all() else None

    def _learn(self, shape: bytes) -> bool:
        names = tuple(name.decode() for name in _NAMES.findall(shape)) if _SHAPE.fullmatch(shape) else ()
        new = all(set(names) != set(known) for known in self._known.values())
        if sound := new and len(set(names)) == len(names) and _REQUIRED.issubset(names):
            self._known[shape] = names
        return sound

    def columns(self, parts: list[Floats], kinds_of_parts: list[NDArray[np.uint8]]) -> Columns:
        """The columns of the rows of all parts: for each part its numbers, row after row, and its rows' kinds."""
        if len(self._known) == 1:
            (names,) = self._known.values()
            table = np.empty((len(names), sum(map(len, kinds_of_parts))))
            np.concatenate([part.reshape(-1, len(names)).T for part in parts], axis=1, out=table)
            return dict(zip(names, table, strict=True))
        flat, kinds = np.concatenate(parts), np.concatenate(kinds_of_parts)
        width = np.array([len(names) for names in self._known.values()], np.int64)[kinds]
        starts = np.cumsum(width) - width
        found: Columns = {}
        for kind, names in enumerate(self._known.values()):
            rows = np.flatnonzero(kinds == kind)
            for place, name in enumerate(names):
                column = found.setdefault(name, np.full(len(kinds), np.nan))
                column[rows] = flat[starts[rows] + place]
        return found


def _pieces(text: Octets, at: int, end: int) -> Iterator[Octets]:
    """The rows between two places, in pieces that stay in the processor's cache."""
    while at < end:
        cut = text.find(b"},{", at + _PIECE, end)
        to = cut + 1 if cut > 0 else end
        yield text[at:to]
        at = to + 1


def _numbers(
    rows: Octets, shapes: _Shapes, parser: simdjson.Parser
) -> tuple[Floats, NDArray[np.uint8]] | None:
    """The numbers of some rows, row after row, and the rows' shapes; None if irregular.

    Without the characters of numbers, the rows must be known shapes one after another: names and punctuation
    are right then, and only the place of the digits is open. Next, `:` becomes `-`, and names, quotes and
    braces go: `{"o":1.5,"c":2},...` turns into `-1.5,-2 ,...`. There a `-` can stand only before a number or
    after an `e`; since every `e` has a sign of its own, each number begins right at its colon, and a digit
    anywhere else breaks the grammar of the flat list. Read so, every number is below or at zero.
    """
    kinds = shapes.kinds(rows.translate(None, _NUMBER) + b",")
    if kinds is None or b"E" in rows or (b"e" in rows and _UNSIGNED_EXPONENT.search(rows)):
        return None
    try:
        flat = parser.parse(b"".join((b"[", rows.translate(_FLATTEN, _DROPPED), b"]")))
        numbers = np.abs(np.frombuffer(cast("simdjson.Array", flat).as_buffer(of_type="d")))
    except (
        ValueError,
        RuntimeError,
    ):  # its two words for a number that is malformed, or too large for 64 bits
        return None
    return numbers, kinds


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


def read_json(text: Octets, decode: Callable[[Octets], _Value]) -> _Value:
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
