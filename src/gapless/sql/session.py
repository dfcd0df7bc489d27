"""DuckDB behind a closed door, on a thread of its own: the caller waits, and can stop waiting.

DuckDB looks at no signal while it works. On its own thread a query can be ended by Ctrl-C and by the time limit alike.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from gapless.errors import OwnLimit
from gapless.sql.limits import Limits
from gapless.sql.watched import Watch, Watched

Result = TypeVar("Result")

_CLOSED: dict[str, str | bool] = {
    "enable_external_access": False,
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "temp_directory": "",
}
_BATCH = 65_536
"""Rows that are handed out at once."""

_POLL = 0.05
"""Seconds between interrupts: one that comes before DuckDB begins is lost."""


class Session:
    """One connection for one query. Close it: an open one can keep the program from ending."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.watch = Watch()
        self._ends = None if limits.seconds is None else time.monotonic() + limits.seconds
        self._connection = _connect(limits)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="gapless-sql")
        self._reader: pa.RecordBatchReader | None = None

    def register(self, views: Mapping[str, Any]) -> None:
        """Give the connection its views: datasets and tables of Arrow."""
        for name, view in views.items():
            inside = Watched(view, self.watch) if isinstance(view, ds.Dataset) else view
            self._connection.register(name, inside)

    def call(self, work: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        """Do something with the connection, within the time that is left.

        Raises:
            OwnLimit: the time is over.
        """
        future = self._worker.submit(work, self._connection)
        try:
            wait([future], self._left())
        finally:
            in_time = future.done()
            self._halt(future)
        if not in_time:
            raise OwnLimit(
                f"The query took longer than {self.limits.seconds:g} seconds and was stopped.",
                hint="Narrow it by symbol, timeframe and ts, or allow it more time (--timeout).",
            )
        return future.result()

    def open(self, statement: duckdb.Statement) -> pa.RecordBatchReader:
        """Run a statement; its rows come as they are read, one more than the limit at most."""
        rows = self.limits.rows

        def run(connection: duckdb.DuckDBPyConnection) -> pa.RecordBatchReader:
            relation = connection.sql(statement)
            # Either way columns of one name come out with two.
            asked = relation.select("*") if rows is None else relation.limit(rows + 1)
            self._reader = asked.to_arrow_reader(_BATCH)
            return self._reader

        return self.call(run)

    def close(self) -> None:
        """End what still runs, and let go. The reader goes first: it waits for threads of the connection."""
        self.watch.stop.set()
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._connection.close()
        self._worker.shutdown()

    def _left(self) -> float | None:
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    def _halt(self, future: "Future[Any]") -> None:
        while not future.done():
            self.watch.stop.set()
            self._connection.interrupt()
            wait([future], _POLL)


def _connect(limits: Limits) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        **_CLOSED,
        "memory_limit": f"{limits.memory}MiB",
    }
    if limits.threads is not None:
        settings["threads"] = limits.threads
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET lock_configuration = true")
    return connection
