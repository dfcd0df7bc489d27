"""Resample: a stock's minute bars to every intraday timeframe, the ways there are, in one run.

    python benchmarks/resample.py [rounds]

One core: each library is told to use one thread, and times are processor times of the whole process, so that
neighbours on the machine count less. The ways take turns; shown are medians, the best round and, for each other
way, the median of its ratios to gapless within a round. `together` is all six timeframes out of the same
minutes; speeds count base bars once, however many timeframes are made of them.

Every way starts from what it reads best, in memory (columns, a frame, a table), and makes open, high, low, close,
volume, trades and a volume-weighted price on New York's clock. The others know no clock changes, no missing
numbers and no parts of sessions here; their bars are compared with those of gapless before the race.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # read when it is imported

import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from gapless.calendars import open_calendar
from gapless.resample import Hours, SessionPart, derive, derive_many
from gapless.vocabulary.batch import Batch, Ints
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, TIMEFRAMES, Base

NAMES = ("5m", "15m", "30m", "1h", "2h", "4h")
INTRADAY = [TIMEFRAMES[name] for name in NAMES]
SPY = Instrument.parse("SPY")
SPAN = Span(1_577_854_800_000, 1_577_854_800_000 + 5 * 365 * DAY)  # from 2020 on: a bit over a million bars
SESSIONS = open_calendar().sessions(SPY, SPAN)
HOURS = Hours.of(SESSIONS, SessionPart.REGULAR)

Way = Callable[[tuple[str, ...]], dict[str, int]]
"""Makes some timeframes and tells how many bars each has."""


def made_up_minutes() -> Batch:
    """Five years of a liquid fund: every regular minute, and every second one before and after."""
    rng = np.random.default_rng(1)
    ts = SESSIONS.opens(Base.MINUTE)
    regular = np.isin(ts, SESSIONS.opens(Base.MINUTE, regular=True), assume_unique=True)
    ts = ts[regular | (rng.random(len(ts)) < 0.5)]
    close = np.round(400 + np.cumsum(rng.normal(0, 0.02, len(ts))), 2)
    open_ = np.round(close + rng.normal(0, 0.03, len(ts)), 2)
    high, low = np.maximum(open_, close) + 0.02, np.minimum(open_, close) - 0.02
    volume = rng.integers(100, 90_000, len(ts)).astype(np.float64) + 0.25
    vwap, trades = np.round((high + low) / 2, 4), rng.integers(1, 900, len(ts))
    return Batch(ts, open_, high, low, close, volume, vwap, trades)


def with_gapless(bars: Batch, hours: Hours | None) -> Way:
    """All timeframes in one call."""

    def make(names: tuple[str, ...]) -> dict[str, int]:
        made = derive_many(bars, [TIMEFRAMES[name] for name in names], AssetClass.STOCKS, hours)
        return {name: len(made[name]) for name in names}

    return make


def with_gapless_one_by_one(bars: Batch) -> Way:
    """One call for each timeframe."""
    return lambda names: {name: len(derive(bars, TIMEFRAMES[name], AssetClass.STOCKS)) for name in names}


def with_polars(bars: Batch) -> Way:
    """`group_by_dynamic`, stamps on New York's clock."""
    import polars as pl

    stamps = pl.from_epoch(pl.Series("ts", local_milliseconds(bars.ts)), "ms")
    frame = pl.DataFrame({**bars.columns, "ts": stamps}).set_sorted("ts")
    money = pl.col("volume") * pl.col("vwap")
    aggregates = [
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
        (money.sum() / pl.col("volume").sum()).alias("vwap"),
        pl.col("trades").sum(),
    ]
    return lambda names: {
        name: len(frame.group_by_dynamic("ts", every=name).agg(aggregates)) for name in names
    }


def with_duckdb(bars: Batch) -> Way:
    """`time_bucket` over a table in memory, stamps on New York's clock."""
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect(config={"threads": 1})
    connection.register("columns", pa.table({**bars.columns, "ts": local_milliseconds(bars.ts)}))
    connection.execute("CREATE TABLE bars AS SELECT * REPLACE (make_timestamp(ts * 1000) AS ts) FROM columns")

    def make(names: tuple[str, ...]) -> dict[str, int]:
        counts = {}
        for name in names:
            made = connection.execute(
                f"SELECT time_bucket(INTERVAL '{TIMEFRAMES[name].minutes} minutes', ts) AS t, arg_min(open, ts), "
                "max(high), min(low), arg_max(close, ts), sum(volume), sum(volume * vwap) / sum(volume), "
                "sum(trades) FROM bars GROUP BY t ORDER BY t"
            ).fetchnumpy()
            counts[name] = len(made["t"])
        return counts

    return make


def with_pandas(bars: Batch) -> Way:
    """`resample`, which makes empty windows too; they are dropped."""
    import pandas as pd

    frame = pd.DataFrame(bars.columns)
    frame.index = pd.to_datetime(local_milliseconds(bars.ts), unit="ms")
    frame["money"] = frame["volume"] * frame["vwap"]
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    how |= {"trades": "sum", "money": "sum"}

    def make(names: tuple[str, ...]) -> dict[str, int]:
        counts = {}
        for name in names:
            made = frame.resample(f"{TIMEFRAMES[name].minutes}min").agg(how).dropna()
            made["vwap"] = made["money"] / made["volume"]
            counts[name] = len(made)
        return counts

    return make


def local_milliseconds(ts: Ints) -> Ints:
    """What New York's clocks show, as if it were UTC: offsets of the sessions' own days."""
    days = SESSIONS.day
    dates = (days + DAY // 2) // DAY * DAY
    shown: Ints = ts + (dates - days)[np.searchsorted(days, ts, side="right") - 1]
    return shown


def race(ways: dict[str, Way], names: tuple[str, ...], rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time of each way in each round."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.process_time()
            way(names)
            taken[name].append(time.process_time() - started)
    return taken


def show(title: str, taken: dict[str, list[float]], bars: int) -> None:
    """Medians, the best, and how many times as long as gapless each way takes."""
    print(f"{title}")
    ours = next(iter(taken.values()))
    for name, seconds in taken.items():
        ratio = median(theirs / own for theirs, own in zip(seconds, ours, strict=True))
        middle = median(seconds)
        speeds = f"{bars / middle / 1e6:7.1f} M bars/s, best {bars / min(seconds) / 1e6:5.1f}"
        print(f"  {name:30}{middle * 1000:9.1f} ms {speeds} {ratio:8.1f} x")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    bars = made_up_minutes()
    ways: dict[str, Way] = {"gapless, together": with_gapless(bars, None)}
    ways["gapless, regular hours only"] = with_gapless(bars, HOURS)
    ways["gapless, one by one"] = with_gapless_one_by_one(bars)
    others = {"Polars group_by_dynamic": with_polars, "DuckDB time_bucket": with_duckdb}
    for name, build in {**others, "pandas resample": with_pandas}.items():
        try:
            ways[name] = build(bars)
        except ImportError as error:
            print(f"{name}: {error.name} is not installed; left out")
    expected = ways["gapless, together"](NAMES)
    for name, way in ways.items():
        if "regular" not in name and way(NAMES) != expected:
            print(f"{name}: its bars are not those of gapless; {way(NAMES)} against {expected}")
    print(f"{len(bars):,} minute bars, {rounds} rounds, one core, processor time")
    show("5m 15m 30m 1h 2h 4h together", race(ways, NAMES, rounds), len(bars))
    show("1h alone", race(ways, ("1h",), rounds), len(bars))


if __name__ == "__main__":
    main()
