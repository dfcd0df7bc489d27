"""Upgrades of the plain store: what an earlier layout needs to become today's, after a copy of it was kept."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from gapless.crash import crash_point
from gapless.errors import StoreDamaged
from gapless.stores.backup import copy_whole
from gapless.stores.database import Database
from gapless.stores.marks import make_views
from gapless.stores.rows import BAR


def keep_copy(db: Database, schema: int) -> None:
    """Keep the file as it is, beside itself: `market_data.db` of schema 1 becomes `market_data.db.schema1` too.

    Raises:
        StoreFull: there is no room for a copy.
        StoreDamaged: SQLite finds damage in it; nothing was changed.
    """
    copy_whole(db, db.path.with_name(f"{db.path.name}.schema{schema}"), _prove, replace=True)
    crash_point("upgrade-copied")


def part_provisional_rows(connection: Connection) -> None:
    """From schema 1 to 2: rows get `provisional` in their key, all of them 0, and there are two views."""
    columns = ", ".join(column.name for column in BAR.columns if column.name != "provisional")
    connection.exec_driver_sql("DROP VIEW market_data")
    connection.exec_driver_sql("ALTER TABLE bar RENAME TO bar_of_schema_1")
    BAR.create(connection)
    connection.exec_driver_sql(
        f"INSERT INTO bar (provisional, {columns}) SELECT 0, {columns} FROM bar_of_schema_1"  # noqa: S608  our own names
    )
    connection.exec_driver_sql("DROP TABLE bar_of_schema_1")
    make_views(connection)
    crash_point("upgrade-moved")


def _prove(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as db:
        said = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if said != "ok":
        raise StoreDamaged(
            f"The store is of an earlier layout and was not brought up to date, because it is damaged: {said}.",
            hint="Put a copy of the file in its place, or backfill into a new store with `--store`.",
        )
