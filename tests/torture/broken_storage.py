"""Bugs to plant in the storage of a process: what keeps a store honest is switched off."""

import shutil
from contextlib import nullcontext
from pathlib import Path

from sqlalchemy import Connection

from gapless.stores import database, plain, upgrade
from gapless.stores.database import Database


def failures_untold() -> None:
    """What SQLite raises goes up as it is."""
    vars(database)["told"] = lambda _path, _needs=0: nullcontext()


def synced_again() -> None:
    """After a sync that failed, writing goes on as if nothing had been."""
    Database._synced = lambda _: nullcontext()  # type: ignore[method-assign, assignment, return-value]


def copied_without_its_journal(db: Database, part: Path, _target: Path) -> None:
    """A backup that copies the file alone, whatever is still beside it."""
    shutil.copyfile(db.path, part)


def nothing_kept() -> None:
    """A store is brought up to date without a copy of what it was."""
    vars(plain)["keep_copy"] = lambda *_: None


def upgraded_in_pieces() -> None:
    """Rows get their new layout in a transaction of their own."""
    part = upgrade.part_provisional_rows

    def apart(connection: Connection) -> None:
        part(connection)
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    vars(plain)["part_provisional_rows"] = apart
