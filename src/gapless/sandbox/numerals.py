"""Numbers as the vendor writes them: Go's shortest `%g`, for one number or for whole columns at once.

A column becomes 32-bit words of four characters each, unused places are NUL; rows of such words are laid
side by side and the NULs dropped. That writes 50,000 bars in the time in which `str` would write 5,000.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapless.vocabulary.batch import NO_TRADES, Batch, Floats, Ints

Words = NDArray[np.uint32]
Mask = NDArray[np.bool_]

_LOWEST_PLAIN, _HIGHEST_PLAIN = 1e-4, 1e6
_SCALES = (0, 2, 4, 5, 6, 8)
"""Decimal places that are tried in turn until a column fits."""
_EXACT = 10**15
"""Below it an integer over a power of ten is the shortest text of its double: 15 digits always round-trip."""
_BLOCK = 4096  # rows
_SLOW_BYTES = 24
"""The longest text of a double, `-2.2250738585072014e-308`."""


def go_g(number: float) -> str:
    """What Go's `FormatFloat(number, 'g', -1, 64)` writes."""
    if number == 0:
        return "0"
    if _LOWEST_PLAIN <= abs(number) < _HIGHEST_PLAIN:
        return repr(float(number)).removesuffix(".0")
    return np.format_float_scientific(number, unique=True, trim="-", exp_digits=2)


def rows_json(batch: Batch) -> bytes:
    """The bars as the vendor's JSON objects with commas between, in the order of the batch."""
    if not len(batch):
        return b""
    columns: list[Words] = []
    numbers = [("o", batch.open), ("c", batch.close), ("h", batch.high), ("l", batch.low)]
    if not np.isnan(batch.volume).all():
        numbers = [("v", batch.volume), ("vw", batch.vwap), *numbers]
    for place, (key, column) in enumerate(numbers):
        columns += _field(f'{"," if place else ",{"}"{key}":', _decimals(column), ~np.isnan(column))
    columns += _field(',"t":', _whole(batch.ts, 4))
    columns += _field(',"n":', _whole(np.maximum(batch.trades, 0), 3), batch.trades != NO_TRADES)
    columns += _literal("}")
    return _lay(columns, len(batch))[1:]


def _lay(columns: Sequence[Words], rows: int) -> bytes:
    """Put the columns side by side and drop the NULs, so many rows at a time that the cache holds them."""
    block = min(_BLOCK, rows)
    page = np.empty((block, len(columns)), np.uint32)
    blocks = []
    for first in range(0, rows, block):
        many = min(block, rows - first)
        for at, column in enumerate(columns):
            page[:many, at] = column[first : first + many] if column.ndim else column
        blocks.append(page[:many].tobytes().translate(None, b"\0"))
    return b"".join(blocks)


def _field(key: str, words: list[Words], present: Mask | None = None) -> list[Words]:
    """A key and its value; both are left out of the rows that are not `present`."""
    both = [*_literal(key), *words]
    return both if present is None or present.all() else [word * present for word in both]


def _literal(text: str) -> list[Words]:
    padded = text.encode().ljust(-(-len(text) // 4) * 4, b"\0")
    return list(np.frombuffer(padded, np.uint32))


# -- tables of four digits ---------------------------------------------------


def _table(texts: list[str]) -> Words:
    return np.frombuffer("".join(texts).encode(), np.uint32)


_FULL = _table([f"{n:04d}" for n in range(10_000)])
_LEADING = _table(["\0\0\0\0", *(str(n).rjust(4, "\0") for n in range(1, 10_000))])
_UNITS = _table([str(n).rjust(4, "\0") for n in range(10_000)])
_TRAILING = _table(["\0\0\0\0", *(f"{n:04d}".rstrip("0").ljust(4, "\0") for n in range(1, 10_000))])
_POINT = np.uint32(np.frombuffer(b".\0\0\0", np.uint32)[0])


def _whole(numbers: Ints, words: int) -> list[Words]:
    """Non-negative integers below 10,000 ** words, without leading zeros."""
    found: list[Words] = []
    above = numbers
    for place in range(words):
        above, low = np.divmod(above, 10_000)
        bare = _UNITS if place == 0 else _LEADING
        found.append(np.where(above == 0, bare[low], _FULL[low]) if above.any() else bare[low])
    return found[::-1]


def _fraction(parts: Ints, scale: int) -> list[Words]:
    """A point and the digits of `parts` / 10 ** scale, without trailing zeros; nothing for zero."""
    if scale == 0:
        return []
    words = -(-scale // 4)
    rest = parts * 10 ** (4 * words - scale)
    found: list[Words] = [np.where(rest == 0, np.uint32(0), _POINT)]
    for place in range(words - 1, -1, -1):
        high, rest = np.divmod(rest, 10_000**place)
        found.append(np.where(rest == 0, _TRAILING[high], _FULL[high]) if place else _TRAILING[high])
    return found


def _decimals(column: Floats) -> list[Words]:
    """Any doubles: the ones with few decimals all at once, the rest one by one."""
    plain = ((column >= _LOWEST_PLAIN) & (column < _HIGHEST_PLAIN)) | (column == 0)
    numbers = column if plain.all() else np.where(plain, column, 0.0)
    for scale in _SCALES:
        ticks = np.rint(numbers * 10.0**scale)
        fits = (ticks / 10.0**scale == numbers) & (ticks < _EXACT)
        if fits.all():
            break
    ticks = np.where(fits, ticks, 0).astype(np.int64)
    units, parts = np.divmod(ticks, 10**scale)
    words = [*_whole(units, 2), *_fraction(parts, scale)]
    quick = fits & plain
    return words if quick.all() else [*(word * quick for word in words), *_one_by_one(column, ~quick)]


def _one_by_one(column: Floats, which: Mask) -> list[Words]:
    texts = np.zeros(len(column), f"S{_SLOW_BYTES}")
    texts[which] = [b"" if math.isnan(number) else go_g(number).encode() for number in column[which].tolist()]
    return list(texts.view(np.uint32).reshape(len(column), -1).T)
