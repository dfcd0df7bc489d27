"""Updates once a day, for a program that runs for long: waits, updates, tells, and outlives what goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from gapless.app.aio import AsyncWarehouse
from gapless.app.instants import iso
from gapless.app.warehouse import open_warehouse
from gapless.errors import GaplessError, LeaseHeld, StorageError, VendorDown
from gapless.ports import Clock
from gapless.reports import RunReport
from gapless.settings import Settings
from gapless.vocabulary.daily import Daily
from gapless.vocabulary.timeframe import MINUTE

_GLANCE = 60.0
"""Seconds between two looks at the date: a machine that was asleep, or whose clock was set, is late by no more."""

_SOON = 30 * MINUTE
"""When an update that was kept from running is tried again, in milliseconds."""

_PASSING = frozenset({LeaseHeld.exit_code, StorageError.exit_code, VendorDown.exit_code})
"""Exit codes of what may be over in half an hour. A limit of the person's own is not: it holds until tomorrow."""

_DONE = frozenset({0, 3})
"""Exit codes of a run that asked for all there was to ask."""


async def keep_fresh(
    update: Callable[[], Awaitable[RunReport]],
    daily: Daily,
    clock: Clock,
    tell: Callable[[str], None],
    *,
    last: int | None = None,
) -> None:
    """Call `update` every day, until cancelled; it never returns and never fails.

    Args:
        update: brings a store up to now.
        daily: at what time.
        clock: tells the date.
        tell: hears what is due, done or wrong, in sentences.
        last: when the store was last brought up to now (Unix ms); where an update was missed since, one runs at once.
    """
    due = daily.next_after(clock.now() if last is None else last)
    while True:
        if due > clock.now():
            tell(f"The next update is due at {iso(due)} ({daily}).")
        while (left := due - clock.now()) > 0:
            await clock.sleep(min(left / 1000, _GLANCE))
        passing = await _update(update, tell)
        due = daily.next_after(clock.now())
        if passing:
            due = min(due, clock.now() + _SOON)


async def _update(update: Callable[[], Awaitable[RunReport]], tell: Callable[[str], None]) -> bool:
    """Update once; whether what kept it from running may be over soon."""
    try:
        report = await update()
    except GaplessError as error:
        tell(f"The update did not run: {error.message} {error.hint}".rstrip())
        return True
    except Exception as error:  # noqa: BLE001 - the boundary of one update: the next one is due whatever went wrong
        tell(f"The update ended with a fault in gapless: {type(error).__name__}: {error}")
        return True
    tell(_words(report))
    return report.error_exit in _PASSING


def _words(report: RunReport) -> str:
    if report.error:
        return f"The update ended early: {report.error} {report.error_hint}".rstrip()
    done = f"{report.completed} of {report.jobs} complete, {report.inserted:,} new bars"
    gaps = f"; gaps that remain: {report.gaps}" if report.gaps else ""
    return f"Updated: {done}, {report.requests} requests{gaps}."


async def update_once(settings: Settings, clock: Clock) -> RunReport:
    """Open the store, update it, let go of it; one that is cancelled finishes the pages in hand.

    Raises:
        NoStore: there is none yet.
        StorageError: it cannot be used.
    """
    house = await asyncio.to_thread(open_warehouse, settings, create=False, clock=clock)
    async with AsyncWarehouse(house) as fresh:
        return await fresh.update()


def last_done(runs: Iterable[Mapping[str, Any]]) -> int | None:
    """When the last of these runs ended that was not kept from its work, in Unix ms; None where there is none."""
    ended = [run["ended"] for run in runs if run["ended"] and (run["report"] or {}).get("exit_code") in _DONE]
    return max(ended, default=None)
