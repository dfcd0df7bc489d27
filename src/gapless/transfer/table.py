"""Table: a CSV or Parquet file of one's own into a store; it proves its bars, and nothing between them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from gapless.errors import UsageError
from gapless.ports import Store
from gapless.transfer.disk import digest_of, told
from gapless.transfer.intake import Claim, Delivery, ImportReceipt, Intake, unclaimed
from gapless.transfer.layout import Layout
from gapless.transfer.soundness import cells, first_fault
from gapless.transfer.sources import Chunk, chunks
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats, Ints
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import Base

Settled = Callable[[Instrument, Base], int]
"""Bars of a series that start before this instant (Unix ms) can be final by now."""

_EXACT = 2.0**53
"""Below it every whole number is a double of its own."""
_FLOATS = ("open", "high", "low", "close", "volume", "vwap")


def import_table(
    store: Store,
    path: Path,
    layout: Layout,
    *,
    now: int,
    settled: Settled,
    run_id: str = "",
    replace: bool = False,
    claim: Claim = unclaimed,
) -> ImportReceipt:
    """Take the bars of a file into `store`, as raw bars of `layout.base`, with the file as their source.

    All rows are checked before any is written: in order for each symbol, on the minute or day grid, numbers that
    bars can have, and over by `now` (Unix ms). Those that are not `settled` come in as provisional. What has no
    row stays unknown: a backfill asks for it. The same import again changes no bar. With `replace`, final bars of
    the store that differ become earlier versions.

    Raises:
        UsageError: a row that cannot be (it is named), or bars that differ while `replace` is not given.
        StorageError: the file cannot be read, or the store not written.
    """
    with told(path):
        digest = digest_of(path)
        if not digest:
            raise UsageError(f"There is no file `{path}`.", hint="Name a CSV or Parquet file.")
        intake = Intake(store, now, claim, run_id)
        found = intake.conflicts(_Table(path, layout, now, settled, digest).deliveries())
        if not replace:
            found.refuse()
        for delivery in _Table(path, layout, now, settled, digest).deliveries():
            intake.take(delivery)
        if not intake.rows:
            raise UsageError(f"`{path}` has no rows.", hint="Name a file with bars in it.")
        return intake.receipt(str(path))


@dataclass(slots=True)
class _Table:
    """One walk through the file; `last` is the latest start of each symbol so far."""

    path: Path
    layout: Layout
    now: int
    settled: Settled
    digest: str
    last: dict[Instrument, int] = field(default_factory=dict)

    def deliveries(self) -> Iterator[Delivery]:
        """The bars by chunk and symbol, checked."""
        for chunk in chunks(self.path, lambda header: self.layout.places(header, self.path.name)):
            open_, high, low, close, volume, vwap = (self._numbers(chunk, name) for name in _FLOATS)
            trades = self._trades(chunk)
            for instrument, rows in self._instruments(chunk).items():
                starts = np.zeros(len(trades), np.int64)
                starts[rows] = self._starts(chunk, rows, instrument)
                batch = Batch(starts, open_, high, low, close, volume, vwap, trades).take(rows)
                self._check(chunk, rows, instrument, batch)
                yield self._delivery(instrument, batch)

    def _delivery(self, instrument: Instrument, batch: Batch) -> Delivery:
        base = self.layout.base
        final = batch.ts[batch.ts < self.settled(instrument, base)]
        proofs = {Outcome.BARS: cells(final, base, instrument.asset_class)}
        return Delivery(instrument, base, batch, proofs, self.path.name, self.digest)

    def _instruments(self, chunk: Chunk) -> dict[Instrument, NDArray[np.int64]]:
        """The rows of each instrument."""
        count = len(chunk.rows)
        if self.layout.symbol:
            return {Instrument.parse(self.layout.symbol): np.arange(count)}
        known: dict[object, Instrument] = {}
        rows: dict[Instrument, list[int]] = {}
        for row, symbol in enumerate(chunk.cells["symbol"]):
            if symbol not in known:
                known[symbol] = self._instrument(chunk, row, symbol)
            rows.setdefault(known[symbol], []).append(row)
        return {instrument: np.array(mine, np.int64) for instrument, mine in rows.items()}

    def _instrument(self, chunk: Chunk, row: int, symbol: object) -> Instrument:
        try:
            return Instrument.parse(str(symbol or ""))
        except UsageError as error:
            self._refuse(chunk, row, "symbol", error.message)

    def _starts(self, chunk: Chunk, rows: NDArray[np.int64], instrument: Instrument) -> Ints:
        read, stamps = self.layout.reader(instrument.asset_class), chunk.cells["ts"]
        starts = []
        for row in rows.tolist():
            try:
                starts.append(read(stamps[row]))
            except ValueError as error:
                self._refuse(chunk, row, "ts", f"`{stamps[row]}` {error}")
        return np.array(starts, np.int64)

    def _check(self, chunk: Chunk, rows: NDArray[np.int64], instrument: Instrument, batch: Batch) -> None:
        if fault := first_fault(batch, self.layout.base, instrument.asset_class):
            row = int(rows[fault.row])
            shown = f"`{chunk.cells[fault.column][row]}`: " if fault.column in chunk.cells else ""
            self._refuse(chunk, row, fault.column, shown + fault.what)
        if self.last.get(instrument, batch.ts[0] - 1) >= batch.ts[0]:
            self._refuse(chunk, int(rows[0]), "ts", "it is not after the one before")
        if (late := batch.ts + self.layout.base.step > self.now).any():
            self._refuse(chunk, int(rows[late.argmax()]), "ts", "the bar is not over yet")
        self.last[instrument] = int(batch.ts[-1])

    def _numbers(self, chunk: Chunk, name: str) -> Floats:
        """A column as numbers, NaN where a cell is empty or there is no such column."""
        values: Sequence[Any] = chunk.cells.get(name, ())
        if not len(values):
            return np.full(len(chunk.rows), np.nan)
        try:
            return np.array([np.nan if x is None or x == "" else float(x) for x in values], np.float64)
        except (ValueError, TypeError):
            row = next(i for i, x in enumerate(values) if not _is_number(x))
            self._refuse(chunk, row, name, f"`{values[row]}` is not a number")

    def _trades(self, chunk: Chunk) -> Ints:
        numbers = self._numbers(chunk, "trades")
        known = ~np.isnan(numbers)
        bad = known & ((numbers != np.floor(numbers)) | (numbers < 0) | (numbers >= _EXACT))
        if bad.any():
            self._refuse(chunk, int(bad.argmax()), "trades", "it is not a count")
        return np.where(known, numbers, NO_TRADES).astype(np.int64)

    def _refuse(self, chunk: Chunk, row: int, name: str, what: str) -> NoReturn:
        column = self.layout.columns.get(name, name)
        raise UsageError(
            f"`{self.path.name}`, {chunk.place(row)}, column `{column}`: {what}; nothing was imported.",
            hint="Mend the file, or say with `--columns`, `--time`, `--zone` and `--stamp` how it is meant.",
        )


def _is_number(cell: object) -> bool:
    try:
        return cell is None or cell == "" or float(str(cell)) is not None
    except ValueError:
        return False
