"""Small series to examine: a seeded walk of minutes, and days, with single bars changed by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np

from gapless.quality import Flag, Subject, examine
from gapless.sandbox import hours
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE
from hand_made_market import utc

MONDAY = utc("2026-05-04")


def walk(
    count: int, *, start: int = MONDAY, step: int = MINUTE, move: float = 0.0005, seed: int = 1
) -> Batch:
    """Bars one after another whose prices move by about `move`, on a grid of cents, with plain volumes."""
    dice = np.random.default_rng(seed)
    edges = np.round(100 * np.exp(np.cumsum(dice.normal(0, move, count + 1))), 2)
    open_, close = edges[:-1], edges[1:]
    wick = np.round(np.abs(dice.normal(0, 100 * move, (2, count))), 2)
    high, low = np.maximum(open_, close) + wick[0], np.minimum(open_, close) - wick[1]
    volume = np.rint(dice.lognormal(7, 1, count)) + 1
    ts = start + step * np.arange(count, dtype=np.int64)
    return Batch(ts, open_, high, low, close, volume, (high + low) / 2, np.ones(count, np.int64))


def changed(batch: Batch, at: int | slice, **numbers: float) -> Batch:
    """The same bars, but for these numbers of the one at this position (or of several)."""
    columns = {name: getattr(batch, name).copy() for name in numbers}
    for name, number in numbers.items():
        columns[name][at] = number
    return replace(batch, **columns)


def subject(
    minutes: Batch | None = None,
    days: Batch | None = None,
    *,
    ticker: str = "X:BTCUSD",
    span: Span | None = None,
    splits: Sequence[tuple[int, Fraction]] = (),
) -> Subject:
    """These bars with the sessions of their market; all of them are in the span unless told otherwise."""
    all_bars = Batch.concat(bars for bars in (minutes, days) if bars is not None)
    ever = Span(int(all_bars.ts.min()) - DAY, int(all_bars.ts.max()) + DAY)
    instrument = Instrument.parse(ticker)
    first, last = ever.start // DAY, ever.end // DAY + 1
    sessions = hours.sessions(instrument.asset_class, first, last)
    return Subject(instrument, span or ever, minutes, days, sessions, splits)


def found(one: Subject, rule: str) -> list[Flag]:
    """What one rule says, by time."""
    return sorted((flag for flag in examine(one) if flag.rule == rule), key=lambda flag: flag.start)


def starts(flags: Sequence[Flag]) -> list[int]:
    """Where flags start."""
    return [flag.start for flag in flags]


def midnight(day: str) -> int:
    """The start of a New York day."""
    return hours.local(hours.NEW_YORK, hours.ordinal(date.fromisoformat(day)))
