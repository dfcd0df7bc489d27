"""Derived rows: in the plain store every timeframe that somebody asked for is there to be counted by SQL."""

from collections.abc import Callable, Iterator

from sqlalchemy import DDL, Connection, event, select

from gapless.errors import StorageError
from gapless.stores.records import Listed
from gapless.stores.rows import TABLES, delete_span, insert_rows, read_rows
from gapless.stores.schema import SERIES
from gapless.stores.windows import whole_windows
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, TIMEFRAMES, Timeframe

Derive = Callable[[Batch, Timeframe, AssetClass], Batch]
"""Makes the bars of a timeframe of sorted base bars that hold whole windows."""

ReadBase = Callable[[Span], Batch]

_CHUNK = 60 * DAY
"""How much is derived at a time: memory stays small whatever the history."""

_MARKET_DATA = """
CREATE VIEW market_data AS
SELECT s.ticker AS symbol, s.timeframe AS timeframe, b.ts AS ts,
       strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', b.ts / 1000, 'unixepoch') AS time,
       b.open, b.high, b.low, b.close, b.volume, b.vwap, b.trades
FROM series AS s CROSS JOIN bar AS b
WHERE b.series_id = s.id AND s.asked = 1
"""  # CROSS: SQLite then begins with the few series, and never scans bars that are not asked for
event.listen(TABLES, "after_create", DDL(_MARKET_DATA))  # type: ignore[no-untyped-call]  # SQLAlchemy publishes no type


class Derived:
    """Keeps derived rows in step with their base rows, inside the transaction that changes those."""

    def __init__(self, derive: Derive | None) -> None:
        self._derive = derive

    def refresh(
        self, connection: Connection, base: Listed, touched: Span, read: ReadBase, written: int
    ) -> None:
        """Make anew every asked window that `touched` reaches into; `read` gives the base bars of a span."""
        for listed in _asked(connection, base):
            whole = whole_windows(touched, _timeframe(listed), base.instrument.asset_class)
            self._replace(connection, listed, whole, read(whole), written)

    def fill(self, connection: Connection, base: Listed, listed: Listed, read: ReadBase) -> None:
        """Make all rows of one timeframe that nobody asked for before."""
        for chunk in _chunks(base, listed):
            self._replace(connection, listed, chunk, read(chunk), base.written)

    def wrong(self, connection: Connection, base: Listed) -> Iterator[tuple[Span, str]]:
        """The stretches where derived rows are not what the base rows give, and what is wrong."""
        for listed in _asked(connection, base):
            for chunk in _chunks(base, listed):
                bars = read_rows(connection, base.id, chunk).bars
                if self._made(listed, bars) != read_rows(connection, listed.id, chunk).bars:
                    yield chunk, f"rows of {listed.timeframe} are not what the {base.timeframe} bars give"

    def _replace(self, connection: Connection, listed: Listed, span: Span, bars: Batch, written: int) -> None:
        delete_span(connection, listed.id, span)
        insert_rows(connection, listed.id, self._made(listed, bars), written)

    def _made(self, listed: Listed, bars: Batch) -> Batch:
        if self._derive is None:
            raise StorageError(
                f"{listed.name} is kept as rows, but this store was opened without a way to derive them.",
                hint="Open it with `derive=`, as `gapless.open` does.",
            )
        return self._derive(bars, _timeframe(listed), listed.instrument.asset_class)


def _asked(connection: Connection, base: Listed) -> list[Listed]:
    """The asked timeframes that are derived from a base series."""
    names = [t.name for t in TIMEFRAMES.values() if t.derived and t.base == base.timeframe]
    chosen = select(SERIES).where(
        SERIES.c.ticker == base.ticker, SERIES.c.timeframe.in_(names), SERIES.c.asked == 1
    )
    return [Listed(*row) for row in connection.execute(chosen)]


def _chunks(base: Listed, listed: Listed) -> Iterator[Span]:
    """The whole of a base series in pieces that cut no window of `listed`."""
    if (hull := base.hull) is None:
        return
    at = hull.start
    while at < hull.end:
        piece = Span(at, min(at + _CHUNK, hull.end))
        chunk = whole_windows(piece, _timeframe(listed), base.instrument.asset_class)
        yield chunk
        at = chunk.end


def _timeframe(listed: Listed) -> Timeframe:
    return TIMEFRAMES[listed.timeframe]
