"""How much memory a question to a year of many symbols takes: the whole is never there at once.

    python benchmarks/scanning.py [--symbols 500] [--folder DIR]

Each symbol has a year of minutes of a busy made-up stock, about 195,000. "How many bars and how much volume has each
symbol?" is asked through `scan` in Polars (streaming engine) and through `sql` in DuckDB, each in a new process: of
one symbol first, then of all. Shown are the seconds, and the most memory that the process ever held after each.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from keepers import BUSY, YEAR, keep

from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.timeframe import Base

if TYPE_CHECKING:
    from gapless import Warehouse

FIRST = "S000"


def fill(path: Path, symbols: int) -> None:
    """The same bars under every name: making them would take longer than writing them."""
    from gapless.sandbox import SyntheticMarket
    from gapless.stores import open_store

    bars = SyntheticMarket(seed=1).bars(Instrument.parse(BUSY), Base.MINUTE, YEAR)
    with closing(open_store(str(path))) as store:
        for number in range(symbols):
            keep(store, f"S{number:03}", bars)


def in_polars(warehouse: "Warehouse", symbols: list[str]) -> int:
    import polars as pl

    lazy = warehouse.scan(symbols, ["1m"]).polars()
    found = lazy.group_by("symbol").agg(pl.len(), pl.col("volume").sum()).collect(engine="streaming")
    return int(found["len"].sum())


def in_duckdb(warehouse: "Warehouse", symbols: list[str]) -> int:
    from gapless import Limits

    chosen = f"and symbol = '{symbols[0]}'" if symbols else ""
    query = f"select symbol, count(*), sum(volume) from bars where timeframe = '1m' {chosen} group by 1"
    with warehouse.sql(query, limits=Limits(seconds=3600)) as result:
        return sum(bars for _, bars, _ in result.rows)


QUESTIONS = {"polars": in_polars, "duckdb": in_duckdb}


def peak() -> int:
    """The most memory that this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def asked(path: Path, library: str) -> dict[str, float]:
    """The question of one symbol, then of all."""
    import gapless

    with gapless.open(str(path)) as warehouse:
        QUESTIONS[library](warehouse, [FIRST])
        one, start = peak(), time.perf_counter()
        bars = QUESTIONS[library](warehouse, [])
        return {"bars": bars, "seconds": time.perf_counter() - start, "one": one, "all": peak()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--folder", type=Path, help="keep the bars there, and use those that are there")
    parser.add_argument("--ask", choices=QUESTIONS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = args.folder or Path(name)
        path = folder / f"{args.symbols}.gapless"
        if args.ask:
            print(json.dumps(asked(path, args.ask)))
            return
        if not path.exists():
            fill(path, args.symbols)
        for library in QUESTIONS:
            command = [sys.executable, __file__, "--symbols", str(args.symbols), "--folder", str(folder)]
            said = subprocess.run([*command, "--ask", library], check=True, capture_output=True, text=True)
            found = json.loads(said.stdout)
            print(
                f"{library}: {found['bars']:,} bars of {args.symbols} symbols in {found['seconds']:.1f} s; "
                f"most memory {found['one'] / 1e6:,.0f} MB after one symbol, {found['all'] / 1e6:,.0f} MB after all"
            )


if __name__ == "__main__":
    main()
