"""Export: pieces of bars to a folder of files, year by year; one that was stopped goes on where it was."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gapless.frames import Piece, Read, SymbolBars
from gapless.ledger import fold
from gapless.transfer.desk import Desk
from gapless.transfer.disk import digest_of, put, told
from gapless.transfer.formats import Format, format_named
from gapless.transfer.manifest import Head, Part, Proof, Record
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Entry, Gap, Outcome
from gapless.vocabulary.timeframe import DAY, Timeframe

Ledger = Callable[[Piece], Sequence[Entry]]
"""Every ledger entry of the base series that a piece is made from, in the order of writing."""

_LONGEST_WINDOW = 32 * DAY
"""A derived bar is made of base bars that start up to so long after it."""


@dataclass(frozen=True, slots=True)
class ExportReceipt:
    """What was written where: `rows` in `files`, of which some were `made` now and the others `kept`.

    `gaps` are what is missing of what was asked for.
    """

    path: str
    rows: int
    files: int
    made: int
    kept: int
    gaps: tuple[Gap, ...] = ()


def export(
    out: Path,
    fmt: str,
    pieces: Sequence[Piece],
    read: Read,
    *,
    ledger: Ledger,
    raw: bool,
    about: Mapping[str, str],
    basis: Mapping[str, str] | None = None,
) -> ExportReceipt:
    """Write pieces to the folder `out` in Hive's layout, `parquet`, `csv` or `arrow`, with a manifest.

    One symbol and year is in memory at a time. A file that the folder has already, made from the same entries of
    the ledger, is kept; so an export that was stopped goes on, and one into the same folder adds to it.
    `raw` says that bars are as they are stored, neither adjusted, nor of some sessions, nor of an earlier moment:
    then those of a base can be imported again. `about` says in words what was made of them; a folder holds
    one kind only. `basis` has a text for a symbol that changes with whatever else its bars are made from,
    such as its splits.

    Raises:
        UsageError: an unknown format, a missing library, or a folder that holds something else.
        StorageError: the folder cannot be written.
    """
    form = format_named(fmt)
    head = Head(form.name, raw, dict(about))
    records: list[Record] = []
    made = 0
    with told(out), Desk(out, head) as desk:
        for piece, spans in _by_series(pieces):
            maker = _Maker(piece, read, ledger, form, desk, (basis or {}).get(piece.symbol, ""))
            for year, wanted in _by_year(spans & maker.spoken):
                was = desk.records.get(Part(piece.symbol, piece.timeframe, year).path(form.name))
                if record := maker.kept_or_made(year, wanted, was):
                    records.append(record)
                    made += record is not was
        desk.finish()
    rows = sum(record.rows for record in records)
    return ExportReceipt(str(out), rows, len(records), made, len(records) - made)


@dataclass(slots=True)
class _Maker:
    """Makes the files of one symbol and timeframe."""

    series: Piece
    read: Read
    ledger: Ledger
    form: Format
    desk: Desk
    basis: str

    @property
    def spoken(self) -> SpanSet:
        """The hull of what the ledger speaks of: outside it there are no bars."""
        entries = self.ledger(self.series)
        if not entries:
            return SpanSet()
        first, last = min(e.span.start for e in entries), max(e.span.end for e in entries)
        return SpanSet([Span(first - self._reach, last)])

    def kept_or_made(self, year: int, wanted: SpanSet, was: Record | None) -> Record | None:
        """The record of one file, None where there is nothing to write; `was` is the one before, perhaps."""
        part = Part(self.series.symbol, self.series.timeframe, year)
        path = part.path(self.form.name)
        if was:
            wanted = wanted | SpanSet(Span(start, end) for start, end in was.spans)
        entries = self._touching(wanted)
        if (
            was
            and was.state == self._state(wanted, entries)
            and was.sha256 == digest_of(self.desk.out / path)
        ):
            return was
        bars, entries = self._settled(wanted, entries)
        proofs = self._proofs(wanted, entries)
        if not (len(bars.batch) or proofs or was):
            return None
        digest, size = put(self.desk.out / path, lambda file: self.form.write(file, bars.batch, bars.final))
        ts = bars.batch.ts
        record = Record(
            symbol=part.symbol,
            timeframe=part.timeframe,
            year=year,
            rows=len(ts),
            first=int(ts[0]) if len(ts) else None,
            last=int(ts[-1]) if len(ts) else None,
            bytes=size,
            sha256=digest,
            state=self._state(wanted, entries),
            spans=tuple((span.start, span.end) for span in wanted),
            proofs=proofs,
        )
        self.desk.note(path, record)
        return record

    @property
    def _reach(self) -> int:
        return _LONGEST_WINDOW if Timeframe.parse(self.series.timeframe).derived else 0

    def _touching(self, wanted: SpanSet) -> list[Entry]:
        grown = [Span(span.start, span.end + self._reach) for span in wanted]
        return [e for e in self.ledger(self.series) if any(e.span.overlaps(span) for span in grown)]

    def _settled(self, wanted: SpanSet, entries: list[Entry]) -> tuple[SymbolBars, list[Entry]]:
        """The bars, and the entries that speak for them: nobody wrote in between."""
        while True:
            bars = self._read(wanted)
            again = self._touching(wanted)
            if again == entries:
                return bars, entries
            entries = again

    def _read(self, wanted: SpanSet) -> SymbolBars:
        symbol, timeframe = self.series.symbol, self.series.timeframe
        parts = [self.read(Piece(symbol, timeframe, span)) for span in wanted]
        final = np.concatenate([part.final for part in parts])
        return SymbolBars(symbol, Batch.concat(part.batch for part in parts), final)

    def _proofs(self, wanted: SpanSet, entries: Iterable[Entry]) -> tuple[Proof, ...]:
        """What the ledger covers, by outcome; a view of the bars proves nothing of the base."""
        if not self.desk.head.raw or self._reach:
            return ()
        coverage = fold(entries)
        proofs = (
            Proof(span.start, span.end, outcome)
            for outcome in Outcome
            if outcome.covers
            for span in coverage.where(outcome) & wanted
        )
        return tuple(sorted(proofs, key=lambda proof: proof.start))

    def _state(self, wanted: SpanSet, entries: Iterable[Entry]) -> str:
        """Bars change only together with an entry, so this changes whenever they do."""
        told = "\n".join([repr(self.desk.head), self.basis, repr(wanted), *map(repr, entries)])
        return hashlib.sha256(told.encode()).hexdigest()


def _by_series(pieces: Iterable[Piece]) -> Iterator[tuple[Piece, SpanSet]]:
    """The pieces of one symbol and timeframe together: their hull, and where they are."""
    spans: dict[tuple[str, str], list[Span]] = {}
    for piece in pieces:
        spans.setdefault((piece.symbol, piece.timeframe), []).append(piece.span)
    for (symbol, timeframe), found in spans.items():
        hull = Span(min(span.start for span in found), max(span.end for span in found))
        yield Piece(symbol, timeframe, hull), SpanSet(found)


def _by_year(spans: SpanSet) -> Iterator[tuple[int, SpanSet]]:
    """Cut at every New Year (UTC): no trading day begins on the other side of it."""
    if not (all_spans := list(spans)):
        return
    for year in range(_year(all_spans[0].start), _year(all_spans[-1].end - 1) + 1):
        if inside := spans.clip(Span(_new_year(year), _new_year(year + 1))):
            yield year, inside


def _year(instant: int) -> int:
    return datetime.fromtimestamp(instant / 1000, UTC).year


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000
