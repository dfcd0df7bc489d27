"""What a reader holds: the bars of some symbols in one timeframe, ready for the libraries that go on from here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gapless.frames.extras import extra
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Gap

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_NAMED = 3
"""So many symbols are named in a `repr`, the others counted."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that can be read at once: the bars of one symbol and timeframe that start inside `span`."""

    symbol: str
    timeframe: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class SymbolBars:
    """Bars of one symbol; `final[i]` tells whether bar i can no longer change."""

    symbol: str
    batch: Batch
    final: NDArray[np.bool_]

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The batch's columns, then `final`; nothing is copied."""
        return {**self.batch.columns, "final": self.final}


Read = Callable[[Piece], SymbolBars]
"""Reads one piece."""


@dataclass(frozen=True, eq=False, repr=False)
class Bars:
    """The bars of one or several symbols in one timeframe, and what is missing among them.

    Every frame has the columns `ts` (start of the bar, UTC), `open`, `high`, `low`, `close`, `volume`, `vwap`,
    `trades` and `final` (whether the bar can no longer change), symbols in the order of `parts`, each by time.
    Where several symbols were asked for (`many`), a column `symbol` comes first. Every bar that starts before
    `final_until` (Unix ms) is final; None where that is not known.

    It speaks the Arrow PyCapsule protocol: `duckdb.sql("from b")`, `polars.DataFrame(b)`, `pyarrow.table(b)`.
    """

    timeframe: str
    parts: tuple[SymbolBars, ...]
    many: bool = False
    gaps: tuple[Gap, ...] = ()
    final_until: int | None = None

    def __len__(self) -> int:
        return sum(len(part.batch) for part in self.parts)

    def __repr__(self) -> str:
        names = ", ".join(self.symbols[:_NAMED])
        others = f" and {more} more" if (more := len(self.symbols) - _NAMED) > 0 else ""
        told = [f"<Bars {names}{others}".rstrip(), f"{self.timeframe}: {len(self):,} bars{self._reach()}"]
        return f"{' '.join(told)}, {len(self.gaps)} gap{'' if len(self.gaps) == 1 else 's'}>"

    def _reach(self) -> str:
        held = [part.batch.ts for part in self.parts if len(part.batch)]
        if not held:
            return ""
        ends = min(int(ts[0]) for ts in held), max(int(ts[-1]) for ts in held)
        return " from {:%Y-%m-%d %H:%M} to {:%Y-%m-%d %H:%M} UTC".format(
            *(datetime.fromtimestamp(end / 1000, UTC) for end in ends)
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in their order, those without bars too."""
        return tuple(part.symbol for part in self.parts)

    @cached_property
    def _joined(self) -> SymbolBars:
        if len(self.parts) == 1:
            return self.parts[0]
        final = [np.empty(0, np.bool_), *(part.final for part in self.parts)]
        return SymbolBars("", Batch.concat(part.batch for part in self.parts), np.concatenate(final))

    def numpy(self) -> dict[str, NDArray[Any]]:
        """The columns as arrays that cannot be written to; with one symbol nothing is copied.

        `ts` is `datetime64[ms]` in UTC (NumPy has no time zones). Missing is NaN, and -1 in `trades`.
        """
        columns = self._joined.columns
        columns["ts"] = columns["ts"].view("datetime64[ms]")
        if self.many:
            lengths = [len(part.batch) for part in self.parts]
            columns = {"symbol": np.repeat(np.array(self.symbols, np.str_), lengths), **columns}
        return {name: _read_only(column) for name, column in columns.items()}

    def arrow(self) -> "pa.Table":
        """An Arrow table that shares its numbers with these bars; missing is null, `symbol` is a dictionary.

        Raises:
            UsageError: pyarrow is not installed.
        """
        with extra("arrow", "pyarrow"):
            from gapless.frames.in_arrow import table  # noqa: PLC0415 - pyarrow is an extra
        return table(self.parts, many=self.many)

    def polars(self) -> "pl.DataFrame":
        """A Polars frame; missing is null, `symbol` is categorical.

        Raises:
            UsageError: Polars is not installed.
        """
        with extra("polars", "polars"):
            from gapless.frames.in_polars import frame  # noqa: PLC0415 - Polars is an extra
        return frame(self.parts, many=self.many)

    def pandas(self) -> "pd.DataFrame":
        """A pandas frame whose index is `ts` (`DatetimeIndex`, UTC); for many symbols `(symbol, ts)`.

        Every number is float64 and missing is NaN, in `trades` as well: so the frame's dtypes never depend on
        the data, and NumPy, Numba and charts take its columns as they are.

        Raises:
            UsageError: pandas is not installed.
        """
        with extra("pandas", "pandas"):
            from gapless.frames.in_pandas import frame  # noqa: PLC0415 - pandas is an extra
        return frame(self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.arrow().__arrow_c_stream__(requested_schema)


def _read_only(column: NDArray[Any]) -> NDArray[Any]:
    view = column.view()
    view.flags.writeable = False
    return view
