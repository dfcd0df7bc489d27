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
from gapless.ports import Calendar, Store
from gapless.resample import aligned, derive, window_ends
from gapless.stores import open_store
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span, SpanSet
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


def read_bars(store: Store, calendar: Calendar, wish: Wish, *, provisional: bool) -> Bars:
    """The bars of a wish that start inside its span; those that can still change only on request.

    A bar is final when every instant of its window at which the market was open is covered.
    """
    instrument, frame = wish.instrument, wish.timeframe
    windows = aligned(wish.span, frame, instrument.asset_class)
    base = store.read(instrument, frame.base, windows if frame.derived else wish.span)
    batch = derive(base, frame, instrument.asset_class) if frame.derived else base
    batch = batch.between(wish.span)
    final = _final(batch, frame, instrument.asset_class, _uncovered(store, calendar, wish, windows))
    if not provisional:
        batch, final = batch.take(final), final[final]
    return Bars(instrument.ticker, frame.name, batch, final)


def _uncovered(store: Store, calendar: Calendar, wish: Wish, span: Span) -> SpanSet:
    """Where the market was open, or may have been, and the ledger cannot vouch for the bars."""
    base = wish.timeframe.base
    covered = fold(store.entries(wish.instrument, base)).covered
    unknown = SpanSet([span]) - SpanSet([calendar.known(wish.instrument)])
    return (calendar.sessions(wish.instrument, span).trading(base) | unknown) - covered


def _final(batch: Batch, frame: Timeframe, asset_class: AssetClass, uncovered: SpanSet) -> NDArray[np.bool_]:
    starts = np.array([span.start for span in uncovered], np.int64)
    ends = np.array([span.end for span in uncovered], np.int64)
    last = window_ends(batch.ts, frame, asset_class) if frame.derived else batch.ts + MINUTE
    # The first uncovered stretch that ends after a window began: does it begin before the window ends?
    following = np.searchsorted(ends, batch.ts, side="right")
    begins = np.append(starts, np.iinfo(np.int64).max)[following]
    result: NDArray[np.bool_] = begins >= last
    return result


# -- export ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExportReceipt:
    """What was written where."""

    path: str
    rows: int
    series: int


def export(store: Store, calendar: Calendar, out: Path, fmt: str, wishes: Sequence[Wish]) -> ExportReceipt:
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
        rows = writers[fmt](store, calendar, out, wishes)
    except OSError as error:
        raise StorageError(
            f"{out} cannot be written: {error.strerror}.", hint="Name a folder that exists."
        ) from error
    return ExportReceipt(str(out), rows, len(wishes))


def _export_csv(store: Store, calendar: Calendar, out: Path, wishes: Sequence[Wish]) -> int:
    rows = 0
    with out.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["symbol", "timeframe", "time", *Batch.empty().columns])
        for wish in wishes:
            for bars in _in_chunks(store, calendar, wish):
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


def _export_sqlite(store: Store, calendar: Calendar, out: Path, wishes: Sequence[Wish]) -> int:
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
        return sum(len(read_bars(target, calendar, wish, provisional=True).batch) for wish in wishes)
    finally:
        target.close()


def _final_entries(store: Store, wish: Wish) -> Iterator[Entry]:
    for piece in fold(store.entries(wish.instrument, wish.timeframe.base)).within(wish.span):
        if piece.entry.outcome.covers:
            yield replace(piece.entry, span=piece.span)


def _in_chunks(store: Store, calendar: Calendar, wish: Wish) -> Iterator[Bars]:
    for piece in wish.span.pieces(_CHUNK):
        yield read_bars(store, calendar, replace(wish, span=piece), provisional=False)


def stored_span(store: Store, instrument: Instrument, timeframe: Timeframe) -> Span | None:
    """The whole windows of a timeframe that hold any stored bar, None where there is none."""
    for series in store.series():
        if (series.instrument, series.base) == (instrument, timeframe.base) and series.first is not None:
            stored = Span(series.first, (series.last or series.first) + 1)
            return aligned(stored, timeframe, instrument.asset_class)
    return None
