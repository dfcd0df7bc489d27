"""What SQL sees of a store: bars that are read as a query needs them, and small tables made when they are named."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any

from gapless.frames import Scan
from gapless.ports import Store
from gapless.quality import Flag
from gapless.vocabulary.span import EVER
from gapless.vocabulary.steps import Gap, Numbers, Wish

if TYPE_CHECKING:
    import pyarrow as pa

Row = tuple[Any, ...]

_TEXT, _WHOLE, _NUMBER, _BOOL, _INSTANT = "string", "int64", "float64", "bool", "instant"
_NAMES = [field.name for field in fields(Numbers)]
_SERIES = {"symbol": _TEXT, "base": _TEXT}
_STRETCH = _SERIES | {"start": _INSTANT, "end": _INSTANT}
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "symbols": _SERIES | {"bars": _WHOLE, "first": _INSTANT, "last": _INSTANT, "stored_bytes": _WHOLE},
    "gaps": _STRETCH | {"outcome": _TEXT, "reason": _TEXT, "due": _INSTANT},
    "ledger": _STRETCH
    | {"outcome": _TEXT, "recorded": _INSTANT, "reason": _TEXT, "rows": _WHOLE}
    | dict.fromkeys(("request_id", "digest", "url", "job_id", "run_id"), _TEXT)
    | {"due": _INSTANT},
    "revisions": _SERIES
    | {"ts": _INSTANT, "written": _INSTANT, "final": _BOOL}
    | {f"{when}_{name}": _NUMBER for name in _NAMES for when in ("old", "new")},
    "quality": _STRETCH | {"rule": _TEXT, "reason": _TEXT, "size": _NUMBER},
}
"""The columns of every view but `bars`, with the kind of each."""

BAR_COLUMNS: Mapping[str, str] = {
    "symbol": _TEXT,
    "timeframe": _TEXT,
    "ts": _INSTANT,
    **dict.fromkeys(("open", "high", "low", "close", "volume", "vwap"), _NUMBER),
    "trades": _WHOLE,
    "final": _BOOL,
}
"""The columns of `bars`, which a scan makes."""


def views_of(
    store: Store,
    wishes: Sequence[Wish],
    scan: Scan,
    gaps: Callable[[], Iterable[Gap]],
    flags: Callable[[], Iterable[Flag]],
) -> dict[str, Any]:
    """The views by name: an Arrow dataset for `bars`, functions that make a table for the others."""
    rows: dict[str, Callable[[], Iterable[Row]]] = {
        "symbols": lambda: (
            (str(s.instrument), s.base, s.bars, s.first, s.last, s.stored_bytes) for s in store.series()
        ),
        "gaps": lambda: map(astuple, gaps()),
        "ledger": lambda: _ledger(store, wishes),
        "revisions": lambda: _revisions(store, wishes),
        "quality": lambda: map(astuple, flags()),
    }
    return {"bars": scan.dataset()} | {name: _maker(name, made) for name, made in rows.items()}


def _maker(name: str, rows: Callable[[], Iterable[Row]]) -> Callable[[], "pa.Table"]:
    return lambda: _table(COLUMNS[name], rows())


def _table(kinds: Mapping[str, str], rows: Iterable[Row]) -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415 - pyarrow is an extra

    types = {_INSTANT: pa.timestamp("ms", "UTC")}
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    return pa.table(
        {
            name: pa.array(column, types.get(kind) or pa.type_for_alias(kind))
            for (name, kind), column in zip(kinds.items(), columns, strict=True)
        }
    )


def _ledger(store: Store, wishes: Iterable[Wish]) -> Iterator[Row]:
    for instrument, base in dict.fromkeys((wish.instrument, wish.timeframe.base) for wish in wishes):
        for e in store.entries(instrument, base):
            told = (e.request_id, e.digest, e.url, e.job_id, e.run_id, e.due)
            ended = (e.span.start, e.span.end, e.outcome, e.recorded, e.reason, e.rows)
            yield str(instrument), base, *ended, *told


def _revisions(store: Store, wishes: Iterable[Wish]) -> Iterator[Row]:
    for instrument, base in dict.fromkeys((wish.instrument, wish.timeframe.base) for wish in wishes):
        for one in store.revisions(instrument, base, EVER):
            numbers = (getattr(bar, name, None) for name in _NAMES for bar in (one.old, one.new))
            yield str(instrument), base, one.ts, one.written, one.final, *numbers
