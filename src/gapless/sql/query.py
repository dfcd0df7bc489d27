"""From a query to a stream of rows, and from DuckDB's errors to ours."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from gapless.errors import OwnLimit, UsageError
from gapless.sql.guard import Reading, admit, listing
from gapless.sql.limits import Limits
from gapless.sql.session import Session

_NAME_ONLY = pa.table({"name": pa.array([], pa.string())})
"""Stands in for a view that is only listed: making it may be costly."""

_LONGEST_MESSAGE = 2
"""Lines of DuckDB's messages: the rest draws the query."""


def start(
    query: str, views: Mapping[str, Any], limits: Limits
) -> tuple[pa.Schema, Iterator[pa.RecordBatch], Callable[[], None]]:
    """Run a query; returns the form of its rows, the rows, and how to end it early."""
    with ExitStack() as stack:
        session = Session(limits)
        stack.callback(session.close)
        with _explained(session, views):
            reading = session.call(lambda connection: admit(query, connection, views))
        made = {name: _made(views[name]) for name in reading.views}
        session.register(_listed(reading, views) | made)
        with _explained(session, made):
            reader = session.open(reading.statement)
        stack.pop_all()
    schema = pa.schema([_plain(field) for field in reader.schema])
    return schema, _batches(session, reader, schema, made), session.close


def _made(view: Any) -> Any:  # noqa: ANN401 - whatever DuckDB can scan
    return view() if callable(view) else view


def _listed(reading: Reading, views: Mapping[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(views, _NAME_ONLY) if reading.lists else {}


def _plain(field: pa.Field) -> pa.Field:
    """DuckDB sums whole numbers in 128 bits, which Arrow knows only as decimals and few readers know at all."""
    whole = pa.types.is_decimal(field.type) and field.type.scale == 0
    return field.with_type(pa.int64()) if whole else field


def _batches(
    session: Session, reader: pa.RecordBatchReader, schema: pa.Schema, views: Mapping[str, Any]
) -> Iterator[pa.RecordBatch]:
    def following(_: duckdb.DuckDBPyConnection) -> pa.RecordBatch | None:
        batch = next(reader, None)
        return None if batch is None else _cast(batch, schema)

    with _explained(session, views):
        while (batch := session.call(following)) is not None:
            yield batch


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    try:
        return batch.cast(schema)
    except pa.ArrowInvalid as error:
        raise UsageError(
            "A whole number in the result does not fit into 64 bits.", hint="Cast it: sum(x)::DOUBLE."
        ) from error


@contextmanager
def _explained(session: Session, views: Mapping[str, Any]) -> Iterator[None]:
    """Around work of DuckDB: what a view raised comes out as it was, the rest as an error of ours."""
    try:
        yield
    except (
        duckdb.Error,
        pa.ArrowException,
        OSError,
    ) as error:  # what fails in mid-stream comes through Arrow
        raise session.watch.error or _ours(str(error), session.limits, views) from error


def _ours(text: str, limits: Limits, views: Mapping[str, Any]) -> OwnLimit | UsageError:
    if text.startswith("Out of Memory"):
        return OwnLimit(
            f"The query needs more than {limits.memory:,} MiB of memory and was stopped.",
            hint="Narrow it by symbol, timeframe and ts, or aggregate before sorting and joining.",
        )
    return UsageError(f"DuckDB cannot run the query: {_short(text)}", hint=listing(views))


def _short(text: str) -> str:
    """What DuckDB says before it draws the query."""
    said, _, _ = text.partition("\n\n")
    return " ".join(said.splitlines()[:_LONGEST_MESSAGE])
