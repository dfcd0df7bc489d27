"""Tries every fault and prints one table of figures.

    python -m torture [--small] [--size N] [--seed 1] [NAME ...]

Without names all of them; a harness that broke a promise makes the exit code 1. What the table says of the size, the
day and the code is what docs/guarantees.md quotes.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from torture.harness import Harness

HERE = Path(__file__).parent


def harnesses(names: list[str]) -> Iterator[Harness]:
    """Those of the modules of these names, or of all."""
    for path in sorted(HERE.glob("[!_]*.py")):
        if path.stem.startswith("test_") or (names and path.stem not in names):
            continue
        module = import_module(f"torture.{path.stem}")
        yield from getattr(module, "HARNESSES", ()) or (
            [module.HARNESS] if isinstance(getattr(module, "HARNESS", None), Harness) else []
        )


def _commit() -> str:
    """The code that is tried, as git names it."""
    said = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, check=False)
    return (
        f"commit {said.stdout.decode().strip()}" if said.returncode == 0 else "code that is in no repository"
    )


def main() -> int:
    """Run them one after another."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="sizes of `make test`")
    parser.add_argument("--size", type=int, help="how often each is tried")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    print(f"Tried on {datetime.now(UTC):%Y-%m-%d} with {_commit()}, seed {args.seed}.\n")  # noqa: T201 - its output
    print("| fault | tried | promises broken | detail |\n| --- | --- | --- | --- |")  # noqa: T201 - its output
    broken = 0
    for harness in harnesses(args.names):
        began = time.perf_counter()
        size = args.size or (harness.small if args.small else harness.full)
        figure = harness.measure(size, args.seed)
        print(figure, flush=True)  # noqa: T201 - its output
        print(f"  {time.perf_counter() - began:.0f} s", file=sys.stderr)  # noqa: T201 - its output
        broken += figure.broken
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
