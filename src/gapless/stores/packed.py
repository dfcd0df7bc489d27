"""The packed store: one SQLite file, bars as immutable compressed column segments."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Self

import numpy as np
from sqlalchemy import Connection

from gapless.crash import crash_point
from gapless.errors import StoreDamaged
from gapless.ports import Capabilities
from gapless.stores.base import SqlStore, damaged, forgotten
from gapless.stores.changes import Changes, Edges, authority, compare
from gapless.stores.counting import count_bars
from gapless.stores.coverage import history, lost_since
from gapless.stores.database import Database
from gapless.stores.failures import sensible, told
from gapless.stores.kept import Kept, Key
from gapless.stores.leasing import check_fence
from gapless.stores.records import (
    Listed,
    append,
    count_write,
    find,
    find_or_add,
    relist,
)
from gapless.stores.segments import (
    TABLES,
    Outline,
    Part,
    Segment,
    add,
    ever,
    exchange,
    groups,
    laid,
    load,
    numbers,
    outlines,
    payload_bytes,
    placed,
    put_aside,
    standing,
    unpacked,
)
from gapless.stores.upgrade import keep_copy
from gapless.stores.versions import Versions, pieces, revisions
from gapless.vocabulary.batch import Batch, Ints
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import EVER, Span, SpanSet
from gapless.vocabulary.steps import OPEN_END, Checked, Damage, Entry, Lease, Receipt, Revision
from gapless.vocabulary.timeframe import Base

_SCHEMA = 2
"""0.1.0 made 1: the same tables, but it would take segments of codec 2 for damaged ones and not for newer ones."""
_PAGE_BYTES = 2048
"""Larger pages are read a little sooner, but an almost empty table takes a page, and there are a dozen of those."""

_ALWAYS = Span(0, OPEN_END)
"""Where the bars were of a series of which nobody can say more."""

_NOT_ALL = "its segments are not all that were written"

_SEGMENT_BARS = 15_000
"""At most: about two weeks of minutes. Who reads one day unpacks a whole segment; four times as many bars in it would
save half a byte in a hundred."""

_SMALL = _SEGMENT_BARS // 2
_FEW = 8
"""So many small neighbours are merged: whole histories otherwise come to be a segment a day, which costs a quarter more
bytes and more than twice the time to read (decision 0006)."""

_END = Outline(0, EVER, _SEGMENT_BARS)
"""What no run goes beyond."""

_KEPT_BARS = 1_000_000
"""So many stay unpacked in memory, 64 bytes each."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a write is going to do to a series, if that is still at `revision` when its turn comes."""

    revision: int
    written: int
    changes: Changes
    segments: tuple[Segment, ...]

    @property
    def size(self) -> int:
        """The bytes to write."""
        return sum(len(segment.payload) for segment in self.segments)


class PackedStore(SqlStore):
    """Bars as a log of segments: a later one speaks for the bars it holds, earlier ones stay readable."""

    capabilities = Capabilities(versions=True, many_processes=True, derived_rows=False, typical_bytes=8)

    def __init__(self, url: str, path: Path, *, read_only: bool, create: bool) -> None:
        db = Database(
            path,
            kind="packed",
            schema=_SCHEMA,
            tables=TABLES,
            page_bytes=_PAGE_BYTES,
            read_only=read_only,
            create=create,
            upgrade=lambda db, _, schema: keep_copy(db, schema),
            readable=1,
        )
        super().__init__(url, db)
        self._added_up: dict[int, tuple[int, int]] = {}
        self._kept = Kept(_KEPT_BARS)

    def write(self, checked: Checked, lease: Lease | None = None) -> Receipt:
        """Store bars and entries in one transaction; an equal bar is not written again.

        Raises:
            LeaseHeld: the lease's fence is no longer the highest; nothing was written.
            StorageError: nothing was written.
        """
        while True:
            draft = self._draft(checked)  # compares and packs while others may write
            with self._db.writing(needs=draft.size) as connection:
                check_fence(connection, lease)
                listed = find_or_add(connection, checked.instrument, checked.base)
                if listed.revision != draft.revision:
                    continue
                receipt = _commit(connection, listed, checked, draft)
            self._added_up[listed.id] = listed.revision + 1, listed.stored_bytes + draft.size
            return receipt

    def fetch(
        self, instrument: Instrument, base: Base, span: Span, as_of: int | None = None
    ) -> Callable[[], Batch]:
        """Read the segments and compare their checksums now; what is returned unpacks them, in any thread.

        Raises:
            StoreDamaged: a checksum does not match; nothing damaged is served.
        """
        with self._db.reading() as connection:
            listed = self._whole(connection, instrument, base)
            if listed is None:
                return Batch.empty
            if as_of is not None and lost_since(connection, listed.id, span, as_of):
                raise forgotten(listed)
            until = EVER.end if as_of is None else as_of
            return partial(self._laid, list(_intact(connection, listed, span, until)), span, until)

    def _laid(self, segments: Sequence[Segment], span: Span, until: int) -> Batch:
        """The bars of intact segments that start inside `span`, as they were at the moment `until` (Unix ms)."""
        key: Key = (until, *(segment.checksum for segment in segments))
        bars = self._kept.get(key)
        if bars is None:
            with sensible(self._db.path):
                bars = laid(segments, until)
            self._kept.put(key, bars)
        return bars.between(span)

    def tidy(self, instrument: Instrument, base: Base) -> int:
        """Merge small segments that lie side by side; returns how many were, 0 where they are few.

        Every version of every bar stays. A damaged segment is left where it is: `verify` finds it.

        Raises:
            StorageError: nothing was merged.
        """
        merged = 0
        while mergers := self._mergers(instrument, base):
            listed, small, segment = mergers
            with self._db.writing(needs=len(segment.payload)) as connection:
                now = find(connection, instrument, base)
                if now is None or now.revision != listed.revision:
                    continue
                exchange(connection, now.id, small, segment)
                crash_point("merged")
                stored = payload_bytes(connection, now)
                edges = now.first_ts, now.last_ts
                relist(connection, now, edges, now.written, bars=now.bars, stored_bytes=stored)
            merged += len(small)
        return merged

    def _mergers(self, instrument: Instrument, base: Base) -> tuple[Listed, list[int], Segment] | None:
        """The first small segments that are worth it, and what they become; packed while others may write."""
        with self._db.reading() as connection:
            listed = self._whole(connection, instrument, base)
            runs = _runs(groups(outlines(connection, listed, EVER))) if listed else ()
            for run in runs:
                segments = [load(connection, number) for number in run]
                if listed and all(segment and segment.intact(listed.name) for segment in segments):
                    return listed, run, Segment.merged(listed.name, [one for one in segments if one])
        return None

    def count(self, instrument: Instrument, base: Base, spans: SpanSet) -> int:
        """How many base bars start inside `spans`, without reading their numbers.

        Raises:
            StoreDamaged: a segment that has to be opened is not what was written.
        """
        with self._db.reading() as connection:
            listed = self._whole(connection, instrument, base)
            return count_bars(connection, listed, spans) if listed else 0

    def revisions(self, instrument: Instrument, base: Base, span: Span) -> Iterator[Revision]:
        """What the vendor changed of the bars that start inside `span` after they were stored, by ts, then written.

        Raises:
            StoreDamaged: a checksum does not match; nothing damaged is served.
        """
        with self._db.reading() as connection:
            listed = self._whole(connection, instrument, base)
            if listed is None:
                return
            hull, words = ever(connection, listed), history(connection, listed.id)
        for piece in pieces(span, hull):
            with self._db.reading() as connection:
                versions = _versions(connection, listed, piece)
            yield from revisions(versions, words, listed.written)

    def _whole(self, connection: Connection, instrument: Instrument, base: Base) -> Listed | None:
        """The catalogue's row of a series of which no segment is missing, None where nothing was written.

        A page that is not what it was can hide segments without a trace, so their bytes are added up: once for
        each state of a series that this process meets.

        Raises:
            StoreDamaged: some are missing, or there are too many.
        """
        listed = find(connection, instrument, base)
        if listed and self._added_up.get(listed.id) != (seen := (listed.revision, listed.stored_bytes)):
            if payload_bytes(connection, listed) != listed.stored_bytes:
                raise damaged(listed, listed.hull or _ALWAYS, _NOT_ALL)
            self._added_up[listed.id] = seen
        return listed

    def _twin(self, path: Path) -> Self:
        return type(self)(str(path), path, read_only=True, create=False)

    def _draft(self, checked: Checked) -> _Draft:
        spans = authority(checked)
        with self._db.reading() as connection:
            listed = self._whole(connection, checked.instrument, checked.base)
            hull = listed.hull if listed else None
            stored = [_live(connection, listed, s) for s in spans if listed and hull and s.overlaps(hull)]
        written = max(entry.recorded for entry in checked.entries)
        revision, written = (listed.revision, max(written, listed.written)) if listed else (0, written)
        changes = compare(checked.batch, Batch.concat(stored))
        segments = _packed(f"{checked.instrument} {checked.base}", changes, written)
        return _Draft(revision, written, changes, tuple(segments))

    def _damages(self, listed: Listed) -> Iterator[Damage]:
        bad = self._bad_segments(listed)
        yield from bad
        if not bad and (what := self._miscounted(listed)):
            yield Damage(listed.instrument, listed.base, listed.hull or _ALWAYS, what)

    def _bad_segments(self, listed: Listed) -> list[Damage]:
        """Found in one moment: segments that are merged meanwhile were there."""
        with self._db.reading() as connection:
            return [
                Damage(
                    listed.instrument, listed.base, span, f"segment {number} is not what its checksum says"
                )
                for number, span in numbers(connection, listed, EVER).items()
                if not self._sound(connection, listed, number)
            ]

    def _sound(self, connection: Connection, listed: Listed, number: int) -> Segment | None:
        """A segment if it is as it was written."""
        try:
            with sensible(self._db.path), told(self._db.path):
                segment = load(connection, number)
        except StoreDamaged:  # it cannot even be read
            return None
        return segment if segment and segment.intact(listed.name) else None

    def _miscounted(self, listed: Listed) -> str:
        """How the bars that stand differ from the catalogue's count: a segment came or went unasked."""
        with self._db.reading() as connection:
            now = find(connection, listed.instrument, listed.base) or listed
            found = len(_live(connection, now, EVER))
            if found == now.bars and payload_bytes(connection, now) != now.stored_bytes:
                return _NOT_ALL
        return "" if found == now.bars else f"{found} bars are there, {now.bars} were written"

    def _withdraw(self, connection: Connection, listed: Listed, lost: Entry) -> None:
        """Damaged segments keep their bytes; what stands beside them in the span is withdrawn.

        For nobody can say which of those bars a damaged segment had corrected.
        """
        written, hull = max(lost.recorded, listed.written), [lost.span]
        for number, span in numbers(connection, listed, lost.span).items():
            if not self._sound(connection, listed, number):
                put_aside(connection, number, written)
                hull.append(span)
        lost = replace(lost, span=Span(min(s.start for s in hull), max(s.end for s in hull)))
        entry_id = append(connection, listed.id, [lost])
        intact = self._sound_bars(connection, listed)
        if len(doomed := intact.between(lost.span)):
            segment = Segment.of(listed.name, Batch.empty(), doomed.ts, written)
            add(connection, listed.id, segment, entry_id)
        kept = intact.ts[(intact.ts < lost.span.start) | (intact.ts >= lost.span.end)]
        stored = payload_bytes(connection, listed)
        relist(connection, listed, _edges(kept), written, bars=len(kept), stored_bytes=stored)

    def _sound_bars(self, connection: Connection, listed: Listed) -> Batch:
        """All bars that stand, without those of damaged segments."""
        segments = (self._sound(connection, listed, number) for number in numbers(connection, listed, EVER))
        return laid(segment for segment in segments if segment)


def _packed(series: str, changes: Changes, written: int) -> Iterator[Segment]:
    """Segments of what changed, about equally large."""
    if not changes:
        return
    new, gone = changes.new, changes.gone
    step = ceil(len(new) / max(1, ceil(len(new) / _SEGMENT_BARS))) or 1
    for at in range(0, max(1, len(new)), step):
        yield Segment.of(series, new.take(slice(at, at + step)), gone if at == 0 else gone[:0], written)


def _live(connection: Connection, listed: Listed, span: Span) -> Batch:
    return laid(_intact(connection, listed, span)).between(span)


def _versions(connection: Connection, listed: Listed, span: Span) -> Versions:
    """All that the bars of `span` ever were."""
    written, parts = [], []
    for part in unpacked(_intact(connection, listed, span))[1]:
        gone = part.gone[(part.gone >= span.start) & (part.gone < span.end)]
        mine = Part(part.bars.between(span), gone, part.written)
        parts.append(mine)
        written.append(np.full(len(mine.bars) + len(gone), part.written, np.int64))
    ts, place = placed([part.starts for part in parts])
    bars = Batch.concat(part.bars for part in parts)
    return Versions(bars, ts, np.concatenate([ts[:0], *written]), place)


def _intact(connection: Connection, listed: Listed, span: Span, until: int = EVER.end) -> Iterator[Segment]:
    """Each segment that touches `span` and is older than `until`, once its checksum is found right."""
    for segment in standing(connection, listed, span, until):
        if not segment.intact(listed.name):
            raise damaged(listed, segment.span, "a segment is not what its checksum says")
        yield segment


def _runs(found: Iterable[list[Outline]]) -> Iterator[list[int]]:
    """The numbers of neighbouring small segments, where they are many and not too much for one; in order of writing."""
    run: list[Outline] = []
    for group in chain(found, [[_END]]):
        small = all(one.bars <= _SMALL for one in group)
        if not small or sum(one.bars for one in run + group) > _SEGMENT_BARS:
            if len(run) >= _FEW:
                yield sorted(one.id for one in run)
            run = []
        if small:
            run += group


def _commit(connection: Connection, listed: Listed, checked: Checked, draft: _Draft) -> Receipt:
    changes = draft.changes
    entry_id = append(connection, listed.id, checked.entries)
    crash_point("entries-written")
    for segment in draft.segments:
        add(connection, listed.id, segment, entry_id)
        crash_point("bars-written")
    receipt = changes.receipt(draft.size)
    edges = changes.edges(listed.hull) or _edges(_live(connection, listed, EVER).ts)
    count_write(connection, listed, edges, draft.written, receipt)
    return receipt


def _edges(ts: Ints) -> Edges:
    return (int(ts[0]), int(ts[-1])) if len(ts) else (None, None)
