"""How many bars a second end to end: a backfill from a server on this machine that has no limit and no latency.

    python benchmarks/throughput.py [--symbols 25] [--years 1] [--runs 3] [--no-memory]

Server and client are a process each. The first run goes into a store that is thrown away: it makes the server
render every page and keep it, so that afterwards only the sending is its work. Then come the runs that count, each
into a new store: fetch, gunzip, strict decode, checks, write, ledger, commit (synchronous=FULL), report. Last the
client's peak memory for one year of history and for four.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

from gapless.app import open_warehouse
from gapless.sandbox import BASELINE, Served, SyntheticMarket, serve_in_process
from gapless.settings import load

END = date(2026, 11, 1)
TIMEFRAMES = ("1m", "1d")
KEEP = 4 << 30
TARGET_BARS, TARGET_MEMORY = 1_000_000, 500
MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Figures:
    """One backfill as the client saw it: seconds, processor seconds, and the most memory in bytes.

    The last two are those of its two processes together; what they share of a library's memory counts twice.

    `seconds` is the run from its first job to its last ledger entry; `call` also holds planning before it and
    the reading back for the report after it.
    """

    bars: int
    requests: int
    seconds: float
    call: float
    client_cpu: float
    stored: int
    complete: bool
    limited_by: Mapping[str, float]
    memory: int = 0
    server_cpu: float = 0.0

    @property
    def speed(self) -> float:
        """Bars a second of the run."""
        return self.bars / self.seconds


def backfill(url: str, store: Path, symbols: Sequence[str], years: int) -> Figures:
    """What the client's process does."""
    settings = load(
        {
            "store": str(store),
            "massive.base_url": url,
            "massive.plan": "advanced",
            "rate": "unlimited",
        },
        env={"MASSIVE_API_KEY": "sandbox"},
        folder=store.parent,
        user_file=None,
    )
    start = (END - timedelta(days=365 * years)).isoformat()
    with open_warehouse(settings) as warehouse:
        warehouse.plan(symbols, TIMEFRAMES, start, END)  # loads the calendars, once in a process
        cpu, began = time.process_time(), time.perf_counter()
        report = warehouse.backfill(symbols, TIMEFRAMES, start, END)
        call, cpu = time.perf_counter() - began, time.process_time() - cpu
        stored = warehouse.store.size()
    beside = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu += beside.ru_utime + beside.ru_stime
    complete = report.completed == report.jobs
    return Figures(
        report.bars, report.requests, report.seconds, call, cpu, stored, complete, report.limited_by
    )


def in_its_own_process(server: Served, symbols: Sequence[str], years: int) -> Figures:
    """One backfill into a new store, with what it cost the server."""
    before = server_seconds(server)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--client", server.url, f"{folder}/market.gapless"]
        command += ["--symbols", ",".join(symbols), "--years", str(years)]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        memory = most_memory(client)
        said = client.communicate()[0]
    if client.returncode:
        raise subprocess.CalledProcessError(client.returncode, command)
    return Figures(**json.loads(said) | {"memory": memory, "server_cpu": server_seconds(server) - before})


def most_memory(client: subprocess.Popen[str]) -> int:
    """The most that the client and its child held at one moment until it ended, looked at ten times a second."""
    most, process = 0, psutil.Process(client.pid)
    both = [process]
    while client.poll() is None:
        with suppress(psutil.Error):  # one of them has just ended
            if len(both) == 1:  # to look for children is dear
                both += process.children()
            most = max(most, sum(each.memory_info().rss for each in both))
        time.sleep(0.1)
    return most


def server_seconds(server: Served) -> float:
    times = psutil.Process(server.pid).cpu_times()
    return float(times.user + times.system)


def speed_table(runs: Sequence[Figures]) -> Table:
    table = table_of({str(number): run for number, run in enumerate(runs, 1)}, "run")
    middle = median(run.speed for run in runs)
    verdict = "met" if middle >= TARGET_BARS and all(run.complete for run in runs) else "missed"
    table.caption = f"median {middle:,.0f} bars/s; target {TARGET_BARS:,}: {verdict}"
    return table


def memory_table(runs: Mapping[int, Figures]) -> Table:
    table = table_of({str(years): run for years, run in runs.items()}, "years")
    most = max(run.memory for run in runs.values()) / MB
    verdict = "met" if most < TARGET_MEMORY else "missed"
    table.caption = f"most memory {most:.0f} MB; target < {TARGET_MEMORY}: {verdict}"
    return table


def table_of(runs: Mapping[str, Figures], first: str) -> Table:
    table = Table(
        first,
        "bars",
        "requests",
        "run s",
        "call s",
        "bars/s",
        "client CPU s",
        "server CPU s",
        "peak MB",
        "limited by",
    )
    for name, run in runs.items():
        table.add_row(name, *cells(run))
    return table


def cells(run: Figures) -> list[str]:
    blame = ", ".join(f"{step} {share:.0%}" for step, share in run.limited_by.items() if share >= 0.005)
    return [
        f"{run.bars:,}" + ("" if run.complete else " (not all)"),
        str(run.requests),
        f"{run.seconds:.2f}",
        f"{run.call:.2f}",
        f"{run.speed:,.0f}",
        f"{run.client_cpu:.2f}",
        f"{run.server_cpu:.2f}",
        f"{run.memory / MB:.0f}",
        blame,
    ]


def measure(symbols: Sequence[str], years: int, count: int, *, memory: bool) -> None:
    console = Console(width=150)
    with serve_in_process(SyntheticMarket(seed=1), keep=KEEP) as server:
        in_its_own_process(server, symbols, years)
        runs = [in_its_own_process(server, symbols, years) for _ in range(count)]
        console.print(speed_table(runs))
    if memory:
        few = symbols[:2]
        with serve_in_process(SyntheticMarket(seed=1), keep=KEEP) as server:
            in_its_own_process(server, few, 4 * years)
            console.print(memory_table({n: in_its_own_process(server, few, n) for n in (years, 4 * years)}))


def mixed(count: int) -> list[str]:
    """So many of the baseline's symbols, one coin to each four stocks as there."""
    coins = [symbol for symbol in BASELINE if symbol.startswith("X:")]
    stocks = [symbol for symbol in BASELINE if not symbol.startswith("X:")]
    few = max(1, count // 5)
    return [*coins[:few], *stocks[: count - few]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--symbols", default="25", help="how many of the baseline's, or their names with commas"
    )
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--client", nargs=2, metavar=("URL", "STORE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    symbols = mixed(int(args.symbols)) if args.symbols.isdigit() else args.symbols.split(",")
    if args.client:
        url, store = args.client
        print(json.dumps(asdict(backfill(url, Path(store), symbols, args.years))))
    else:
        measure(symbols, args.years, args.runs, memory=args.memory)


if __name__ == "__main__":
    main()
