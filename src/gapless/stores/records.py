"""What stands beside the bars: catalogue of series, ledger, wishes, runs."""

import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from gapless.crash import crash_point
from gapless.errors import StorageError
from gapless.stores.actions import Actions
from gapless.stores.changes import Edges
from gapless.stores.coverage import covered
from gapless.stores.database import Database
from gapless.stores.schema import LEDGER, RUN, SERIES, WISH, put
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import EVER, Span, SpanSet
from gapless.vocabulary.steps import Entry, Outcome, Receipt, Series, Wish
from gapless.vocabulary.timeframe import Base, Timeframe

_COUNTED = ("bars", "first_ts", "last_ts", "stored_bytes", "written", "revision")


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the catalogue. `written` is the Unix ms of the last write, `revision` how many there were."""

    id: int
    ticker: str
    asset_class: str
    timeframe: str
    asked: int
    bars: int
    first_ts: int | None
    last_ts: int | None
    stored_bytes: int
    written: int
    revision: int

    @property
    def name(self) -> str:
        """What people and checksums call the series."""
        return f"{self.ticker} {self.timeframe}"

    @property
    def instrument(self) -> Instrument:
        """What the series is of."""
        return Instrument(AssetClass(self.asset_class), self.ticker)

    @property
    def hull(self) -> Span | None:
        """From the first bar's start to just after the last one's, None without bars."""
        return (
            None if self.first_ts is None or self.last_ts is None else Span(self.first_ts, self.last_ts + 1)
        )

    @property
    def base(self) -> Base:
        """The base of a base series."""
        return Base(self.timeframe)


class Records(Actions):
    """The part of a store that is not bars, leases or turns."""

    _db: Database
    _vouched: dict[int, tuple[int, SpanSet]]
    """By the number of a series: its revision, and what was covered then. Any write to its ledger raises the former."""

    def moment(self) -> AbstractContextManager[None]:
        """All that this thread reads until it leaves is as it was when it began, whatever is written meanwhile."""
        return self._db.moment()

    def covered(self, instrument: Instrument, base: Base) -> SpanSet:
        """Where the ledger of a series vouches for its bars; it is folded once for each state of the series."""
        with self._db.reading() as connection:
            listed = find(connection, instrument, base)
            if listed is None:
                return SpanSet()
            revision, spans = self._vouched.get(listed.id, (-1, SpanSet()))
            if revision != listed.revision:
                spans = covered(connection, listed.id, EVER)
                self._vouched[listed.id] = listed.revision, spans
            return spans

    def entries(self, instrument: Instrument, base: Base) -> list[Entry]:
        """Every ledger entry of a series in the order of writing."""
        with self._db.reading() as connection:
            listed = find(connection, instrument, base)
            if listed is None:
                return []
            rows = connection.execute(_ENTRIES, {"its_id": listed.id})
            return [_entry(instrument, base, row._mapping) for row in rows]  # noqa: SLF001  SQLAlchemy's public name

    def series(self) -> list[Series]:
        """What is stored, by ticker and base; a series without bars has entries."""
        with self._db.reading() as connection:
            return [
                Series(s.instrument, s.base, s.bars, s.first_ts, s.last_ts, s.stored_bytes)
                for s in base_series(connection)
            ]

    def remember(self, wishes: Iterable[Wish]) -> None:
        """Keep what was asked for; a wish of the same instrument and timeframe grows to the union's hull."""
        with self._db.writing() as connection:
            for wish in wishes:
                _remember(connection, wish)
                self._asked(connection, wish)

    def _asked(self, connection: Connection, wish: Wish) -> None:
        """What else a store does, in the same transaction, for a timeframe that somebody wants."""

    def forget(self, wishes: Iterable[Wish]) -> None:
        """Want these no longer; their bars and what is known of them stay."""
        with self._db.writing() as connection:
            for wish in wishes:
                named = (WISH.c.ticker == wish.instrument.ticker, WISH.c.timeframe == wish.timeframe.name)
                connection.execute(delete(WISH).where(*named))

    def wishes(self) -> list[Wish]:
        """All that was ever asked for, by ticker and timeframe."""
        with self._db.reading() as connection:
            rows = connection.execute(select(WISH).order_by(WISH.c.ticker, WISH.c.timeframe))
            return [
                Wish(
                    Instrument(AssetClass(row.asset_class), row.ticker),
                    Timeframe.parse(row.timeframe),
                    Span(row.start_ts, row.end_ts),
                )
                for row in rows
            ]

    def begin_run(self, run_id: str, started: int, wish: Mapping[str, Any]) -> None:
        """Record that a run began at `started` (Unix ms), and what it was asked for."""
        with self._db.writing() as connection:
            row = {"run_id": run_id, "started": started, "wish": json.dumps(dict(wish))}
            connection.execute(insert(RUN), row)
        crash_point("run-begun")

    def note_progress(self, run_id: str, progress: Mapping[str, Any]) -> None:
        """Keep how far a run is, over what was kept before; nothing once it has ended. A power cut may take it."""
        going = (RUN.c.run_id == run_id) & RUN.c.ended.is_(None)
        with self._db.writing(light=True) as connection:
            # A run that goes on has no report yet: its place is free.
            connection.execute(update(RUN).where(going).values(report=json.dumps(dict(progress))))

    def end_run(self, run_id: str, ended: int, report: Mapping[str, Any]) -> None:
        """Record how a run ended at `ended` (Unix ms)."""
        change = (
            update(RUN).where(RUN.c.run_id == run_id).values(ended=ended, report=json.dumps(dict(report)))
        )
        with self._db.writing() as connection:
            if not connection.execute(change).rowcount:
                raise StorageError(f"Run `{run_id}` ends, but it never began in `{self._db.path}`.")
        crash_point("run-ended")

    def runs(self, limit: int = 20, run_id: str | None = None) -> list[dict[str, Any]]:
        """The latest runs, or this one, newest first.

        While one runs, or where it was killed, `ended` and `report` are None, and `progress` is what it last noted.
        """
        chosen = select(RUN).order_by(RUN.c.started.desc(), RUN.c.run_id).limit(limit)
        if run_id is not None:
            chosen = chosen.where(RUN.c.run_id == run_id)
        with self._db.reading() as connection:
            return [_run(row) for row in connection.execute(chosen)]

    def pulse(self) -> int:
        """Another number whenever anything was written by anybody else; asking costs microseconds."""
        return self._db.pulse()

    def stamps(self) -> dict[tuple[str, str], tuple[int, int]]:
        """By ticker and base: how often the series was written, and when last (Unix ms)."""
        with self._db.reading() as connection:
            rows = base_series(connection)
        return {(listed.ticker, listed.timeframe): (listed.revision, listed.written) for listed in rows}


# -- the catalogue and the ledger, inside a transaction ----------------------


# Built once: composing a statement costs more than running it.
_FIND = select(SERIES).where(
    SERIES.c.ticker == bindparam("its_ticker"), SERIES.c.timeframe == bindparam("its_timeframe")
)
_RELIST = (
    update(SERIES)
    .where(SERIES.c.id == bindparam("its_id"))
    .values({name: bindparam(name) for name in _COUNTED})
)
_ENTRIES = select(LEDGER).where(LEDGER.c.series_id == bindparam("its_id")).order_by(LEDGER.c.id)
_APPEND = insert(LEDGER).returning(LEDGER.c.id)


def find(connection: Connection, instrument: Instrument, timeframe: str) -> Listed | None:
    """The catalogue's row of a series, None where nothing was ever written or asked for."""
    key = {"its_ticker": instrument.ticker, "its_timeframe": timeframe}
    row = connection.execute(_FIND, key).one_or_none()
    return Listed(*row) if row else None


def find_or_add(connection: Connection, instrument: Instrument, timeframe: str) -> Listed:
    """The catalogue's row of a series, made now where there was none."""
    if listed := find(connection, instrument, timeframe):
        return listed
    fresh = {"ticker": instrument.ticker, "asset_class": instrument.asset_class.value, "timeframe": timeframe}
    connection.execute(insert(SERIES), fresh)
    listed = find(connection, instrument, timeframe)
    assert listed is not None
    return listed


def base_series(connection: Connection) -> list[Listed]:
    """The catalogue's rows of base series with bars or entries, by ticker and base."""
    chosen = SERIES.c.timeframe.in_([base.value for base in Base]) & (SERIES.c.revision > 0)
    rows = connection.execute(select(SERIES).where(chosen).order_by(SERIES.c.ticker, SERIES.c.timeframe))
    return [Listed(*row) for row in rows]


def relist(
    connection: Connection,
    listed: Listed,
    edges: Edges,
    written: int,
    *,
    bars: int,
    stored_bytes: int | None = None,
) -> None:
    """Count one more write of a series, with its first and last bar's start, and bars and bytes as they are now."""
    first, last = edges
    row = {
        "its_id": listed.id,
        "bars": bars,
        "first_ts": first,
        "last_ts": last,
        "stored_bytes": listed.stored_bytes if stored_bytes is None else stored_bytes,
        "written": written,
        "revision": listed.revision + 1,
    }
    connection.execute(_RELIST, row)


def count_write(connection: Connection, listed: Listed, edges: Edges, written: int, receipt: Receipt) -> None:
    """Bring the catalogue up to date with what a write did."""
    bars = listed.bars + receipt.inserted - receipt.withdrawn
    stored_bytes = listed.stored_bytes + receipt.stored_bytes
    relist(connection, listed, edges, written, bars=bars, stored_bytes=stored_bytes)
    crash_point("series-counted")


def append(connection: Connection, series_id: int, entries: Iterable[Entry]) -> int:
    """Append entries to the ledger; returns the number of the first."""
    rows = [_ledger_row(series_id, entry) for entry in entries]
    first: int = connection.execute(_APPEND, rows[0]).scalar_one()
    if len(rows) > 1:
        connection.execute(insert(LEDGER), rows[1:])
    return first


def _run(row: Row[Any]) -> dict[str, Any]:
    noted = json.loads(row.report) if row.report else None
    return {
        "run_id": row.run_id,
        "started": row.started,
        "ended": row.ended,
        "wish": json.loads(row.wish),
        "progress": noted if row.ended is None else None,
        "report": noted if row.ended is not None else None,
    }


def _ledger_row(series_id: int, entry: Entry) -> dict[str, Any]:
    return {
        "series_id": series_id,
        "start_ts": entry.span.start,
        "end_ts": entry.span.end,
        "outcome": entry.outcome.value,
        "recorded": entry.recorded,
        "reason": entry.reason,
        "rows": entry.rows,
        "request_id": entry.request_id,
        "digest": entry.digest,
        "url": entry.url,
        "job_id": entry.job_id,
        "run_id": entry.run_id,
        "due": entry.due,
    }


def _entry(instrument: Instrument, base: Base, row: Mapping[Any, Any]) -> Entry:
    return Entry(
        instrument=instrument,
        base=base,
        span=Span(row["start_ts"], row["end_ts"]),
        outcome=Outcome(row["outcome"]),
        recorded=row["recorded"],
        reason=row["reason"],
        rows=row["rows"],
        request_id=row["request_id"],
        digest=row["digest"],
        url=row["url"],
        job_id=row["job_id"],
        run_id=row["run_id"],
        due=row["due"],
    )


def _remember(connection: Connection, wish: Wish) -> None:
    key = (WISH.c.ticker == wish.instrument.ticker, WISH.c.timeframe == wish.timeframe.name)
    old = connection.execute(select(WISH).where(*key)).one_or_none()
    row = {
        "ticker": wish.instrument.ticker,
        "timeframe": wish.timeframe.name,
        "asset_class": wish.instrument.asset_class.value,
        "start_ts": min(wish.span.start, old.start_ts) if old else wish.span.start,
        "end_ts": max(wish.span.end, old.end_ts) if old else wish.span.end,
    }
    put(connection, WISH, row)
