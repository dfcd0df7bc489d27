"""A small market for the tests of transfers: stores filled by hand, and a slow reader of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gapless.frames import Piece, Read, SymbolBars
from gapless.ports import Store
from gapless.resample import derive
from gapless.stores import open_store
from gapless.transfer import ExportReceipt, export
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Entry, Outcome
from gapless.vocabulary.timeframe import MINUTE, Base, Timeframe

KINDS = ("packed", "plain")
NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
NAN = float("nan")


def at(text: str) -> int:
    """An instant as Unix ms, from ISO text in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def new_store(folder: Path, kind: str = "packed", name: str = "store") -> Store:
    """An empty store, or the one that is there."""
    url = f"{folder}/{name}.gapless" if kind == "packed" else f"sqlite:///{folder}/{name}.db"
    return opened(url)


def opened(url: str) -> Store:
    """The store at a URL, with the derivation of the product."""
    return open_store(url, derive=derive)


def batch_at(starts: Sequence[int], *, first: float = 100.0) -> Batch:
    """Bars that start at these instants; every third has no vwap and no number of trades."""
    count = len(starts)
    step = np.arange(count) % 17 / 100
    middle = first + step
    thin = np.arange(count) % 3 == 2
    volume: Floats = np.arange(count, dtype=np.float64) + 1000.5
    vwap: Floats = middle + 0.1 / 3
    vwap[thin] = NAN
    return Batch(
        np.array(starts, np.int64),
        middle,
        middle + 0.031,
        middle - 0.029,
        middle + 0.011,
        volume,
        vwap,
        np.where(thin, NO_TRADES, 7 + np.arange(count)),
    )


def minutes(start: str, count: int, step: int = 1) -> list[int]:
    """So many minutes, every `step`-th, from an instant on."""
    first = at(start)
    return [first + i * step * MINUTE for i in range(count)]


def fill(
    store: Store,
    symbol: str,
    starts: Sequence[int],
    span: Span | None = None,
    *,
    base: Base = Base.MINUTE,
    outcome: Outcome = Outcome.BARS,
    batch: Batch | None = None,
    recorded: int = 1_000,
) -> None:
    """Write bars that are the whole truth of a span (theirs, if none is given)."""
    instrument = Instrument.parse(symbol)
    batch = batch_at(starts) if batch is None else batch
    span = span or Span(starts[0], starts[-1] + MINUTE)
    entry = Entry(instrument, base, span, outcome, recorded=recorded, rows=len(batch), url="https://vendor/x")
    store.write(Checked(instrument, base, batch, (entry,)))


def reader(store: Store) -> Read:
    """Reads pieces of a store; a base bar is final where some entry that covers its start says so."""

    def read(piece: Piece) -> SymbolBars:
        instrument, frame = Instrument.parse(piece.symbol), Timeframe.parse(piece.timeframe)
        batch = store.read(instrument, frame.base, piece.span)
        if frame.derived:
            batch = derive(batch, frame, instrument.asset_class)
        covering = [e.span for e in store.entries(instrument, frame.base) if e.outcome.covers]
        final = [any(ts in span for span in covering) for ts in batch.ts.tolist()]
        return SymbolBars(piece.symbol, batch, np.array(final, np.bool_))

    return read


def ledger(store: Store) -> Callable[[Piece], list[Entry]]:
    """The entries behind a piece."""
    return lambda piece: store.entries(Instrument.parse(piece.symbol), Timeframe.parse(piece.timeframe).base)


def pieces_of(store: Store, span: Span | None = None) -> list[Piece]:
    """All base series of a store, over a long time."""
    span = span or Span(at("2000-01-01"), at("2040-01-01"))
    return [Piece(series.instrument.ticker, series.base, span) for series in store.series()]


def export_all(store: Store, out: Path, fmt: str = "csv", read: Read | None = None) -> ExportReceipt:
    """Everything in a store, raw."""
    return export(out, fmt, pieces_of(store), read or reader(store), ledger=ledger(store), raw=True, about={})


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but its manifest, by its path inside."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.parent != folder
    }
