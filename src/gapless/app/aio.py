"""The same front door for code that runs in an event loop: every call works in a thread."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from gapless.adjust import Judged
from gapless.app.doctor import Finding
from gapless.app.inspection import MarketHours
from gapless.app.instants import When
from gapless.app.naming import Names, Place
from gapless.app.warehouse import Warehouse
from gapless.errors import GaplessError
from gapless.frames import Bars, Scan
from gapless.plan import Plan
from gapless.quality import Flag
from gapless.reports import CloseUp, Explanation, RunReport, SeriesStatus
from gapless.sql import Limits, SqlResult
from gapless.transfer import ExportReceipt, ImportReceipt, Layout
from gapless.vocabulary.events import Tell
from gapless.vocabulary.steps import CorporateAction, Damage, Gap, Revision

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_ASK_AGAIN = 0.05
"""Seconds between two attempts to stop a run: one that is still being planned does not hear the first."""


class AsyncWarehouse:
    """A `Warehouse` whose methods are coroutines. Close it, or use it in an `async with` block.

    Reads go on beside each other and beside a run; runs take turns. Where an awaited run is cancelled it finishes
    the pages in hand first: what was read is kept, and the store can be closed. `tell` is called from a thread.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """As `Warehouse.close`."""
        await asyncio.to_thread(self.warehouse.close)

    def stop(self) -> None:
        """As `Warehouse.stop`."""
        self.warehouse.stop()

    # -- plan and run

    async def plan(self, symbols: Names, timeframes: Names, start: When, end: When | None = None) -> Plan:
        """As `Warehouse.plan`."""
        return await asyncio.to_thread(self.warehouse.plan, symbols, timeframes, start, end)

    async def backfill(
        self,
        symbols: Names,
        timeframes: Names,
        start: When,
        end: When | None = None,
        *,
        tell: Tell | None = None,
    ) -> RunReport:
        """As `Warehouse.backfill`."""
        return await self._alone(self.warehouse.backfill, symbols, timeframes, start, end, tell=tell)

    async def update(self, symbols: Names = (), *, tell: Tell | None = None) -> RunReport:
        """As `Warehouse.update`."""
        return await self._alone(self.warehouse.update, symbols, tell=tell)

    async def repair(self, symbols: Names = (), *, tell: Tell | None = None) -> RunReport:
        """As `Warehouse.repair`."""
        return await self._alone(self.warehouse.repair, symbols, tell=tell)

    async def doctor(self) -> list[Finding]:
        """As `Warehouse.doctor`."""
        return await asyncio.to_thread(self.warehouse.doctor)

    # -- ask

    async def status(self, symbols: Names = (), timeframes: Names = ()) -> list[SeriesStatus]:
        """As `Warehouse.status`."""
        return await asyncio.to_thread(self.warehouse.status, symbols, timeframes)

    async def gaps(self, symbols: Names = ()) -> list[Gap]:
        """As `Warehouse.gaps`."""
        return await asyncio.to_thread(self.warehouse.gaps, symbols)

    async def explain(self, symbol: str, timeframe: str, instant: When) -> Explanation:
        """As `Warehouse.explain`."""
        return await asyncio.to_thread(self.warehouse.explain, symbol, timeframe, instant)

    async def days(
        self, symbol: str, timeframe: str = "1m", start: When | None = None, end: When | None = None
    ) -> CloseUp:
        """As `Warehouse.days`."""
        return await asyncio.to_thread(self.warehouse.days, symbol, timeframe, start, end)

    async def stretches(
        self, symbol: str, timeframe: str = "1m", start: When | None = None, end: When | None = None
    ) -> CloseUp:
        """As `Warehouse.stretches`."""
        return await asyncio.to_thread(self.warehouse.stretches, symbol, timeframe, start, end)

    async def hours(self, symbol: str, start: When, end: When | None = None) -> MarketHours:
        """As `Warehouse.hours`."""
        return await asyncio.to_thread(self.warehouse.hours, symbol, start, end)

    async def runs(self, limit: int = 20, run_id: str | None = None) -> list[dict[str, Any]]:
        """As `Warehouse.runs`."""
        return await asyncio.to_thread(self.warehouse.runs, limit, run_id)

    async def forget(self, symbols: Names, timeframes: Names = ()) -> int:
        """As `Warehouse.forget`."""
        return await asyncio.to_thread(self.warehouse.forget, symbols, timeframes)

    # -- read

    async def bars(
        self,
        symbols: Names,
        timeframe: str = "1d",
        start: When | None = None,
        end: When | None = None,
        *,
        session: str = "all",
        adjust: str | None = None,
        as_of: When | None = None,
        on_gap: str = "raise",
        provisional: bool = False,
    ) -> Bars:
        """As `Warehouse.bars`."""
        apart = self._alone if on_gap == "fetch" else asyncio.to_thread
        return await apart(
            self.warehouse.bars,
            symbols,
            timeframe,
            start,
            end,
            session=session,
            adjust=adjust,
            as_of=as_of,
            on_gap=on_gap,
            provisional=provisional,
        )

    async def scan(
        self,
        symbols: Names = (),
        timeframes: Names = (),
        start: When | None = None,
        end: When | None = None,
        *,
        session: str = "all",
        adjust: str | None = None,
        as_of: When | None = None,
        provisional: bool = False,
    ) -> Scan:
        """As `Warehouse.scan`; what reads the scan is plain code and belongs into a thread."""
        return await asyncio.to_thread(
            self.warehouse.scan,
            symbols,
            timeframes,
            start,
            end,
            session=session,
            adjust=adjust,
            as_of=as_of,
            provisional=provisional,
        )

    async def sql(self, query: str, *, limits: Limits | None = None) -> SqlResult:
        """As `Warehouse.sql`."""
        return await asyncio.to_thread(self.warehouse.sql, query, limits=limits)

    async def revisions(
        self, symbol: str, timeframe: str = "1d", start: When | None = None, end: When | None = None
    ) -> list[Revision]:
        """As `Warehouse.revisions`."""
        return await asyncio.to_thread(self.warehouse.revisions, symbol, timeframe, start, end)

    async def quality(
        self, symbols: Names = (), start: When | None = None, end: When | None = None
    ) -> list[Flag]:
        """As `Warehouse.quality`."""
        return await asyncio.to_thread(self.warehouse.quality, symbols, start, end)

    async def actions(self, symbol: str) -> list[CorporateAction]:
        """As `Warehouse.actions`."""
        return await asyncio.to_thread(self.warehouse.actions, symbol)

    async def judged(self, symbol: str, adjust: str = "all") -> list[Judged]:
        """As `Warehouse.judged`."""
        return await asyncio.to_thread(self.warehouse.judged, symbol, adjust)

    # -- out and in

    async def export(
        self,
        out: Place,
        fmt: str,
        symbols: Names = (),
        timeframes: Names = (),
        start: When | None = None,
        end: When | None = None,
        *,
        session: str = "all",
        adjust: str | None = None,
    ) -> ExportReceipt:
        """As `Warehouse.export`."""
        return await asyncio.to_thread(
            self.warehouse.export,
            out,
            fmt,
            symbols,
            timeframes,
            start,
            end,
            session=session,
            adjust=adjust,
        )

    async def import_(
        self, source: Place, layout: Layout | None = None, *, replace: bool = False
    ) -> ImportReceipt:
        """As `Warehouse.import_`."""
        return await asyncio.to_thread(self.warehouse.import_, source, layout, replace=replace)

    async def verify(self, *, repair: bool = False) -> list[Damage]:
        """As `Warehouse.verify`."""
        return await asyncio.to_thread(self.warehouse.verify, repair=repair)

    async def backup(self, target: Place, *, replace: bool = False) -> int:
        """As `Warehouse.backup`."""
        return await asyncio.to_thread(self.warehouse.backup, target, replace=replace)

    # -- inside

    async def _alone(
        self,
        work: Callable[_Arguments, _Result],
        /,
        *args: _Arguments.args,
        **options: _Arguments.kwargs,
    ) -> _Result:
        """Work that may run jobs: after the one before, and stopped where nobody waits for it any more."""
        async with self._turn:
            running = asyncio.ensure_future(asyncio.to_thread(partial(work, *args, **options)))
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                while not running.done():
                    self.stop()
                    await asyncio.wait([running], timeout=_ASK_AGAIN)
                with suppress(GaplessError):  # nobody waits for its result, or for why there is none
                    running.result()
                raise
