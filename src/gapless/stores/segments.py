"""Segments: the immutable pieces that a packed series is a log of, each with its checksum."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    Row,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from xxhash import xxh3_128

from gapless.errors import NewerStore
from gapless.stores import codec
from gapless.stores.database import driver
from gapless.stores.records import Listed
from gapless.stores.schema import Whole, beside_shared
from gapless.vocabulary.batch import Batch, Ints
from gapless.vocabulary.span import EVER, Span

TABLES = beside_shared()

SEGMENT = Table(
    "segment",
    TABLES,
    Column("id", Whole, primary_key=True),  # of two segments with the same bar the higher one speaks
    Column("series_id", Whole, ForeignKey("series.id"), nullable=False),
    Column("start_ts", Whole, nullable=False),
    Column("end_ts", Whole, nullable=False),
    Column("bars", Whole, nullable=False),
    Column("codec", Whole, nullable=False),
    Column("written", Whole, nullable=False),  # Unix ms
    Column("entry_id", Whole, ForeignKey("ledger.id"), nullable=False),  # the ledger's line that it came with
    Column("checksum", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("segment_span", "series_id", "start_ts", "end_ts"),
)

ASIDE = Table(
    "segment_aside",
    TABLES,
    Column("segment_id", Whole, ForeignKey("segment.id"), primary_key=True),  # damaged, out of service
    Column("since", Whole, nullable=False),  # Unix ms
)

# Built once: composing a statement costs more than running it.
_TOUCHING = and_(
    SEGMENT.c.series_id == bindparam("its_id"),
    SEGMENT.c.start_ts < bindparam("end"),
    SEGMENT.c.end_ts > bindparam("start"),
    SEGMENT.c.id.not_in(select(ASIDE.c.segment_id)),
)
# The one that readers wait for goes to the driver itself. Numbers first, for they come in order by themselves: to
# sort what was found would copy every payload.
_STANDING = (
    "SELECT start_ts, end_ts, bars, codec, written, checksum, payload FROM segment WHERE id IN"
    " (SELECT id FROM segment WHERE series_id = ? AND start_ts < ? AND end_ts > ?) AND written <= ?"
    " AND id NOT IN (SELECT segment_id FROM segment_aside) ORDER BY id"
)
_NUMBERS = select(SEGMENT.c.id, SEGMENT.c.start_ts, SEGMENT.c.end_ts).where(_TOUCHING).order_by(SEGMENT.c.id)
_OUTLINES = (
    select(SEGMENT.c.id, SEGMENT.c.start_ts, SEGMENT.c.end_ts, SEGMENT.c.bars)
    .where(_TOUCHING)
    .order_by(SEGMENT.c.start_ts)
)
_BYTES = select(func.total(func.length(SEGMENT.c.payload))).where(SEGMENT.c.series_id == bindparam("its_id"))
_LOAD = select(SEGMENT).where(SEGMENT.c.id == bindparam("its_id"))
_ADD = insert(SEGMENT)
_AMONG = SEGMENT.c.id.in_(bindparam("ids", expanding=True))
_LATEST_LINE = select(func.max(SEGMENT.c.entry_id)).where(_AMONG)
_REMOVE = delete(SEGMENT).where(_AMONG)

_BLAKE = 1
"""The codec whose segments have a checksum of another kind, which took a fifth of a reader's time."""


class Part(NamedTuple):
    """What one write brought: bars, and the starts of bars that it withdrew; `written` is in Unix ms."""

    bars: Batch
    gone: Ints
    written: int

    @property
    def starts(self) -> "Starts":
        """The starts of both."""
        return self.bars.ts, self.gone


Starts = tuple[Ints, Ints]
"""The starts of bars, and of bars that are withdrawn."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a segment says of itself without being opened."""

    id: int
    span: Span
    bars: int


@dataclass(frozen=True, slots=True)
class Segment:
    """The bars of one series that one write brought, and the starts of those that it withdrew, packed.

    Or those of several writes, merged. Everything in it starts inside `span`. `written`, in Unix ms, is that of the
    first write, and `bars` how many of its bars stand if no other segment speaks of them.
    """

    span: Span
    bars: int
    codec: int
    written: int
    checksum: bytes
    payload: bytes

    @classmethod
    def of(cls, series: str, batch: Batch, gone: Ints, written: int) -> "Segment":
        """Pack these bars of a series; there is at least one bar or withdrawn start."""
        payload = codec.pack(batch, gone)
        return cls._sealed(series, _hull(batch.ts, gone), len(batch), codec.VERSION, written, payload)

    @classmethod
    def merged(cls, series: str, segments: Iterable["Segment"]) -> "Segment":
        """Pack what intact segments of a series hold, in the order of writing, so that nothing of it is lost."""
        bars, parts = unpacked(segments)
        gone = np.concatenate([part.gone for part in parts])
        columns = zip(*((len(part.bars), len(part.gone), part.written) for part in parts), strict=True)
        lines = codec.Lines(*(np.array(column, np.int64) for column in columns))
        payload = codec.pack_merged(lines, bars, gone)
        stand, _ = speaking([part.starts for part in parts])
        return cls._sealed(
            series, _hull(bars.ts, gone), len(stand), codec.MERGED, int(lines.written[0]), payload
        )

    @classmethod
    def _sealed(
        cls, series: str, span: Span, bars: int, layout: int, written: int, payload: bytes
    ) -> "Segment":
        bare = cls(span, bars, layout, written, b"", payload)
        return replace(bare, checksum=bare.digest(series))

    def digest(self, series: str) -> bytes:
        """The checksum of all that matters, so that no payload can stand in another's place."""
        head = f"{series}|{self.span.start}|{self.span.end}|{self.bars}|{self.codec}|{self.written}|"
        sealed = blake2b(digest_size=16) if self.codec == _BLAKE else xxh3_128()
        sealed.update(head.encode())
        sealed.update(self.payload)
        return sealed.digest()

    def intact(self, series: str) -> bool:
        """Whether it is what was written for this series."""
        return self.digest(series) == self.checksum

    @property
    def rows(self) -> int:
        """How many bars are in it, those included that others of it replace.

        Raises:
            NewerStore: a newer gapless packed it.
        """
        payload = self._known()
        return codec.merged_rows(payload) if self.codec == codec.MERGED else self.bars

    def unpack(self, into: Batch) -> list[Part]:
        """What each write brought, its bars in the columns of `into`, which has `rows`; of an intact segment.

        Raises:
            NewerStore: a newer gapless packed it.
        """
        payload = self._known()
        if self.codec != codec.MERGED:
            return [Part(*codec.unpack(payload, into), self.written)]
        lines, payload = codec.unpack_lines(payload)
        bars, gone = codec.unpack(payload, into)
        ends = zip(np.cumsum(lines.bars).tolist(), np.cumsum(lines.gone).tolist(), strict=True)
        edges = pairwise([(0, 0), *ends])
        return [
            Part(bars.take(slice(a, b)), gone[c:d], written)
            for ((a, c), (b, d)), written in zip(edges, lines.written.tolist(), strict=True)
        ]

    def starts(self) -> list[Starts]:
        """When the bars of each write start, and the withdrawn ones; of an intact segment.

        Raises:
            NewerStore: a newer gapless packed it.
        """
        if self.codec != codec.MERGED:
            return [codec.unpack_starts(self._known())]
        lines, payload = codec.unpack_lines(self.payload)
        ts, gone = codec.unpack_starts(payload)
        cuts = np.cumsum(lines.bars)[:-1], np.cumsum(lines.gone)[:-1]
        return list(zip(np.split(ts, cuts[0]), np.split(gone, cuts[1]), strict=True))

    def _known(self) -> bytes:
        if self.codec > codec.MERGED:
            raise NewerStore("A newer gapless packed these bars.", hint="Upgrade gapless to read them.")
        return self.payload


def _hull(ts: Ints, gone: Ints) -> Span:
    starts = np.concatenate((ts, gone))
    return Span(int(starts.min()), int(starts.max()) + 1)


def standing(connection: Connection, listed: Listed, span: Span, until: int) -> Iterator[Segment]:
    """A series' segments that touch `span`, in the order of writing.

    Only those of which something was written by `until` (Unix ms, inclusive).
    """
    asked = (listed.id, span.end, span.start, until)
    return (
        Segment(Span(start, end), *more) for start, end, *more in driver(connection).execute(_STANDING, asked)
    )


def numbers(connection: Connection, listed: Listed, span: Span) -> dict[int, Span]:
    """The numbers of a series' segments that touch `span`, and where their bars are."""
    rows = connection.execute(_NUMBERS, _touched(listed, span))
    return {row.id: Span(row.start_ts, row.end_ts) for row in rows}


def _touched(listed: Listed, span: Span) -> dict[str, int]:
    return {"its_id": listed.id, "start": span.start, "end": span.end}


def outlines(connection: Connection, listed: Listed, span: Span) -> Iterator[Outline]:
    """The outlines of a series' segments that touch `span`, by their start."""
    rows = connection.execute(_OUTLINES, _touched(listed, span))
    return (Outline(row.id, Span(row.start_ts, row.end_ts), row.bars) for row in rows)


def groups(found: Iterable[Outline]) -> Iterator[list[Outline]]:
    """Segments that overlap each other, by time: what one of them says of a bar, only its own group can contradict."""
    group: list[Outline] = []
    reach = 0
    for one in found:
        if group and one.span.start >= reach:
            yield group
            group = []
        reach = max(reach, one.span.end) if group else one.span.end
        group.append(one)
    if group:
        yield group


def ever(connection: Connection, listed: Listed) -> Span | None:
    """From the first to the last start that any segment of a series speaks of."""
    chosen = select(func.min(SEGMENT.c.start_ts), func.max(SEGMENT.c.end_ts))
    start, end = connection.execute(chosen.where(SEGMENT.c.series_id == listed.id)).one()
    return None if start is None else Span(start, end)


def payload_bytes(connection: Connection, listed: Listed) -> int:
    """The bytes of all segments of a series, those that were put aside too."""
    return int(connection.execute(_BYTES, {"its_id": listed.id}).scalar_one())


def load(connection: Connection, number: int) -> Segment | None:
    """One segment by its number; None where an index lists it and it is not there."""
    row = connection.execute(select(SEGMENT).where(SEGMENT.c.id == number)).one_or_none()
    return _segment(row) if row else None


def add(connection: Connection, series_id: int, segment: Segment, entry_id: int) -> None:
    """Write a segment; it is never changed again."""
    row = {
        "series_id": series_id,
        "start_ts": segment.span.start,
        "end_ts": segment.span.end,
        "bars": segment.bars,
        "codec": segment.codec,
        "written": segment.written,
        "entry_id": entry_id,
        "checksum": segment.checksum,
        "payload": segment.payload,
    }
    connection.execute(_ADD, row)


def exchange(connection: Connection, series_id: int, numbers: Sequence[int], merged: Segment) -> None:
    """Put the segment into which these were merged in their place."""
    ids = {"ids": list(numbers)}
    entry_id = connection.execute(_LATEST_LINE, ids).scalar_one()
    connection.execute(_REMOVE, ids)
    add(connection, series_id, merged, entry_id)


def put_aside(connection: Connection, number: int, since: int) -> None:
    """Take a segment out of service from `since` (Unix ms) on; its bytes stay as they are."""
    connection.execute(insert(ASIDE), {"segment_id": number, "since": since})


def unpacked(segments: Iterable[Segment], until: int = EVER.end) -> tuple[Batch, list[Part]]:
    """The bars of intact segments one after another, and the part of each write; `until`: of those made by then.

    Unless some are left out, all bars are in one block of memory.
    """
    found = [(segment, segment.rows) for segment in segments]
    bars, at = Batch.room(sum(rows for _, rows in found)), 0
    parts = list[Part]()
    for segment, rows in found:
        parts += segment.unpack(bars.take(slice(at, at + rows)))
        at += rows
    if any(part.written > until for part in parts):
        parts = [part for part in parts if part.written <= until]
        bars = Batch.concat(part.bars for part in parts)
    return bars, parts


def laid(segments: Iterable[Segment], until: int = EVER.end) -> Batch:
    """The bars that stand when intact segments are laid over each other in the order of writing."""
    bars, parts = unpacked(segments, until)
    if (bars.ts[1:] > bars.ts[:-1]).all() and not any(len(part.gone) for part in parts):
        return bars
    _, place = speaking([part.starts for part in parts])
    return bars.take(place)


def speaking(parts: Sequence[Starts]) -> Starts:
    """The starts of the bars that stand when parts are laid over each other, and their positions."""
    ts, place = placed(parts)
    order = np.argsort(ts, kind="stable")  # equal starts stay in the order of writing
    ts, place = ts[order], place[order]
    last = np.append(ts[1:] != ts[:-1], True)[: len(ts)]
    stands = last & (place >= 0)
    return ts[stands], place[stands]


def placed(parts: Sequence[Starts]) -> tuple[Ints, Ints]:
    """Every start that the parts speak of, in the order of writing: a bar's with its position, else with -1."""
    ends = np.cumsum([0, *(len(ts) for ts, _ in parts)]).tolist()
    places = [p for (_, gone), (a, b) in zip(parts, pairwise(ends), strict=True) for p in _places(a, b, gone)]
    none = np.empty(0, np.int64)
    ts = np.concatenate([none, *(column for part in parts for column in part)])
    return ts, np.concatenate([none, *places])


def _places(start: int, end: int, gone: Ints) -> Starts:
    return np.arange(start, end), np.full(len(gone), -1)


def _segment(row: Row[Any]) -> Segment:
    return Segment(
        Span(row.start_ts, row.end_ts), row.bars, row.codec, row.written, row.checksum, row.payload
    )
