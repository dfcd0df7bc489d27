"""What is known of the store, for each address that tells it: plain data from the library's own answers."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

from gapless.api.asking import Asked
from gapless.api.problems import Problem
from gapless.api.stock import Stock
from gapless.app import Warehouse
from gapless.errors import NoStore
from gapless.plan import ACTION_KINDS
from gapless.quality import RULES
from gapless.reports import CloseUp, Mark
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.timeframe import TIMEFRAMES, Timeframe

_ORDER = list(TIMEFRAMES.values())
_LOOKED_BACK = 200
"""So many runs are looked through for the last that left nothing missing."""


def symbols(warehouse: Warehouse, _: Asked) -> Any:  # noqa: ANN401 - plain data, as all below
    """What is stored and was asked for, by symbol."""
    found: dict[Instrument, dict[str, Any]] = {}

    def row(instrument: Instrument) -> dict[str, Any]:
        kind = instrument.asset_class.value
        empty = {"symbol": instrument.ticker, "asset_class": kind, "timeframes": [], "bases": []}
        return found.setdefault(instrument, empty)

    for wish in warehouse.store.wishes():
        row(wish.instrument)["timeframes"].append(wish.timeframe)
    for series in warehouse.store.series():
        told = {name: getattr(series, name) for name in ("base", "bars", "first", "last", "stored_bytes")}
        row(series.instrument)["bases"].append(told)
    rows = [found[instrument] for instrument in sorted(found, key=str)]
    for one in rows:
        one["timeframes"] = [frame.name for frame in sorted(one["timeframes"], key=_ORDER.index)]
    return {"symbols": rows}


def coverage(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """How complete every series is, month by month."""
    return {
        "series": [
            asdict(status)
            | {"complete": status.complete, "months": [_marked(asdict(m)) for m in status.months]}
            for status in warehouse.status(asked["symbols"], asked["timeframes"])
        ]
    }


def coverage_of(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """How complete one series is, day by day or minute by minute."""
    dates = asked["symbol"], asked["timeframe"], asked["start"], asked["end"]
    if asked["by"] == "minute":
        found = warehouse.stretches(*dates)
        return _head(found, asked) | {"stretches": [asdict(stretch) for stretch in found.stretches]}
    found = warehouse.days(*dates)
    zone = Instrument.parse(found.symbol).asset_class.zone
    days = [_marked(asdict(day)) | {"day": _date(day.day, zone), "bars": bars} for day, bars in found.days]
    return _head(found, asked) | {"days": days}


def gaps(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """What is missing and why."""
    return {"gaps": [asdict(gap) for gap in warehouse.gaps(asked["symbols"])]}


def explain(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """What is known of one instant."""
    return asdict(warehouse.explain(asked["symbol"], asked["timeframe"], asked["at"]))


def quality(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """What is odd about stored bars."""
    found = warehouse.quality(asked["symbols"], asked["start"], asked["end"])
    return {"flags": [asdict(flag) for flag in found], "rules": RULES}


def revisions(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """What the vendor changed afterwards."""
    found = warehouse.revisions(asked["symbol"], asked["timeframe"], asked["start"], asked["end"])
    base = Timeframe.parse(asked["timeframe"]).base
    return {"symbol": asked["symbol"], "base": base, "revisions": [asdict(one) for one in found]}


def actions(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """Splits and dividends, each with its verdict."""
    ticker = Instrument.parse(asked["symbol"]).ticker
    return {
        "symbol": asked["symbol"],
        "read": {kind: warehouse.store.actions_read(kind, ticker) for kind in ACTION_KINDS},
        "actions": [
            {
                "kind": one.kind,
                "date": one.date,
                "at": one.at,
                "ids": one.ids,
                "verdict": one.verdict,
                "applied": one.verdict.applied,
                "reason": one.reason,
                "ratio": str(one.ratio) if one.kind == "split" else None,
                "kept": str(one.kept) if one.kind == "dividend" else None,
            }
            for one in warehouse.judged(asked["symbol"])
        ],
    }


def sessions(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """When a market trades."""
    found = warehouse.hours(asked["symbol"], asked["start"] or "365d", asked["end"])
    columns = {
        name: getattr(found.sessions, name).tolist() for name in ("day", "pre", "open", "close", "post")
    }
    return {
        "symbol": found.symbol,
        "zone": found.zone,
        "known": {"start": found.known.start, "end": found.known.end},
        "sessions": columns,
    }


def plan(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """What a backfill would do."""
    made = warehouse.plan(asked["symbols"], asked["timeframes"], asked["start"], asked["end"])
    return made.as_dict() | {"stored_bytes": made.stored_bytes}


def runs(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """The latest runs."""
    return {"runs": warehouse.runs(asked["limit"])}


def run(warehouse: Warehouse, asked: Asked) -> Any:  # noqa: ANN401
    """One run."""
    if found := warehouse.runs(1, asked["run_id"]):
        return found[0]
    raise Problem(
        404, "no-run", "There is no such run", f"No run `{asked['run_id']}`.", hint="/v1/runs lists them."
    )


def store(stock: Stock, *, writes: bool) -> Any:  # noqa: ANN401
    """The store itself, also where there is none yet."""
    told = {"store": stock.settings.store, "version": version("gapless"), "writes": writes}
    try:
        warehouse = stock.warehouse()
    except NoStore:
        nothing = dict.fromkeys(("bytes", "bars", "series", "gaps"), 0)
        return {"exists": False, "kind": None, **told, **nothing, "last_write": None, "last_success": None}
    series = warehouse.store.series()
    return {
        "exists": True,
        "kind": "plain" if warehouse.store.capabilities.derived_rows else "packed",
        **told,
        "bytes": warehouse.store.size(),
        "bars": sum(one.bars for one in series),
        "series": len(series),
        "gaps": len(warehouse.gaps()),
        "last_write": last_write(warehouse),
        "last_success": last_success(warehouse),
    }


def last_write(warehouse: Warehouse) -> int | None:
    """When bars or the ledger were written last, Unix ms."""
    return max((written for _, written in warehouse.store.stamps().values()), default=None)


def last_success(warehouse: Warehouse) -> int | None:
    """When the last run ended that left nothing missing of what it was asked for, Unix ms."""
    whole = (
        run["ended"] for run in warehouse.runs(_LOOKED_BACK) if (run["report"] or {}).get("exit_code") == 0
    )
    return max(whole, default=None)


QUESTIONS: dict[str, Callable[[Warehouse, Asked], Any]] = {
    "symbols": symbols,
    "coverage": coverage,
    "coverage_of": coverage_of,
    "gaps": gaps,
    "explain": explain,
    "quality": quality,
    "revisions": revisions,
    "actions": actions,
    "sessions": sessions,
    "plan": plan,
    "runs": runs,
    "run": run,
}
"""By the endpoint's name, what answers it."""


def _head(found: CloseUp, asked: Asked) -> dict[str, Any]:
    return {
        "symbol": found.symbol,
        "timeframe": asked["timeframe"],
        "base": found.base,
        "start": found.start,
        "end": found.end,
        "percent": found.percent,
        "by": asked["by"],
    }


def _marked(told: dict[str, Any]) -> dict[str, Any]:
    """A mark as a word too: characters are for terminals."""
    return told | {"state": Mark(told["mark"]).name.lower()}


def _date(instant: int, zone: str) -> str:
    return datetime.fromtimestamp(instant / 1000, ZoneInfo(zone)).date().isoformat()
