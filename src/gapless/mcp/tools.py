"""The tools: each calls one method of the warehouse, and cuts what is too long with a mark that says so."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gapless.app import Bars, Warehouse, open_warehouse
from gapless.errors import DoubtfulAdjustmentWarning
from gapless.mcp import arguments
from gapless.reports import Mark, SeriesStatus
from gapless.reports.plain import iso
from gapless.settings import Settings
from gapless.vocabulary.batch import NO_TRADES
from gapless.vocabulary.events import Event, JobEnded, RunStarted

_MOST = 100
"""So many series, gaps or jobs are listed, the others counted."""

_Item = TypeVar("_Item")


@dataclass(slots=True)
class Work:
    """One call at work: the store is opened for it alone, so that what other programs did meanwhile is seen."""

    settings: Settings
    total: int = 0
    done: int = 0
    _stopped: bool = False
    _opened: list[Warehouse] = field(default_factory=list)

    @contextmanager
    def open(self, *, required: bool = True) -> Iterator[Warehouse]:
        """The store that the settings name, to be read only."""
        with open_warehouse(self.settings, create=False, required=required, read_only=True) as warehouse:
            yield warehouse

    @contextmanager
    def open_to_write(self) -> Iterator[Warehouse]:
        """The same to write, made where there is none."""
        with open_warehouse(self.settings) as warehouse:
            self._opened.append(warehouse)
            yield warehouse

    def stop(self) -> None:
        """Finish the page in hand and end; from any thread."""
        self._stopped = True
        for warehouse in list(self._opened):
            warehouse.stop()

    def tell(self, event: Event) -> None:
        """Count the jobs of a run; one that was to be stopped before it began is stopped now."""
        if isinstance(event, RunStarted):
            self.total = event.jobs
        self.done += isinstance(event, JobEnded)
        if self._stopped:
            self.stop()


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: what clients are told of it, and what it does."""

    name: str
    title: str
    about: str
    takes: type
    work: Callable[[Work, Any], dict[str, object]]
    writes: bool = False


def _coverage(work: Work, asked: arguments.Coverage) -> dict[str, object]:
    with work.open() as warehouse:
        found = warehouse.status(asked.symbols, asked.timeframes)
    shown, cut = _first(found, _MOST, "series", "name symbols or timeframes")
    return {"cut": cut, "series": [_series(one) for one in shown]}


def _series(one: SeriesStatus) -> dict[str, object]:
    """A series without the months in which nothing is missing."""
    unfinished = [
        {"month": month.month, "state": month.mark.name.lower(), "percent": month.percent}
        for month in one.months
        if month.mark not in (Mark.COMPLETE, Mark.CLOSED, Mark.OUTSIDE)
    ]
    return {
        "symbol": one.symbol,
        "timeframe": one.timeframe,
        "base": one.base,
        "start": one.start,
        "end": one.end,
        "percent": one.percent,
        "bars": one.bars,
        "provisional": one.provisional,
        "unfinished_months": unfinished,
    }


def _bars(work: Work, asked: arguments.Bars) -> dict[str, object]:
    with work.open() as warehouse, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DoubtfulAdjustmentWarning)
        found = warehouse.bars(
            asked.symbol,
            asked.timeframe,
            asked.start,
            asked.end,
            session=asked.session,
            adjust=asked.adjust,
            as_of=asked.as_of,
            on_gap=asked.on_gap,
            provisional=asked.provisional,
        )
    columns, rows = _rows(found, asked.limit)
    gaps, cut = _first(found.gaps, _MOST, "gaps", "use the tool `gaps`")
    if len(rows) < len(found):
        earlier = f"for the ones before, the same with end={rows[0][0]}"
        cut = f"These are the last {len(rows):,} of {len(found):,} bars: {earlier}. {cut}".rstrip()
    return {
        "cut": cut,
        "symbol": asked.symbol,
        "timeframe": found.timeframe,
        "bars": len(found),
        "final_until": found.final_until,
        "gaps": gaps,
        "notes": [str(one.message) for one in caught],
        "columns": columns,
        "rows": rows,
    }


def _rows(found: Bars, limit: int) -> tuple[list[str], list[list[object]]]:
    """The last rows of one symbol; what the vendor did not give is NaN or null."""
    (part,) = found.parts
    columns = {name: column[-limit:].tolist() for name, column in part.columns.items()}
    columns["ts"] = [iso(ts) for ts in columns["ts"]]
    columns["trades"] = [None if trades == NO_TRADES else trades for trades in columns["trades"]]
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def _gaps(work: Work, asked: arguments.Gaps) -> dict[str, object]:
    with work.open() as warehouse:
        found = warehouse.gaps(asked.symbols)
    shown, cut = _first(found, asked.limit, "gaps", "name symbols or give a higher limit")
    return {"cut": cut, "gaps": shown}


def _explain(work: Work, asked: arguments.Explain) -> dict[str, object]:
    with work.open() as warehouse:
        return {"explanation": warehouse.explain(asked.symbol, asked.timeframe, asked.instant)}


def _plan(work: Work, asked: arguments.Fetch) -> dict[str, object]:
    with work.open(required=False) as warehouse:
        made = warehouse.plan(asked.symbols, asked.timeframes, asked.start, asked.end).as_dict()
    shown, cut = _first(made.pop("jobs"), _MOST, "jobs", "the sums are of all")
    return {"cut": cut, **made, "jobs": shown}


def _backfill(work: Work, asked: arguments.Fetch) -> dict[str, object]:
    wish = asked.symbols, asked.timeframes, asked.start, asked.end
    # Planned before a store is made: a word that is not understood leaves nothing behind.
    with work.open(required=False) as warehouse:
        warehouse.plan(*wish)
    with work.open_to_write() as warehouse:
        report = warehouse.backfill(*wish, tell=work.tell).as_dict()
    del report["targets"]
    problems, cut = _first(report["problems"], _MOST, "problems", "use the tool `gaps`")
    return {"cut": cut, "report": report | {"problems": problems}}


def _first(items: Sequence[_Item], limit: int, what: str, more: str) -> tuple[Sequence[_Item], str]:
    """The first items, and what to say where that is not all; empty where it is."""
    if len(items) <= limit:
        return items, ""
    return items[:limit], f"These are the first {limit:,} of {len(items):,} {what}: {more}."


TOOLS = (
    Tool(
        "coverage",
        "How complete the store is",
        "How complete each series is that was ever asked for: percent of the time that the market was open, bars, "
        "and the months in which something is missing. Times are UTC.",
        arguments.Coverage,
        _coverage,
    ),
    Tool(
        "bars",
        "Read bars",
        "Bars (OHLCV) of one symbol, proved complete: where bars are missing it is an error that says which and why, "
        "unless on_gap is `mark`. `ts` is the start of a bar in UTC. Where `cut` is not empty there are more rows.",
        arguments.Bars,
        _bars,
    ),
    Tool(
        "gaps",
        "List what is missing",
        "Every stretch that is missing: why, and when it is asked for again (`due`).",
        arguments.Gaps,
        _gaps,
    ),
    Tool(
        "explain",
        "Explain one bar",
        "What is known of one bar: its numbers, that nothing traded, that the market was closed, or that it is missing "
        "and why.",
        arguments.Explain,
        _explain,
    ),
    Tool(
        "plan",
        "Tell what a backfill would cost",
        "What a backfill would ask the vendor for, in requests, bars and seconds at the allowed rate, without asking.",
        arguments.Fetch,
        _plan,
    ),
    Tool(
        "backfill",
        "Fetch what is missing",
        "Fetch what is missing of these symbols into the store, and remember that they are wanted. It can take long: "
        "use `plan` first. A call that is cancelled keeps what it read; the same call again goes on from there.",
        arguments.Fetch,
        _backfill,
        writes=True,
    ),
)
"""Every tool, in the order in which clients see them."""
