"""Derived rows: in the plain store every timeframe that somebody asked for is there to be counted by SQL."""

from collections.abc import Callable, Iterator

import numpy as np
from sqlalchemy import Connection, select

from gapless.errors import StorageError
from gapless.stores.coverage import covered
from gapless.stores.marks import mark, mismarked
from gapless.stores.records import Listed
from gapless.stores.rows import delete_span, insert_rows, read_rows
from gapless.stores.schema import SERIES
from gapless.stores.windows import whole_windows
from gapless.vocabulary.batch import Batch, Ints
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.timeframe import DAY, TIMEFRAMES, Base, Timeframe

Derive = Callable[[Batch, Timeframe, AssetClass], Batch]
"""Makes the bars of a timeframe of sorted base bars that hold whole windows."""

OpenTime = Callable[[Instrument, Base, Span], SpanSet]
"""Where in a span the market was open, or may have been: only there can a bar be missing."""

ReadBase = Callable[[Span], Batch]

_CHUNK = 60 * DAY
"""How much is derived at a time: memory stays small whatever the history."""


class Derived:
    """Keeps derived rows in step with their base rows, inside the transaction that changes those."""

    def __init__(self, derive: Derive | None, open_time: OpenTime | None) -> None:
        self._derive = derive
        self._open_time = open_time

    def refresh(
        self, connection: Connection, base: Listed, touched: Span, read: ReadBase, written: int
    ) -> None:
        """Make anew every asked window that `touched` reaches into; `read` gives the base bars of a span."""
        for listed in _asked(connection, base):
            whole = whole_windows(touched, _timeframe(listed), base.instrument.asset_class)
            self._replace(connection, listed, whole, read(whole), written)

    def fill_all(self, connection: Connection, base: Listed, read: ReadBase) -> None:
        """Make all rows of every asked timeframe anew."""
        for listed in _asked(connection, base):
            self.fill(connection, base, listed, read)

    def fill(self, connection: Connection, base: Listed, listed: Listed, read: ReadBase) -> None:
        """Make all rows of one timeframe, of which there are none or others."""
        for chunk in _chunks(base, listed):
            self._replace(connection, listed, chunk, read(chunk), base.written)
            mark(connection, listed.id, chunk, self._open(connection, base, listed, chunk))

    def settle(self, connection: Connection, base: Listed, region: Span) -> None:
        """Mark anew, by what is covered now, every row whose window reaches into `region`."""
        for listed in _asked(connection, base):
            whole = whole_windows(region, _timeframe(listed), base.instrument.asset_class)
            mark(connection, listed.id, whole, self._open(connection, base, listed, whole))

    def wrong(self, connection: Connection, base: Listed) -> Iterator[tuple[Span, str]]:
        """The stretches where derived rows are not what the base rows give, and what is wrong."""
        for listed in _asked(connection, base):
            for chunk in _chunks(base, listed):
                bars = read_rows(connection, base.id, chunk).bars
                if self._made(listed, bars) != read_rows(connection, listed.id, chunk).bars:
                    yield chunk, f"rows of {listed.timeframe} are not what the {base.timeframe} bars give"
                elif any(
                    mismarked(connection, listed.id, chunk, self._open(connection, base, listed, chunk))
                ):
                    yield chunk, f"rows of {listed.timeframe} are not as final as the ledger says"

    def _replace(self, connection: Connection, listed: Listed, span: Span, bars: Batch, written: int) -> None:
        delete_span(connection, listed.id, span)
        insert_rows(connection, listed.id, self._made(listed, bars), written)

    def _open(self, connection: Connection, base: Listed, listed: Listed, span: Span) -> SpanSet:
        """Where windows start that open time reaches into which is not covered; `span` holds whole windows."""
        possible = SpanSet([span])
        if self._open_time:
            possible = self._open_time(base.instrument, base.base, span).clip(span)
        missing = list(possible - covered(connection, base.id, span))
        if not missing:
            return SpanSet()
        edges = np.array([edge for gap in missing for edge in (gap.start, gap.end - 1)], np.int64)
        windows = self._made(listed, _stamps(np.unique(edges))).ts
        starts = windows[np.searchsorted(windows, edges, side="right") - 1].reshape(-1, 2)
        return SpanSet(Span(first, last + 1) for first, last in starts.tolist())

    def _made(self, listed: Listed, bars: Batch) -> Batch:
        if self._derive is None:
            raise StorageError(
                f"{listed.name} is kept as rows, but this store was opened without a way to derive them.",
                hint="Open it with `derive=`, as `gapless.open` does.",
            )
        return self._derive(bars, _timeframe(listed), listed.instrument.asset_class)


def _stamps(ts: Ints) -> Batch:
    """Bars with nothing but their start: what is derived of them tells in which windows they are."""
    nothing = np.zeros(len(ts))
    return Batch(ts, nothing, nothing, nothing, nothing, nothing, nothing, np.zeros(len(ts), np.int64))


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
