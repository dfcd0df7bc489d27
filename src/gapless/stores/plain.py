"""The plain store: one SQLite file with a row for each bar, for whoever has only SQL."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from sqlalchemy import Connection, func, select, update

from gapless.crash import crash_point
from gapless.ports import Capabilities
from gapless.stores.base import SqlStore, damaged, forgotten
from gapless.stores.changes import Changes, authority, compare
from gapless.stores.coverage import Word, covered, history, lost_since, region
from gapless.stores.database import Database
from gapless.stores.derived import Derive, Derived, OpenTime, ReadBase
from gapless.stores.leasing import check_fence
from gapless.stores.marks import mark, mismarked
from gapless.stores.records import (
    Listed,
    append,
    base_series,
    count_write,
    find,
    find_or_add,
    relist,
)
from gapless.stores.rows import (
    BAR,
    TABLES,
    Rows,
    account,
    count_rows,
    delete_rows,
    delete_span,
    each_stretch,
    forget_stretches,
    insert_rows,
    keep_revisions,
    read_revisions,
    read_rows,
    revised,
    sound,
    stretches_of,
    stretches_within,
    summed_bars,
    written_since,
)
from gapless.stores.schema import SERIES
from gapless.stores.upgrade import keep_copy, part_provisional_rows
from gapless.stores.versions import NO_BAR, Versions, pieces, revisions
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Checked, Damage, Entry, Lease, Receipt, Revision, Wish
from gapless.vocabulary.timeframe import Base

_PAGE_BYTES = 8192
_SCHEMA = 2
_EARLIER = "an earlier version is not what its checksum says"


class PlainStore(SqlStore):
    """Bars as rows, derived timeframes too where asked for; the view `market_data` shows the final ones.

    `market_data_now` shows those that can still change as well, and tells them apart.
    """

    capabilities = Capabilities(versions=True, many_processes=True, derived_rows=True, typical_bytes=75)

    def __init__(
        self,
        url: str,
        path: Path,
        derive: Derive | None,
        open_time: OpenTime | None,
        *,
        read_only: bool,
        create: bool,
    ) -> None:
        self._wired = derive, open_time
        self._derived = Derived(derive, open_time)
        db = Database(
            path,
            kind="plain",
            schema=_SCHEMA,
            tables=TABLES,
            page_bytes=_PAGE_BYTES,
            read_only=read_only,
            create=create,
            upgrade=self._upgrade,
        )
        super().__init__(url, db)

    def write(self, checked: Checked, lease: Lease | None = None) -> Receipt:
        """Store bars and entries in one transaction; an equal bar is not written again.

        Raises:
            LeaseHeld: the lease's fence is no longer the highest; nothing was written.
            StorageError: nothing was written.
        """
        spans = authority(checked)
        with self._db.writing(needs=len(checked.batch) * self.capabilities.typical_bytes) as connection:
            check_fence(connection, lease)
            listed = find_or_add(connection, checked.instrument, checked.base)
            written = max(listed.written, *(entry.recorded for entry in checked.entries))
            before = _bytes_used(connection)
            stored = Rows.concat([_checked_rows(connection, listed, span) for span in spans])
            changes = compare(checked.batch, stored.bars)
            if changes:
                _change(connection, listed, changes, stored, written)
                crash_point("bars-written")
                first, last = changes.edges(listed.hull) or _counted(connection, listed)[1:]
                listed = replace(listed, first_ts=first, last_ts=last)
                self._refresh(connection, listed, spans, changes, written)
            append(connection, listed.id, checked.entries)
            crash_point("entries-written")
            self._settle(connection, listed, region(checked.entries))
            receipt = changes.receipt(max(0, _bytes_used(connection) - before))
            count_write(connection, listed, (listed.first_ts, listed.last_ts), written, receipt)
        return receipt

    def fetch(
        self, instrument: Instrument, base: Base, span: Span, as_of: int | None = None
    ) -> Callable[[], Batch]:
        """Read the rows and compare their checksums now; nothing is left to unpack.

        Raises:
            StoreDamaged: a checksum does not match; nothing damaged is served.
        """
        bars = self._stood(instrument, base, span, as_of)
        return lambda: bars

    def _stood(self, instrument: Instrument, base: Base, span: Span, as_of: int | None) -> Batch:
        with self._db.reading() as connection:
            listed = find(connection, instrument, base)
            if listed is None:
                return Batch.empty()
            rows = _checked_rows(connection, listed, span)
            if as_of is None:
                return rows.bars
            if lost_since(connection, listed.id, span, as_of):
                raise forgotten(listed)
            earlier = read_revisions(connection, listed.id, span, as_of)
            if not earlier.sound:
                raise damaged(listed, span, _EARLIER)
        stood = Batch.concat([rows.take(rows.written <= as_of).bars, earlier.rows.bars])
        return stood.take(np.argsort(stood.ts))

    def tidy(self, instrument: Instrument, base: Base) -> int:  # noqa: ARG002 - the port's
        """Rows are kept alike whichever write they came with: there is nothing to merge."""
        return 0

    def count(self, instrument: Instrument, base: Base, spans: SpanSet) -> int:
        """How many base bars start inside `spans`, without reading their numbers."""
        with self._db.reading() as connection:
            listed = find(connection, instrument, base)
            return sum(_count(connection, listed, span) for span in spans) if listed else 0

    def revisions(self, instrument: Instrument, base: Base, span: Span) -> Iterator[Revision]:
        """What the vendor changed of the bars that start inside `span` after they were stored, by ts, then written.

        Raises:
            StoreDamaged: a checksum does not match; nothing damaged is served.
        """
        with self._db.reading() as connection:
            listed = find(connection, instrument, base)
            if listed is None:
                return
            hulls = [hull for hull in (listed.hull, revised(connection, listed.id)) if hull]
            words = history(connection, listed.id)
        hull = Span(min(h.start for h in hulls), max(h.end for h in hulls)) if hulls else None
        for piece in pieces(span, hull):
            with self._db.reading() as connection:
                now = find(connection, instrument, base) or listed
                versions = _versions(connection, now, piece, words)
            yield from revisions(versions, words, listed.written)

    def _twin(self, path: Path) -> Self:
        return type(self)(str(path), path, *self._wired, read_only=True, create=False)

    def _upgrade(self, db: Database, connection: Connection, schema: int) -> None:
        """From schema 1, the only earlier one: rows are marked as the ledger says, derived ones made anew.

        What is damaged stays so, with its checksum: `verify` finds it.
        """
        keep_copy(db, schema)
        part_provisional_rows(connection)
        for listed in base_series(connection):
            if hull := listed.hull:
                mark(connection, listed.id, hull, _open(connection, listed, hull))
                self._derived.fill_all(connection, listed, _unproved(connection, listed))
        crash_point("upgrade-marked")

    def _asked(self, connection: Connection, wish: Wish) -> None:
        listed = find_or_add(connection, wish.instrument, wish.timeframe.name)
        if listed.asked:
            return
        connection.execute(update(SERIES).where(SERIES.c.id == listed.id).values(asked=1))
        base = find(connection, wish.instrument, wish.timeframe.base)
        if base and wish.timeframe.derived:
            self._derived.fill(connection, base, listed, _reader(connection, base))

    def _refresh(
        self, connection: Connection, listed: Listed, spans: SpanSet, changes: Changes, written: int
    ) -> None:
        starts = np.concatenate((changes.new.ts, changes.gone))
        touched = Span(int(starts.min()), int(starts.max()) + 1)
        known = next(
            (span for span in spans if span.start <= touched.start and touched.end <= span.end), None
        )
        read = _reader(connection, listed)
        if known:
            read = _with_known(read, changes.fresh, known)
        self._derived.refresh(connection, listed, touched, read, written)

    def _settle(self, connection: Connection, listed: Listed, region: Span | None) -> None:
        """Mark the rows that entries of this region made final or provisional."""
        if region:
            mark(connection, listed.id, region, _open(connection, listed, region))
            self._derived.settle(connection, listed, region)

    def _damages(self, listed: Listed) -> Iterator[Damage]:
        spans = (
            self._bad_stretches(listed)
            or self._bad_marks(listed)
            or self._bad_derived(listed)
            or self._miscounted(listed)
        )
        for span, what in spans.items():
            yield Damage(listed.instrument, listed.base, span, what)

    def _bad_stretches(self, listed: Listed) -> dict[Span, str]:
        bad = {}
        for stretch in each_stretch(listed, listed.hull) if listed.hull else ():
            with self._db.reading() as connection:
                if not sound(connection, listed, stretch, read_rows(connection, listed.id, stretch)):
                    bad[stretch] = "its rows are not what their checksum says"
        return bad

    def _bad_marks(self, listed: Listed) -> dict[Span, str]:
        if (hull := listed.hull) is None:
            return {}
        with self._db.reading() as connection:
            bad = mismarked(connection, listed.id, hull, _open(connection, listed, hull))
            return dict.fromkeys(bad, "its rows are not as final as the ledger says")

    def _bad_derived(self, listed: Listed) -> dict[Span, str]:
        with self._db.reading() as connection:
            return dict(self._derived.wrong(connection, listed))

    def _miscounted(self, listed: Listed) -> dict[Span, str]:
        """How the rows differ from the catalogue's count: some came or went with their checksums."""
        with self._db.reading() as connection:
            now = find(connection, listed.instrument, listed.base) or listed
            found, *_ = _counted(connection, now)
        if found == now.bars or not now.hull:
            return {}
        return {now.hull: f"{found} rows are there, {now.bars} were written"}

    def _withdraw(self, connection: Connection, listed: Listed, lost: Entry) -> None:
        """Rows that share a checksum with the damage go with it."""
        lost = replace(lost, span=stretches_of(listed, lost.span))
        written = max(lost.recorded, listed.written)
        delete_span(connection, listed.id, lost.span)
        forget_stretches(connection, listed, lost.span)
        unproved = _unproved(connection, listed)  # what else is damaged will be set aside next
        self._derived.refresh(connection, listed, lost.span, unproved, written)
        append(connection, listed.id, [lost])
        self._settle(connection, listed, lost.span)
        bars, first, last = _counted(connection, listed)
        relist(connection, listed, (first, last), written, bars=bars)


def _checked_rows(connection: Connection, listed: Listed, span: Span) -> Rows:
    """The rows of a base series that start inside `span`, proved by the checksums of whole stretches."""
    whole = stretches_of(
        listed, span
    )  # not cut to the catalogue's edges: were those wrong, bars would go missing
    rows = read_rows(connection, listed.id, whole)
    if not sound(connection, listed, whole, rows):
        raise damaged(listed, whole, "rows are not what their checksum says")
    return rows.between(span)


def _open(connection: Connection, listed: Listed, span: Span) -> SpanSet:
    return SpanSet([span]) - covered(connection, listed.id, span)


def _count(connection: Connection, listed: Listed, span: Span) -> int:
    """The bars of a span: whole stretches know how many they are, the rows before and after are counted."""
    if (whole := stretches_within(listed, span)) is None:
        return count_rows(connection, listed.id, span)
    bars = summed_bars(connection, listed, whole)
    for start, end in ((span.start, whole.start), (whole.end, span.end)):
        if start < end:
            bars += count_rows(connection, listed.id, Span(start, end))
    return bars


def _versions(connection: Connection, listed: Listed, span: Span, words: list[Word]) -> Versions:
    """All that the bars of `span` ever were; nothing where none can have changed or come late."""
    earlier = read_revisions(connection, listed.id, span)
    if not earlier.sound:
        raise damaged(listed, span, _EARLIER)
    then, rows = earlier.rows, Rows.concat([])
    first_word = min((word.written for word in words if word.span.overlaps(span)), default=listed.written)
    if len(then.bars) or written_since(connection, listed.id, span, first_word):
        rows = _checked_rows(connection, listed, span)
    both = Rows.concat([then, rows])
    # That a row ended is said first: where another began at that moment, the bar went on.
    return Versions(
        both.bars,
        np.concatenate((then.bars.ts, both.bars.ts)),
        np.concatenate((earlier.replaced, both.written)),
        np.concatenate((np.full(len(then.bars), NO_BAR), np.arange(len(both.bars)))),
    )


def _reader(connection: Connection, listed: Listed) -> ReadBase:
    return lambda span: _checked_rows(connection, listed, span).bars


def _unproved(connection: Connection, listed: Listed) -> ReadBase:
    return lambda span: read_rows(connection, listed.id, span).bars


def _with_known(read: ReadBase, bars: Batch, known: Span) -> ReadBase:
    """A reader that has the bars of one span at hand, and asks another for what is around it."""

    def read_around(span: Span) -> Batch:
        before = read(Span(span.start, known.start)) if span.start < known.start else Batch.empty()
        after = read(Span(known.end, span.end)) if known.end < span.end else Batch.empty()
        return Batch.concat([before, bars.between(span), after])

    return read_around


def _change(connection: Connection, listed: Listed, changes: Changes, stored: Rows, written: int) -> None:
    """Make the rows what they are to be, and keep what they were."""
    new, old = Rows.of(changes.new, written), stored.take(changes.replaced | changes.withdrawn)
    if len(old.bars):
        keep_revisions(connection, listed.id, old, written)
        delete_rows(connection, listed.id, old.bars.ts)
    insert_rows(connection, listed.id, changes.new, written)
    account(connection, listed, new, old)


def _counted(connection: Connection, listed: Listed) -> tuple[int, int | None, int | None]:
    """How many rows a series has, and its first and last bar's start."""
    chosen = select(func.count(), func.min(BAR.c.ts), func.max(BAR.c.ts)).where(BAR.c.series_id == listed.id)
    bars, first, last = connection.execute(chosen).one()
    return bars, first, last


def _bytes_used(connection: Connection) -> int:
    """The bytes of the pages in use: what a write adds to them is what it adds on disk."""
    size, count, free = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_size", "page_count", "freelist_count")
    )
    return (count - free) * size
