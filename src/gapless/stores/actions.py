"""Splits and dividends in a store: for each stock and kind the vendor's list as it was last read whole."""

from collections.abc import Collection, Iterable
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, delete, insert, select

from gapless.stores.database import Database
from gapless.stores.schema import ACTION, META
from gapless.vocabulary.steps import CorporateAction

# Built once: composing a statement costs more than running it.
_OF = (
    select(ACTION)
    .where(ACTION.c.ticker == bindparam("its_ticker"))
    .order_by(ACTION.c.date, ACTION.c.kind, ACTION.c.id)
)
_DROP = delete(ACTION).where(
    ACTION.c.ticker == bindparam("its_ticker"),
    ACTION.c.kind == bindparam("its_kind"),
    ACTION.c.id == bindparam("its_id"),
)
_READ = select(META.c.value).where(META.c.key == bindparam("its_key"))
_UNREAD = delete(META).where(META.c.key == bindparam("its_key"))


class Actions:
    """The part of a store that is corporate actions."""

    _db: Database

    def put_actions(
        self, kind: str, tickers: Collection[str], stated: Iterable[CorporateAction], *, read: int
    ) -> int:
        """Make `stated` all that is kept of this kind for these tickers; returns how many are new, changed or gone.

        `stated` is the vendor's whole list, read at `read` (Unix ms): what it lacks was withdrawn, an id counts once.
        """
        fresh = set({(action.ticker, action.id): action for action in stated}.values())
        with self._db.writing() as connection:
            known = {a for ticker in tickers for a in _actions_of(connection, ticker) if a.kind == kind}
            if gone := known - fresh:
                keys = [{"its_ticker": a.ticker, "its_kind": a.kind, "its_id": a.id} for a in gone]
                connection.execute(_DROP, keys)
            if new := fresh - known:
                connection.execute(insert(ACTION), [asdict(action) for action in new])
            marks = {_mark(kind, ticker): str(read) for ticker in tickers}
            connection.execute(_UNREAD, [{"its_key": mark} for mark in marks])
            connection.execute(insert(META), [{"key": mark, "value": at} for mark, at in marks.items()])
        return len({(action.ticker, action.id) for action in gone | new})

    def actions(self, ticker: str) -> list[CorporateAction]:
        """The corporate actions of one ticker, by date."""
        with self._db.reading() as connection:
            return _actions_of(connection, ticker)

    def actions_read(self, kind: str, ticker: str) -> int | None:
        """When the list of this kind was last read whole for one ticker (Unix ms); None if it never was."""
        with self._db.reading() as connection:
            read = connection.execute(_READ, {"its_key": _mark(kind, ticker)}).scalar()
        return None if read is None else int(read)


def _mark(kind: str, ticker: str) -> str:
    """The name under which `meta` has when a list was read: nothing else says so where the list is empty."""
    return f"{kind}s of {ticker} read"


def _actions_of(connection: Connection, ticker: str) -> list[CorporateAction]:
    rows = connection.execute(_OF, {"its_ticker": ticker})
    return [CorporateAction(**row._mapping) for row in rows]  # noqa: SLF001  SQLAlchemy's public name
