"""Marks: which rows of the plain store can still change, so that SQL readers see final ones unless they ask."""

from collections.abc import Iterator

import numpy as np
from sqlalchemy import Connection, MetaData, event

from gapless.stores.rows import TABLES
from gapless.vocabulary.batch import inside
from gapless.vocabulary.span import Span, SpanSet

_VIEW = """
CREATE VIEW {name} AS
SELECT s.ticker AS symbol, s.timeframe AS timeframe, b.ts AS ts,
       strftime('%Y-%m-%dT%H:%M:%SZ', b.ts / 1000, 'unixepoch') AS time,
       b.open, b.high, b.low, b.close, b.volume, b.vwap, b.trades{more}
FROM series AS s CROSS JOIN bar AS b
WHERE b.series_id = s.id AND b.provisional {which} AND s.asked = 1
"""  # CROSS: SQLite then begins with the few series, and never scans bars that are not asked for
_VIEWS = (
    _VIEW.format(name="market_data", more="", which="= 0"),
    _VIEW.format(name="market_data_now", more=", 1 - b.provisional AS final", which="IN (0, 1)"),
)


@event.listens_for(TABLES, "after_create")
def _made(_: MetaData, connection: Connection, **_more: object) -> None:
    make_views(connection)


def make_views(connection: Connection) -> None:
    """Make the views for whoever has only SQL."""
    for view in _VIEWS:
        connection.exec_driver_sql(view)


_MARK = "UPDATE bar SET provisional = ? WHERE series_id = ? AND provisional = ? AND ts >= ? AND ts < ?"


def mark(connection: Connection, series_id: int, region: Span, open_: SpanSet) -> None:
    """Of the rows that start inside `region` make those inside `open_` provisional, and all others final."""
    for span in SpanSet([region]) - open_:
        connection.exec_driver_sql(_MARK, (0, series_id, 1, span.start, span.end))
    for span in open_:
        connection.exec_driver_sql(_MARK, (1, series_id, 0, span.start, span.end))


def mismarked(connection: Connection, series_id: int, region: Span, open_: SpanSet) -> Iterator[Span]:
    """Where rows that start inside `region` are not marked so."""
    provisional = "SELECT ts FROM bar WHERE series_id = ? AND provisional = 1 AND ts >= ? AND ts < ?"
    rows = connection.exec_driver_sql(provisional, (series_id, region.start, region.end))
    marked = np.array([row.ts for row in rows], np.int64)
    if len(wrong := marked[~inside(marked, open_)]):
        yield Span(int(wrong.min()), int(wrong.max()) + 1)
    final = "SELECT 1 FROM bar WHERE series_id = ? AND provisional = 0 AND ts >= ? AND ts < ? LIMIT 1"
    for span in open_:
        if connection.exec_driver_sql(final, (series_id, span.start, span.end)).first():
            yield span
