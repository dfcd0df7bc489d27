"""What both stores are: one database file with everything that is not bars, and the frame of their upkeep."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
from sqlalchemy import Connection

from gapless.errors import StoreDamaged
from gapless.stores.backup import copy_whole
from gapless.stores.database import Database
from gapless.stores.failures import REPAIR, RESTORE
from gapless.stores.leasing import Leasing
from gapless.stores.records import Listed, Records, base_series, find
from gapless.stores.turns import Turns
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Damage, Entry, Outcome
from gapless.vocabulary.timeframe import Base


class SqlStore(Leasing, Turns, Records):
    """A store in one database file; how bars are kept is left to its kinds."""

    def __init__(self, url: str, db: Database) -> None:
        self.url = url
        self._db = db
        self._vouched = {}

    def read(self, instrument: Instrument, base: Base, span: Span, as_of: int | None = None) -> Batch:
        """The base bars that start inside `span`, as they are now or were at `as_of` (Unix ms, inclusive).

        Raises:
            StoreDamaged: a checksum does not match; nothing damaged is served.
        """
        return self.fetch(instrument, base, span, as_of)()

    def verify(self) -> Iterator[Damage]:
        """Read everything and tell what is not as it was written.

        Raises:
            StoreDamaged: the file's structure is broken, and not in a way that some bars stand for.
        """
        sound = True
        for damage in self._examine():
            sound = False
            yield damage
        if sound and (said := self._db.quick_check()) != "ok":
            raise StoreDamaged(
                f"`{self._db.path}` is damaged: SQLite's own check says {said}.",
                hint=RESTORE,
            )

    def set_aside(self, damage: Damage, *, now: int) -> None:
        """Take damaged bars out of service and record `lost` for their span, in one transaction.

        `now` is in Unix ms. The span grows to what the store cannot tell apart from the damage. Where somebody else
        has healed it since it was found, nothing is done.
        """
        with self._db.writing() as connection:
            listed = find(connection, damage.instrument, damage.base)
            if listed is None or not any(found.span.overlaps(damage.span) for found in self._damages(listed)):
                return
            entry = Entry(
                damage.instrument, damage.base, damage.span, Outcome.LOST, recorded=now, reason=damage.what
            )
            self._withdraw(connection, listed, entry)

    def backup(self, target: Path, *, replace: bool = False) -> int:
        """Copy all of the store, as it is at this moment, into the file `target`; others may go on writing.

        The copy is synced and verified before it gets its name. Returns its bytes.

        Raises:
            UsageError: there is a file already, and `replace` is not set.
            StoreDamaged: the store holds damage, so there is nothing sound to copy; no file was made.
            StorageError: the file cannot be made, or the one to be replaced is in use.
        """
        return copy_whole(self._db, target, self._prove, replace=replace)

    def size(self) -> int:
        """Bytes on disk, the journal included."""
        return self._db.size()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _prove(self, copy: Path) -> None:
        """Read a copy from end to end."""
        twin = self._twin(copy)
        try:
            damage = next(twin.verify(), None)
        finally:
            twin.close()
        if damage:
            raise StoreDamaged(
                f"`{self._db.path}` was not copied: {damage.what}, in {damage.instrument} {damage.base}.",
                hint=REPAIR,
            )

    @abstractmethod
    def fetch(
        self, instrument: Instrument, base: Base, span: Span, as_of: int | None = None
    ) -> Callable[[], Batch]:
        """Read what is on disk now; what is returned unpacks it, in any thread."""

    @abstractmethod
    def _twin(self, path: Path) -> Self:
        """Another store of this kind, only to be read."""

    def _examine(self) -> Iterator[Damage]:
        """Every damage to bars that can be found."""
        with self._db.reading() as connection:
            catalogue = base_series(connection)
        for listed in catalogue:
            yield from self._damages(listed)

    @abstractmethod
    def _damages(self, listed: Listed) -> Iterator[Damage]:
        """Every damage to the bars of one series that can be found."""

    @abstractmethod
    def _withdraw(self, connection: Connection, listed: Listed, lost: Entry) -> None:
        """Take a span's bars out of service, and write this entry with them."""


def damaged(listed: Listed, span: Span, what: str) -> StoreDamaged:
    """The error for bars that are not what was written."""
    return StoreDamaged(
        f"Stored bars of {listed.name} from {_day(span.start)} to {_day(span.end - 1)} (UTC) are damaged: {what}.",
        hint=REPAIR,
    )


def _day(instant: int) -> str:
    return str(np.datetime64(instant, "ms").astype("datetime64[D]"))  # of any number: it may be damaged too


def forgotten(listed: Listed) -> StoreDamaged:
    """The error for a moment whose bars were damaged later."""
    return StoreDamaged(
        f"What {listed.name} was at that moment is lost: some of its bars were damaged since and set aside.",
        hint="Read a later moment, or leave `as_of` out.",
    )
