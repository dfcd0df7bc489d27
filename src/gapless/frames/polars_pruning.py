"""Which pieces a Polars predicate can find a row in, read off the predicate itself. Needs Polars.

A piece has one symbol and one timeframe, and its bars start inside its span. So what a predicate says about
those three is decided without reading; whatever else it says is taken to be possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from gapless.frames.bars import Piece

_TS = pl.col("ts")
_SIDES: Final = ("both", "left", "right", "none")


def kept(pieces: Sequence[Piece], predicate: pl.Expr) -> list[Piece]:
    """The pieces that may hold a row of which `predicate` is true, in their order."""
    possible = _Pieces.of(pieces).possible(predicate)
    return [piece for piece, may in zip(pieces, possible, strict=True) if may]


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The pieces as rows `symbol`, `timeframe`, `ts`: with the first and with the last instant of each."""

    first: pl.DataFrame
    last: pl.DataFrame

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> "_Pieces":
        def at(instants: list[int]) -> pl.DataFrame:
            words = {
                "symbol": pl.Series([piece.symbol for piece in pieces], dtype=pl.Categorical),
                "timeframe": pl.Series([piece.timeframe for piece in pieces], dtype=pl.Categorical),
            }
            return pl.DataFrame(
                {**words, "ts": pl.Series(instants, dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))}
            )

        return cls(at([piece.span.start for piece in pieces]), at([piece.span.end - 1 for piece in pieces]))

    def possible(self, told: pl.Expr) -> pl.Series:
        """For each piece, whether `told` may be true of one of its rows."""
        if set(told.meta.root_names()) <= {"symbol", "timeframe"}:
            return _mask(self.first, told)
        match told.meta.pop()[::-1]:
            case [left, right] if (left & right).meta.eq(told):
                return self.possible(left) & self.possible(right)
            case [left, right] if (left | right).meta.eq(told):
                return self.possible(left) | self.possible(right)
            case [left, right]:
                return self._compared(told, left, right)
            case [ts, low, high] if _among(told, [ts.is_between(low, high, side) for side in _SIDES]):
                return self._compared(ts >= low, ts, low) & self._compared(ts <= high, ts, high)
        return self._any()

    def _compared(self, told: pl.Expr, left: pl.Expr, right: pl.Expr) -> pl.Series:
        """`ts` beside something that is the same in every row: the first or the last instant decides."""
        below, above = [left < right, left <= right], [left > right, left >= right]
        if right.meta.eq(_TS) and not left.meta.root_names():
            below, above = above, below
        elif not left.meta.eq(_TS) or right.meta.root_names():
            return self._any()
        if _among(told, below):
            return _mask(self.first, told)
        if _among(told, above):
            return _mask(self.last, told)
        if (left == right).meta.eq(told):
            return _mask(self.first, below[1]) & _mask(self.last, above[1])
        return self._any()

    def _any(self) -> pl.Series:
        return _mask(self.first, pl.lit(value=True))


def _mask(pieces: pl.DataFrame, told: pl.Expr) -> pl.Series:
    return pieces.with_columns(may=told)["may"]


def _among(told: pl.Expr, forms: list[pl.Expr]) -> bool:
    return any(form.meta.eq(told) for form in forms)
