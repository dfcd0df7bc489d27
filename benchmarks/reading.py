"""How quickly and from how few bytes bars are read: gapless beside what people keep bars in, in one run.

    python benchmarks/reading.py [--bars 10000000] [--rounds 5] [--only gapless,duckdb] [--folder DIR]

25 symbols of the made-up market (20 stocks with extended hours, 5 coins), equally many 1m bars of each, written
symbol by symbol into: a packed store of gapless; a plain SQLite table keyed by symbol and time, read with pandas; a
DuckDB table; Parquet files (zstd) by symbol and by symbol and year, read with Polars; ArcticDB on LMDB. Each keeps
time, four prices, volume, average price and trades of every bar. Gapless is read through its front door: what
comes out was checked against checksums, and proven whole and final.

Five questions, each answered with a frame (pandas from SQLite, Polars from all others): a year of one symbol;
one day of all symbols; the last 100 bars of each symbol; all bars as hours. And the first of them cold: in a new
process, after the files have been synced and the kernel was told to forget them (`posix_fadvise`), with the libraries
imported but nothing opened; `start` is what those imports take, from files that may be in memory. Before the race the
answers are compared. Contenders take turns; shown are medians, and the median of the ratios to gapless within a round.
"""

import argparse
import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from keepers import QUESTIONS, SYMBOLS, Frame, Gapless, Keeper, market
from other_keepers import Arctic, DuckDb, Parquet, ParquetByYear, Rows

SLOW = 10.0
"""Seconds; an answer that takes longer is asked for in the first round only."""

KEEPERS: dict[str, type[Keeper]] = {
    kind.name.split()[0] if kind is not Parquet else "parquet-symbol": kind
    for kind in (Gapless, Rows, DuckDb, Parquet, ParquetByYear, Arctic)
}


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def forget(files: list[Path]) -> None:
    """Ask the kernel to drop what it remembers of the files."""
    for file in files:
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cold(keeper: Keeper, key: str) -> dict[str, float]:
    """A year of one symbol in a new process, its files forgotten: seconds of imports, and of opening and reading."""
    forget(keeper.files)
    command = [sys.executable, __file__, "--cold", key, "--folder", str(keeper.path.parent)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(said)
    return found


def in_this_process(keeper: Keeper) -> dict[str, float]:
    def imports() -> None:
        for library in keeper.libraries:
            importlib.import_module(library)

    def read() -> None:
        keeper.open()
        keeper.year()

    return {"start": seconds(imports), "cold": seconds(read)}


def told(frame: Frame) -> tuple[int, float]:
    """Rows, and volume in all: enough to see whether two answers are of the same bars."""
    return len(frame), round(float(frame["volume"].sum()), 0)


def compare(keepers: list[Keeper]) -> list[str]:
    """The answers that differ from those of the first."""
    first, *others = [[told(answer()) for answer in keeper.questions] for keeper in keepers]
    return [
        f"{keeper.name}, {question}: {found}, not {expected}"
        for keeper, answers in zip(keepers[1:], others, strict=True)
        for question, expected, found in zip(QUESTIONS, first, answers, strict=True)
        if found[0] != expected[0] or abs(found[1] - expected[1]) > 1e-9 * expected[1]
    ]


def race(keepers: list[Keeper], rounds: int) -> dict[str, list[list[float]]]:
    """Seconds by question, keeper and round."""
    taken: dict[str, list[list[float]]] = {question: [[] for _ in keepers] for question in QUESTIONS}
    for _ in range(rounds):
        for number, question in enumerate(QUESTIONS):
            for column, keeper in zip(taken[question], keepers, strict=True):
                if not column or column[0] < SLOW:
                    column.append(seconds(keeper.questions[number]))
    return taken


def cells(columns: list[list[float]]) -> list[str]:
    """Median milliseconds, and how many times as long as the first took in the same round."""
    ratios = [median(t / own for t, own in zip(column, columns[0], strict=False)) for column in columns]
    return [
        f"{1000 * median(column):,.1f}  {ratio:.2f}x" for column, ratio in zip(columns, ratios, strict=True)
    ]


def measure(folder: Path, keys: list[str], bars: int, rounds: int) -> Any:  # noqa: ANN401 - a Table; rich is imported late
    from rich.table import Table

    each = bars // len(SYMBOLS)
    keepers = [KEEPERS[key](folder, each) for key in keys]
    for keeper in keepers:
        if not keeper.path.exists():
            keeper.fill(market(each))
    chilly = [[cold(keeper, key) for keeper, key in zip(keepers, keys, strict=True)] for _ in range(rounds)]
    for keeper in keepers:
        keeper.open()
    problems = compare(keepers)
    taken = race(keepers, rounds)
    table = Table("ms", *(keeper.name for keeper in keepers))
    table.title = f"{len(SYMBOLS)} symbols x {each:,} bars, {rounds} rounds"
    table.add_row("bytes a bar", *(f"{keeper.size / each / len(SYMBOLS):.2f}" for keeper in keepers))
    for name, words in (("start", "imports, new process"), ("cold", f"{QUESTIONS[0]}, cold")):
        table.add_row(words, *cells([[each_[n][name] for each_ in chilly] for n in range(len(keepers))]))
    for question, columns in taken.items():
        table.add_row(question, *cells(columns))
    table.caption = "; ".join(problems) or "All answers are of the same bars."
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bars", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only", default=",".join(KEEPERS), help="gapless first; without it, " + ", ".join(KEEPERS)
    )
    parser.add_argument("--folder", type=Path, help="keep the bars there, and use those that are there")
    parser.add_argument("--cold", choices=KEEPERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cold:
        print(json.dumps(in_this_process(KEEPERS[args.cold](args.folder, 0))))
        return
    from rich.console import Console

    with tempfile.TemporaryDirectory() as name:
        folder = args.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        Console(width=170).print(measure(folder, args.only.split(","), args.bars, args.rounds))


if __name__ == "__main__":
    main()
