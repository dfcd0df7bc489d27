"""Segments: the immutable pieces that a packed series is a log of, each with its checksum."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import pairwise
from typing import Any

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
    func,
    insert,
    select,
)
from xxhash import xxh3_128

from gapless.errors import NewerStore
from gapless.stores import codec
from gapless.stores.coverage import EVER
from gapless.stores.database import driver
from gapless.stores.records import Listed
from gapless.stores.schema import Whole, beside_shared
from gapless.vocabulary.batch import Batch, Ints
from gapless.vocabulary.span import Span

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

_BLAKE = 1
"""The codec whose segments have a checksum of another kind, which took a fifth of a reader's time."""

Part = tuple[Batch, Ints]
"""Bars, and the starts of bars that are withdrawn."""

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

    Everything in it starts inside `span`; `written` is in Unix ms.
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
        starts = np.concatenate((batch.ts, gone))
        span = Span(int(starts.min()), int(starts.max()) + 1)
        bare = cls(span, len(batch), codec.VERSION, written, b"", codec.pack(batch, gone))
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

    def unpack(self, into: Batch) -> Part:
        """What it holds, its bars in the columns of `into`, which has to be as long; of an intact segment.

        Raises:
            NewerStore: a newer gapless packed it.
        """
        return codec.unpack(self._known(), into)

    def starts(self) -> Starts:
        """When its bars start, and the withdrawn ones; of an intact segment.

        Raises:
            NewerStore: a newer gapless packed it.
        """
        return codec.unpack_starts(self._known())

    def _known(self) -> bytes:
        if self.codec > codec.VERSION:
            raise NewerStore("A newer gapless packed these bars.", hint="Upgrade gapless to read them.")
        return self.payload


def standing(
    connection: Connection, listed: Listed, span: Span, as_of: int | None = None
) -> Iterator[Segment]:
    """A series' segments that touch `span`, in the order of writing.

    With `as_of` (Unix ms, inclusive) only those that were written by then.
    """
    asked = (listed.id, span.end, span.start, EVER.end if as_of is None else as_of)
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


def put_aside(connection: Connection, number: int, since: int) -> None:
    """Take a segment out of service from `since` (Unix ms) on; its bytes stay as they are."""
    connection.execute(insert(ASIDE), {"segment_id": number, "since": since})


def unpacked(segments: Iterable[Segment]) -> tuple[Batch, list[Part]]:
    """The bars of intact segments one after another, in one block of memory, and the part of each."""
    found = list(segments)
    bars, at = Batch.room(sum(segment.bars for segment in found)), 0
    parts = []
    for segment in found:
        parts.append(segment.unpack(bars.take(slice(at, at + segment.bars))))
        at += segment.bars
    return bars, parts


def laid(segments: Iterable[Segment]) -> Batch:
    """The bars that stand when intact segments are laid over each other in the order of writing."""
    bars, parts = unpacked(segments)
    if (bars.ts[1:] > bars.ts[:-1]).all() and not any(len(gone) for _, gone in parts):
        return bars
    _, place = speaking([(batch.ts, gone) for batch, gone in parts])
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
