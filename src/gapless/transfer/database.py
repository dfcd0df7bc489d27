"""Database: an export as a plain SQLite store of its own, with its ledger; gapless can go on with it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gapless.errors import UsageError
from gapless.ledger import fold
from gapless.plan import ACTION_KINDS
from gapless.ports import Store
from gapless.transfer.disk import sync_folder, told
from gapless.transfer.export import ExportReceipt
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import SpanSet
from gapless.vocabulary.steps import Checked, Entry, Outcome, Wish, wished
from gapless.vocabulary.timeframe import Base

Open = Callable[[str], Store]
"""Opens the store at a URL, and makes it where there is none."""


def export_database(store: Store, out: Path, wishes: Sequence[Wish], open_: Open) -> ExportReceipt:
    """Write the final base bars of every wish to a new file, with view `market_data` of the timeframes wished for.

    The file has its name only once it is whole; until then it grows in a hidden one beside it, where an export
    that was stopped goes on. `rows` of the receipt are base bars.

    Raises:
        UsageError: a file that is there already.
        StorageError: the file cannot be written.
    """
    if out.exists():
        raise UsageError(f"`{out}` is there already.", hint="Name a new file; nothing is overwritten.")
    unfinished = out.with_name(f".{out.name}.part")
    with told(out):
        target = open_(f"sqlite:///{unfinished}")
        try:
            target.remember(wishes)
            for (instrument, base), spans in wished(wishes).items():
                done = set(target.entries(instrument, base))
                with store.moment():  # what is said of bars is of the moment in which they are read
                    for entry in _covering(store, instrument, base, spans):
                        if entry not in done:
                            bars = entry.outcome is Outcome.BARS
                            batch = store.read(instrument, base, entry.span) if bars else Batch.empty()
                            target.write(Checked(instrument, base, batch, (entry,)))
            _copy_actions(store, target, {wish.instrument.ticker for wish in wishes})
            rows = sum(series.bars for series in target.series())
        finally:
            target.close()
        unfinished.rename(out)
        sync_folder(out.parent)
    return ExportReceipt(str(out), rows, files=1, made=1, kept=0)


def _copy_actions(store: Store, target: Store, tickers: Iterable[str]) -> None:
    """Splits and dividends go along, with when they were read: without them nothing could be adjusted there."""
    for ticker in tickers:
        actions = store.actions(ticker)
        for kind in ACTION_KINDS:
            if (read := store.actions_read(kind, ticker)) is not None:
                stated = [action for action in actions if action.kind == kind]
                target.put_actions(kind, [ticker], stated, read=read)


def _covering(store: Store, instrument: Instrument, base: Base, spans: SpanSet) -> Iterator[Entry]:
    """What the ledger vouches for inside these spans, one entry a piece."""
    coverage = fold(store.entries(instrument, base))
    for span in spans:
        for piece in coverage.within(span):
            if piece.entry.outcome.covers:
                yield replace(piece.entry, span=piece.span)
