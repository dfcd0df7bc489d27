"""Tables that both stores share: catalogue, ledger, wishes, actions, leases, limiter and runs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    insert,
    update,
)

# SQLite gives out row numbers only to a key that is spelled INTEGER; elsewhere instants need 64 bits.
Whole = BigInteger().with_variant(Integer(), "sqlite")

SHARED = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    """A table whose text key is its place: no second tree beside it."""
    return Table(name, SHARED, *columns, sqlite_with_rowid=False)


META = _table("meta", Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

SERIES = Table(
    "series",
    SHARED,
    Column("id", Whole, primary_key=True),
    Column("ticker", Text, nullable=False),
    Column("asset_class", Text, nullable=False),
    Column("timeframe", Text, nullable=False),  # a base; the plain store has derived ones beside them
    Column("asked", Integer, nullable=False, default=0),  # 1: a person asked for exactly this timeframe
    Column("bars", Whole, nullable=False, default=0),
    Column("first_ts", Whole),
    Column("last_ts", Whole),
    Column("stored_bytes", Whole, nullable=False, default=0),
    Column("written", Whole, nullable=False, default=0),  # Unix ms of the last write; never goes back
    Column("revision", Whole, nullable=False, default=0),  # how often it was written
    Index("series_name", "ticker", "timeframe", unique=True),
)

LEDGER = Table(
    "ledger",
    SHARED,
    Column("id", Whole, primary_key=True),
    Column("series_id", Whole, ForeignKey("series.id"), nullable=False),
    Column("start_ts", Whole, nullable=False),
    Column("end_ts", Whole, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("recorded", Whole, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rows", Whole, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("due", Whole),
    Index("ledger_series", "series_id", "id"),
)

WISH = _table(
    "wish",
    Column("ticker", Text, primary_key=True),
    Column("timeframe", Text, primary_key=True),
    Column("asset_class", Text, nullable=False),
    Column("start_ts", Whole, nullable=False),
    Column("end_ts", Whole, nullable=False),
)

ACTION = _table(
    "action",
    Column("ticker", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("date", Text, nullable=False),
    Column("ratio_from", Text, nullable=False),
    Column("ratio_to", Text, nullable=False),
    Column("cash", Text, nullable=False),
    Column("currency", Text, nullable=False),
)

LEASE = _table(
    "lease",
    Column("resource", Text, primary_key=True),
    Column(
        "holder", Text, nullable=False
    ),  # "" once it was given back: the row stays, so that fences only rise
    Column("fence", Whole, nullable=False),
    Column("expires", Whole, nullable=False),
)

LIMITER = _table(
    "limiter",
    Column("profile", Text, primary_key=True),
    Column("turns", LargeBinary, nullable=False),  # Unix seconds of the turns in the window, doubles, rising
    Column("held_until", Float, nullable=False),
)

RUN = _table(
    "run",
    Column("run_id", Text, primary_key=True),
    Column("started", Whole, nullable=False),
    Column("ended", Whole),
    Column("wish", Text, nullable=False),
    Column("report", Text),
)


def beside_shared() -> MetaData:
    """A store's own set of tables, the shared ones in it."""
    tables = MetaData()
    for table in SHARED.sorted_tables:
        table.to_metadata(tables)
    return tables


def put(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Write a row over the one of the same key, inside a writing transaction (so nobody comes between)."""
    key = and_(*(column == row[column.name] for column in table.primary_key))
    if not connection.execute(update(table).where(key).values(row)).rowcount:
        connection.execute(insert(table), row)
