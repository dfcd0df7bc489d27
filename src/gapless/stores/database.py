"""One SQLite file as a database: opening it safely, its transactions, its size."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, insert, select, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from gapless.crash import crash_point
from gapless.errors import ForeignStore, NewerStore, StorageError, UsageError
from gapless.stores.failures import read_only as cannot_write
from gapless.stores.failures import sensible, sync_failed, told, unsynced
from gapless.stores.files import Look, check_path, identity, no_store, uri_of, watched
from gapless.stores.schema import META

APPLICATION_ID = 0x6761704C
"""Marks a file as ours in SQLite's header ("gapL")."""
_BUSY_SECONDS = 30
_BUSY_PAUSE = 0.02
_CHECKPOINT_BYTES = 32 << 20
"""The journal is folded into the file at this size: writing a page of bars seldom pays for it."""

_MANY = 1 << 32
"""More commits than one connection counts."""

_CACHE_BYTES = 16 << 20
"""For each connection: a page of bars as rows is 5 MB, and should not leave memory before its commit."""


Upgrade = Callable[["Database", Connection, int], None]
"""Brings a file of an earlier layout, whose number is given, up to date inside the transaction."""


class Database:
    """A store's file of one `kind` ("packed", "plain"), made on the first opening if `create` says so.

    `schema` is the number of its layout; a file with an earlier one is brought up to date by `upgrade`. From
    `readable` on an earlier one can be read as it is, where it may not be written.
    Everything in a `with` of `reading` sees one moment; everything in one of `writing` happens or does not.
    """

    def __init__(
        self,
        path: Path,
        *,
        kind: str,
        schema: int,
        tables: MetaData,
        page_bytes: int,
        read_only: bool,
        create: bool,
        upgrade: Upgrade | None = None,
        readable: int | None = None,
    ) -> None:
        self.path = path
        self._schema = schema
        self._readable = schema if readable is None else readable
        self._upgrade = upgrade
        self.read_only = read_only
        self._page_bytes = page_bytes
        self._writer = threading.Lock()
        self._watching = threading.Lock()
        self._watcher: sqlite3.Connection | None = None
        self._here = threading.local()
        self._unsynced = False
        self._unwatched = read_only and not watched(path)
        self._looked: Look | None = None
        self._changes = 0
        check_path(path, create=create and not read_only, writes=not read_only)
        with told(path):
            self._durable = self._engine("FULL")
            # What a power cut may take from this one is harmless: turns and leases of processes that it ended
            # too. Bars are always preceded by their fence, because a durable commit syncs the whole journal.
            self._light = self._engine("NORMAL")
            try:
                self._open(kind, tables)
                self._watched = identity(path)
            except BaseException:
                self.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees the store as it is now, or at the `moment` in which this thread is."""
        with sensible(self.path), told(self.path), self.moment():
            yield self._here.connection

    @contextmanager
    def moment(self) -> Iterator[None]:
        """All that this thread reads until it leaves is as it was when it began, whatever is written meanwhile.

        A moment inside another one is that one.
        """
        if getattr(self._here, "connection", None) is not None:
            yield
            return
        with (
            told(self.path),
            self._unchanged(),
            self._durable.connect() as connection,
            connection.begin(),
        ):
            self._here.connection = connection
            try:
                yield
            finally:
                self._here.connection = None

    @contextmanager
    def writing(self, *, light: bool = False, needs: int = 0) -> Iterator[Connection]:
        """A connection that alone may write; committed and synced on leaving, undone on an exception.

        `light` skips the sync: for what is worthless after a power cut. `needs` is about how many bytes it takes.
        """
        if self.read_only:
            raise cannot_write(self.path)
        engine = self._light if light else self._durable
        # Threads queue here, where waking up is prompt; only other processes meet SQLite's lock.
        with told(self.path, needs), self._writer, self._synced(), engine.connect() as plain:
            connection = plain.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                crash_point("transaction-begun")
                yield connection
                crash_point("commit")
            crash_point("committed")

    def quick_check(self) -> str:
        """What SQLite says about the file's structure: "ok", or the first thing that is wrong."""
        with self.reading() as connection:
            return str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())

    def pulse(self) -> int:
        """Another number whenever another connection has committed; asking costs microseconds.

        SQLite counts for each connection what others did, so it is always the same one that is asked.

        Raises:
            StorageError: another file, or none, has taken the place of the one that is open.
        """
        with self._watching, told(self.path):
            self._look()
            if self._watcher is None:
                self._watcher = self._connector("FULL")()
            if identity(self.path) != self._watched:
                raise StorageError(
                    f"`{self.path}` is not the file any more that was opened.", hint="Open the store again."
                )
            count: int = self._watcher.execute("PRAGMA data_version").fetchone()[0]
            return count + self._changes

    def size(self) -> int:
        """Bytes of the file and its journal."""
        journal = self.path.with_name(self.path.name + "-wal")
        return sum(file.stat().st_size for file in (self.path, journal) if file.exists())

    def close(self) -> None:
        """Fold the journal in and let go of the file."""
        with self._watching:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self._light.dispose()
        self._durable.dispose()

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Where SQLite does not see that a file changes, see to it that it did not.

        Raises:
            StorageError: it was written while it was read, so what was read may be of two moments.
        """
        with self._watching:
            before = self._look()
        try:
            yield
        finally:
            if before and before.content != Look.at(self.path).content:
                raise StorageError(
                    f"`{self.path}` was written while it was read.", hint="Run the same command again."
                )

    def _look(self) -> Look | None:
        """The file as it is now, if nobody else looks; what was remembered of another one is forgotten."""
        if not self._unwatched:
            return None
        look = Look.at(self.path)
        if look != self._looked:
            self._durable.dispose()
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
            self._looked = look
            self._changes += _MANY
        return None if look.journal else look

    @contextmanager
    def _synced(self) -> Iterator[None]:
        """A failed sync is never tried again: the next one may say all is well, and yet not write what is lost."""
        if self._unsynced:
            raise unsynced(self.path)
        try:
            yield
        except DBAPIError as error:
            if sync_failed(error.orig):
                self._unsynced = True
                raise unsynced(self.path) from error
            raise

    def _engine(self, synchronous: str) -> Engine:
        engine = create_engine(
            "sqlite://",
            creator=self._connector(synchronous),
            poolclass=QueuePool,
            max_overflow=-1,  # as many readers as there are threads
        )
        event.listen(engine, "begin", _begin)
        return engine

    def _connector(self, synchronous: str) -> Callable[[], sqlite3.Connection]:
        def connect() -> sqlite3.Connection:
            # isolation_level=None: the driver leaves BEGIN to us. Threads share connections one at a time.
            db = sqlite3.connect(
                uri_of(self.path, read_only=self.read_only),
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            db.execute(f"PRAGMA page_size={self._page_bytes}")  # means something before the first table only
            db.execute(f"PRAGMA synchronous={synchronous}")
            db.execute(f"PRAGMA cache_size={-_CACHE_BYTES // 1024}")
            db.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_BYTES // self._page_bytes}")
            if self.read_only:
                db.execute("PRAGMA query_only=ON")
            return db

        return connect

    def _open(self, kind: str, tables: MetaData) -> None:
        with self.reading() as connection:
            found = self._found(connection, kind)
        if not found:
            self._make(kind, tables)
        elif found < (self._readable if self.read_only else self._schema):
            self._bring_up_to_date(kind, found)
        if not self.read_only:
            self._use_wal()

    def _use_wal(self) -> None:
        """Switch to the write-ahead journal, which needs the file for itself for a moment.

        Unlike every other statement this one does not wait for that: of several processes that make one store
        together, all but one would be told that it is locked.
        """
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                with self._durable.connect() as connection:
                    connection.execution_options(begin="").exec_driver_sql("PRAGMA journal_mode=WAL")
            except OperationalError as error:
                busy = getattr(error.orig, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(_BUSY_PAUSE)
            else:
                return

    def _make(self, kind: str, tables: MetaData) -> None:
        if self.read_only:
            raise no_store(self.path)
        with self.writing() as connection:
            if self._found(connection, kind):
                return  # another process made it while this one waited
            tables.create_all(connection)
            rows = [{"key": "format", "value": kind}, {"key": "schema", "value": str(self._schema)}]
            connection.execute(insert(META), rows)
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")

    def _bring_up_to_date(self, kind: str, found: int) -> None:
        if self.read_only or self._upgrade is None:
            raise StorageError(
                f"`{self.path}` has the layout of an earlier gapless (schema {found}, this one needs {self._schema}).",
                hint="It is brought up to date, after a copy was kept, when it is opened where it can be written.",
            )
        with self.writing(needs=self.size()) as connection:
            if (found := self._found(connection, kind)) < self._schema:  # or another process has done it
                self._upgrade(self, connection, found)
                schema = {"value": str(self._schema)}
                connection.execute(update(META).where(META.c.key == "schema").values(schema))

    def _found(self, connection: Connection, kind: str) -> int:
        """The layout's number in a store of this kind; 0 where it is empty.

        Raises:
            ForeignStore, NewerStore, UsageError: it is something else.
        """
        mark = connection.exec_driver_sql("PRAGMA application_id").scalar()
        objects = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar()
        if not objects and mark in (0, APPLICATION_ID):
            return 0
        if mark != APPLICATION_ID:
            raise ForeignStore(
                f"`{self.path}` is an SQLite file of another program.",
                hint="Give another path with `--store`; this file was not touched.",
            )
        named = select(META).where(META.c.key.in_(("format", "schema")))
        meta = {row.key: row.value for row in connection.execute(named)}
        if meta["format"] != kind:
            raise UsageError(
                f"`{self.path}` is a {meta['format']} store, and the URL asks for a {kind} one.",
                hint="A path alone opens a packed store, `sqlite:///` and a path opens a plain one.",
            )
        if (found := int(meta["schema"])) > self._schema:
            raise NewerStore(
                f"`{self.path}` was written by a newer gapless (schema {found}, this one knows {self._schema}).",
                hint="Upgrade gapless, or give another path with `--store`; this file was not touched.",
            )
        return found


def driver(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection, for statements on which time depends."""
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def _begin(connection: Connection) -> None:
    if begin := connection.get_execution_options().get("begin", "BEGIN"):
        connection.exec_driver_sql(begin)
