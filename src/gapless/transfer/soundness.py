"""Soundness: whether bars from elsewhere could be bars at all. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gapless.vocabulary.batch import NO_TRADES, Batch, Ints
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row (from 0) that cannot be, its column by our name, and why."""

    row: int
    column: str
    what: str


def first_fault(batch: Batch, base: Base, asset_class: AssetClass) -> Fault | None:
    """What is wrong with the earliest row that is wrong, None where all could be bars of this base."""
    found = [
        Fault(int(wrong.argmax()), column, what)
        for column, wrong, what in _rules(batch, base, asset_class)
        if wrong.any()
    ]
    return min(found, key=lambda fault: fault.row, default=None)


def _rules(batch: Batch, base: Base, asset_class: AssetClass) -> Iterator[tuple[str, NDArray[np.bool_], str]]:
    zone = asset_class.zone
    grid = batch.ts % MINUTE if base is Base.MINUTE else batch.ts - midnights(batch.ts, zone)
    place = "on a whole minute" if base is Base.MINUTE else f"midnight in {zone}"
    yield "ts", grid != 0, f"the bar does not start {place}"
    yield "ts", np.diff(batch.ts, prepend=batch.ts[:1] - 1) <= 0, "it is not after the one before"
    for name in _PRICES:
        price = getattr(batch, name)
        yield name, ~np.isfinite(price), "it is missing, or no finite number"
        if asset_class is not AssetClass.INDICES:  # an index is a number, not a price
            yield name, price <= 0, "it is not above zero"
    top, bottom = np.maximum(batch.open, batch.close), np.minimum(batch.open, batch.close)
    yield "high", batch.high < top, "it is below the open or the close"
    yield "low", batch.low > bottom, "it is above the open or the close"
    if asset_class.has_volume:
        yield "volume", np.isnan(batch.volume), "it is missing"
    yield "volume", np.isinf(batch.volume) | (batch.volume < 0), "it is negative or infinite"
    yield "vwap", np.isinf(batch.vwap), "it is infinite"
    yield "trades", batch.trades < NO_TRADES, "it is negative"


def cells(ts: Ints, base: Base, asset_class: AssetClass) -> SpanSet:
    """The bars' own time and nothing between them: their minutes, or their days."""
    if not len(ts):
        return SpanSet()
    ends = ts + MINUTE if base is Base.MINUTE else midnights(ts + DAY + DAY // 2, asset_class.zone)
    breaks = np.flatnonzero(ts[1:] != ends[:-1])
    starts = ts[np.concatenate(([0], breaks + 1))].tolist()
    stops = ends[np.concatenate((breaks, [len(ts) - 1]))].tolist()
    return SpanSet(Span(start, stop) for start, stop in zip(starts, stops, strict=True))


def midnights(ts: Ints, zone: str) -> Ints:
    """The last midnight of a zone at or before each instant."""
    if zone == "UTC":
        return ts // DAY * DAY
    days = (midnight(datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date(), zone) for at in ts.tolist())
    return np.fromiter(days, np.int64, len(ts))


@lru_cache(maxsize=1 << 16)
def midnight(day: date, zone: str) -> int:
    """The instant (Unix ms) at which a date begins in a zone."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
