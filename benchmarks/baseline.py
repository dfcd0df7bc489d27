"""The backfill that people start with, against a vendor as slow and as strict as the real one.

    python benchmarks/baseline.py [--preset baseline|quick] [--part clean|faults] [--rate 5/2s] [--days 365]

Baseline: 25 symbols x 5m 15m 1h 4h 1d x 365 days = 125 jobs; the server allows 5 requests in any 2 seconds and
takes 0.2 s for a small answer, 0.9 s for a full page. Afterwards every stored series is compared with the
server's own truth, bar by bar, and the same command runs again. The part with faults spoils 20 % of the answers in
seventeen ways; there the server allows more (`--fault-rate`), since it is about the bars, not about the clock, and
an answer that stalls is cut off after 5 seconds.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gapless.app import Warehouse, open_warehouse
from gapless.reports import RunReport
from gapless.sandbox import BASELINE, REALISTIC, Rate, Sandbox, SyntheticMarket, serve_in_process
from gapless.settings import load
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base

PRESETS = {
    "baseline": (BASELINE, ("5m", "15m", "1h", "4h", "1d")),
    "quick": (("AAPL", "MSFT", "SPY", "X:BTCUSD", "X:ETHUSD"), ("5m", "1d")),
}
PAGE = 50_000
MARKET = SyntheticMarket(seed=1)
Asked = dict[tuple[Instrument, Base], Span]


@dataclass(frozen=True, slots=True)
class Check:
    """One figure beside what it should be."""

    what: str
    here: str
    target: str
    met: bool

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """One row of the table."""
        return self.what, self.here, self.target, "met" if self.met else "MISSED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one part found; `seconds` as a person would stop them, loading and planning included."""

    report: RunReport
    seconds: float
    again: RunReport
    aggregates: dict[str, int]
    stats: dict[str, Any]
    ideal: int
    wrong: list[str]
    bars: int
    file_bytes: int


def run(preset: str, days: int, rate: Rate, faults: str | None) -> Outcome:
    symbols, frames = PRESETS[preset]
    server = serve_in_process(MARKET, rate=rate, latency=REALISTIC, faults=faults, stall=5.0)
    with tempfile.TemporaryDirectory() as folder, server as served:
        store = Path(folder) / "market.gapless"
        settings = load(
            {
                "store": str(store),
                "massive.base_url": served.url,
                "massive.plan": "advanced",
                "rate": f"{rate.calls / rate.per:g}/s",
            },
            env={"MASSIVE_API_KEY": "sandbox"},
            folder=Path(folder),
            user_file=None,
        )
        began = time.perf_counter()
        with open_warehouse(settings) as warehouse:
            asked = asked_for(warehouse, symbols, frames, days)
            report = warehouse.backfill(symbols, frames, f"{days}d")
        seconds = time.perf_counter() - began
        stats = served.stats()
        with open_warehouse(settings) as warehouse:
            again = warehouse.backfill(symbols, frames, f"{days}d")
            bars, ideal, wrong = compare(warehouse, asked)
        if served.stats()["total"] != stats["total"]:
            wrong.append("the second run sent requests")
        aggregates = next(asked for path, asked in stats["requests"].items() if "/range/" in path)
        return Outcome(report, seconds, again, aggregates, stats, ideal, wrong, bars, store.stat().st_size)


def asked_for(warehouse: Warehouse, symbols: Sequence[str], frames: Sequence[str], days: int) -> Asked:
    """The series that the preset needs, each with its span."""
    plan = warehouse.plan(symbols, frames, f"{days}d")
    return {(series.instrument, series.base): series.span for series in plan.series}


def compare(warehouse: Warehouse, asked: Asked) -> tuple[int, int, list[str]]:
    """Bars stored, the fewest requests that could have brought the truth, and the series that differ from it."""
    sandbox = Sandbox(MARKET)  # never started: it is the same market, and knows what of it is published
    bars, ideal, wrong = 0, 0, []
    for (instrument, base), span in asked.items():
        truth = sandbox.truth(instrument, base, span)
        stored = warehouse.store.read(instrument, base, span)
        bars += len(stored)
        ideal += max(1, ceil(len(truth) / PAGE))
        if stored != truth:
            wrong.append(f"{instrument} {base}: {len(stored):,} bars, {len(truth):,} in truth")
    return bars, ideal, wrong


def checks(found: Outcome, rate: Rate, *, faults: bool) -> list[Check]:
    report = found.report
    sent = sum(found.aggregates.values())
    everything = found.stats["total"]
    allowed = 1.05 * everything * rate.per / rate.calls + 2
    shares = report.limited_by
    always = [
        Check(
            "jobs complete",
            f"{report.completed} of {report.jobs}",
            "all",
            report.completed == report.jobs,
        ),
        Check(
            "series equal to the truth, bar by bar",
            f"{found.bars:,} bars, {len(found.wrong)} series differ",
            "none differs",
            not found.wrong,
        ),
        Check("the same command again", f"{found.again.requests} requests", "0", not found.again.requests),
        Check(
            "429 given by the rate",
            str(found.stats["rate_limited"]),
            "0",
            not found.stats["rate_limited"],
        ),
    ]
    if faults:
        made = sum(found.stats["faults"].values())
        kinds = len(found.stats["faults"])
        return [
            *always,
            Check("answers spoiled", f"{made} of {everything}, {kinds} kinds", "about 20 %", made > 0),
        ]
    return [
        *always,
        Check(
            "requests for bars / ideal",
            f"{sent} / {found.ideal} = {sent / found.ideal:.3f}",
            "<= 1.10",
            sent <= 1.10 * found.ideal,
        ),
        Check(
            "wall time against requests / rate",
            f"{report.seconds:.1f} s for {everything} requests",
            f"<= {allowed:.1f} s",
            report.seconds <= allowed,
        ),
        Check("store not hidden", f"{shares['store']:.1%}", "<= 5 %", shares["store"] <= 0.05),
    ]


def show(title: str, found: Outcome, rate: Rate, *, faults: bool) -> Table:
    report = found.report
    table = Table("", "here", "target", "", title=title)
    for check in checks(found, rate, faults=faults):
        table.add_row(*check.cells)
    for name, target in report.as_dict()["targets"].items():
        table.add_row(
            f"original: {name}", target["here"], target["target"], "met" if target["met"] else "MISSED"
        )
    facts = {
        "limited by": ", ".join(f"{step} {share:.1%}" for step, share in report.limited_by.items()),
        "seconds from opening the store to closing it": f"{found.seconds:.1f}",
        "requests estimated": str(report.estimated_requests),
        "duration estimated": f"{report.estimated_seconds:.1f} s",
        "bytes a bar, whole file": f"{found.file_bytes / max(1, found.bars):.2f}",
        "bytes on the wire": f"{found.stats['bytes_sent'] / 1e6:,.0f} MB",
        "slowest job": report.slowest,
        "retries": ", ".join(f"{count} {kind}" for kind, count in report.retries.items()) or "none",
    }
    table.add_section()
    for name, fact in facts.items():
        table.add_row(name, fact)
    for problem in [*report.problems, *found.wrong]:
        table.add_row("problem", problem)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", choices=PRESETS, default="baseline")
    parser.add_argument("--part", choices=("clean", "faults"), help="only this one; both without it")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rate", default="5/2s", help="what the server allows")
    parser.add_argument("--faults", default="20%", help="what goes wrong in that part")
    parser.add_argument("--fault-rate", default="20/2s", help="what the server allows in that part")
    args = parser.parse_args()
    console = Console(width=150)
    parts = {"clean": (None, args.rate), "faults": (args.faults, args.fault_rate)}
    for part, (faults, words) in parts.items():
        if args.part in (None, part):
            rate = Rate.parse(words)
            found = run(args.preset, args.days, rate, faults)
            title = f"{args.preset}, {args.days} days, {words}, " + (
                f"faults {faults}" if faults else "no faults"
            )
            console.print(show(title, found, rate, faults=faults is not None))


if __name__ == "__main__":
    main()
