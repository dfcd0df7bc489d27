"""Bars on their way out: any timeframe, read from the store and derived, final or marked."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isnan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapless.errors import StorageError, UsageError
from gapless.ledger import fold
from gapless.ports import Store
from gapless.resample import aligned, derive, window_ends
from gapless.stores import open_store
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Entry, Wish
from gapless.vocabulary.timeframe import DAY, MINUTE, Timeframe

_CHUNK = 366 * DAY
"""Bars are exported a year at a time, so that memory stays bounded whatever the history."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one symbol and timeframe; `final[i]` tells whether row i can no longer change."""

    symbol: str
    timeframe: str
    batch: Batch
    final: NDArray[np.bool_]


def read_bars(store: Store, wish: Wish, *, provisional: bool) -> Bars:
    """The bars of a wish that start inside its span; those that can still change only on request.

    A derived bar is final when every instant of its window is covered.
    """
    instrument, frame = wish.instrument, wish.timeframe
    base_span = aligned(wish.span, frame, instrument.asset_class) if frame.derived else wish.span
    base = store.read(instrument, frame.base, base_span)
    batch = derive(base, frame, instrument.asset_class) if frame.derived else base
    batch = batch.between(wish.span)
    final = _final(store, wish, batch)
    if not provisional:
        batch, final = batch.take(final), final[final]
    return Bars(instrument.ticker, frame.name, batch, final)


def _final(store: Store, wish: Wish, batch: Batch) -> NDArray[np.bool_]:
    covered = list(fold(store.entries(wish.instrument, wish.timeframe.base)).covered)
    if not covered or not len(batch):
        return np.zeros(len(batch), np.bool_)
    starts = np.array([span.start for span in covered], np.int64)
    ends = np.array([span.end for span in covered], np.int64)
    index = np.searchsorted(starts, batch.ts, side="right") - 1
    last = batch.ts + MINUTE
    if wish.timeframe.derived:
        # A week or month is final with the last day in it, whose own stamp is what coverage speaks of.
        ends_of = window_ends(batch.ts, wish.timeframe, wish.instrument.asset_class)
        last = ends_of - (DAY - MINUTE if wish.timeframe.minutes is None else 0)
    result: NDArray[np.bool_] = (index >= 0) & (ends[index] >= last)
    return result


# -- export ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExportReceipt:
    """What was written where."""

    path: str
    rows: int
    series: int


def export(store: Store, out: Path, fmt: str, wishes: Sequence[Wish]) -> ExportReceipt:
    """Write the final bars of every wish to a new file, `csv` or `sqlite` (table `market_data`).

    Raises:
        UsageError: another format, or a file that is there already.
        StorageError: the file cannot be written.
    """
    writers = {"csv": _export_csv, "sqlite": _export_sqlite}
    if fmt not in writers:
        raise UsageError(f"`{fmt}` is not a format to export to.", hint=f"Use one of: {', '.join(writers)}.")
    if out.exists():
        raise UsageError(f"{out} is there already.", hint="Name a new file; nothing is overwritten.")
    try:
        rows = writers[fmt](store, out, wishes)
    except OSError as error:
        raise StorageError(
            f"{out} cannot be written: {error.strerror}.", hint="Name a folder that exists."
        ) from error
    return ExportReceipt(str(out), rows, len(wishes))


def _export_csv(store: Store, out: Path, wishes: Sequence[Wish]) -> int:
    rows = 0
    with out.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["symbol", "timeframe", "time", *Batch.empty().columns])
        for wish in wishes:
            for bars in _in_chunks(store, wish):
                writer.writerows([bars.symbol, bars.timeframe, *row] for row in csv_rows(bars.batch))
                rows += len(bars.batch)
    return rows


def csv_rows(batch: Batch) -> Iterator[list[object]]:
    """Each bar as a row: its time as ISO text in UTC, then its columns; what is missing is empty."""
    columns = [column.tolist() for column in batch.columns.values()]
    for ts, *numbers, trades in zip(*columns, strict=True):
        time = datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        shown = ("" if isnan(number) else number for number in numbers)
        yield [time, ts, *shown, "" if trades == NO_TRADES else trades]


def _export_sqlite(store: Store, out: Path, wishes: Sequence[Wish]) -> int:
    """Through the plain store, so that an export is a store of its own that gapless can go on with."""
    target = open_store(f"sqlite:///{out}", derive=derive)
    try:
        target.remember(wishes)
        for instrument, frame in dict.fromkeys((wish.instrument, wish.timeframe.base) for wish in wishes):
            spans = [w.span for w in wishes if (w.instrument, w.timeframe.base) == (instrument, frame)]
            hull = Span(min(span.start for span in spans), max(span.end for span in spans))
            for entry in _final_entries(store, Wish(instrument, Timeframe.parse(frame), hull)):
                batch = store.read(instrument, frame, entry.span)
                target.write(Checked(instrument, frame, batch, (entry,)))
        return sum(len(read_bars(target, wish, provisional=False).batch) for wish in wishes)
    finally:
        target.close()


def _final_entries(store: Store, wish: Wish) -> Iterator[Entry]:
    for piece in fold(store.entries(wish.instrument, wish.timeframe.base)).within(wish.span):
        if piece.entry.outcome.covers:
            yield replace(piece.entry, span=piece.span)


def _in_chunks(store: Store, wish: Wish) -> Iterator[Bars]:
    start = wish.span.start
    while start < wish.span.end:
        end = min(start + _CHUNK, wish.span.end)
        yield read_bars(store, Wish(wish.instrument, wish.timeframe, Span(start, end)), provisional=False)
        start = end


def stored_span(store: Store, instrument: Instrument, timeframe: Timeframe) -> Span | None:
    """The whole windows of a timeframe that hold any stored bar, None where there is none."""
    for series in store.series():
        if (series.instrument, series.base) == (instrument, timeframe.base) and series.first is not None:
            stored = Span(series.first, (series.last or series.first) + 1)
            return aligned(stored, timeframe, instrument.asset_class)
    return None
