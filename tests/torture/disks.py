"""Disks of many sizes fill up in the middle of a run: it ends in plain words, and goes on when there is room."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from cli.program import Gapless
from engine.living import NOW, OwnedClock, living, store_url, utc, warehouse
from gapless.errors import StoreFull
from gapless.sandbox import Pinned, Sandbox, SyntheticMarket
from gapless.vocabulary.span import Span
from torture.harness import Figure, Harness
from torture.oracle import Oracle

FAULT = "full disk (tmpfs of 1 to 64 MB)"
SYMBOLS = ("AAPL", "X:BTCUSD")
START, END = "2026-06-01T00:00Z", "2026-09-01T00:00Z"
SPAN = Span(utc("2026-06-01"), utc("2026-09-01"))
SMALLEST, LARGEST = 1 << 20, 64 << 20
KIND = "packed"


def possible() -> str:
    """Why this cannot be tried here, empty where it can."""
    with TemporaryDirectory() as folder:
        done = subprocess.run(_mount(Path(folder), f"size={SMALLEST}"), capture_output=True, check=False)
        if done.returncode:
            return "mounting a disk is not allowed here"
        subprocess.run(["umount", folder], check=False)
    return ""


def measure(size: int, seed: int, *, alone: bool = True) -> Figure:
    """Fill `size` disks, each with room for another part of what the run needs.

    The program runs in processes of its own unless a bug is planted in this one.
    """
    if reason := possible():
        return Figure(FAULT, 0, "disks", 0, f"not tried: {reason}")
    broken, chance = 0, Random(seed)
    with TemporaryDirectory() as room, living(SyntheticMarket(seed), now=Pinned(NOW)) as sandbox:
        bench = _Bench(sandbox, Oracle(sandbox, SYMBOLS, SPAN), alone)
        needed = bench.needed(Path(room))
        for number in range(size):
            whole = SMALLEST + (LARGEST - SMALLEST) * number // max(1, size - 1)
            free = int(min(whole, needed * chance.uniform(0.02, 0.9)))
            with disk(Path(room, f"disk{number}"), whole) as folder:
                problems = bench.filled(folder, whole, free)
            if problems:
                broken += 1
                sys.stderr.write(f"{free} of {whole} bytes free: {problems}\n")
    return Figure(
        FAULT, size, "disks", broken, f"the store takes {needed / 1e6:.1f} MB; 2 % to 90 % of it fit"
    )


@contextmanager
def disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of its own until the block ends."""
    folder.mkdir()
    subprocess.run(_mount(folder, f"size={size}"), check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


@dataclass(frozen=True, slots=True)
class _Bench:
    """The program, asked for the same bars on one disk after another."""

    sandbox: Sandbox
    oracle: Oracle
    alone: bool

    def needed(self, folder: Path) -> int:
        """The bytes of the store where there is room."""
        code, said = self._backfill(folder)
        assert code == 0, said
        return (folder / "market.gapless").stat().st_size

    def filled(self, folder: Path, whole: int, free: int) -> list[str]:
        """Every promise that a run breaks that has so many bytes, and one after it that has enough."""
        ballast = folder / "ballast"
        with ballast.open("wb") as file:
            file.write(bytes(whole - free))
        code, said = self._backfill(folder)
        problems = [] if code == 7 else [f"exit code {code} where the disk is full: {said[-200:]}"]
        if not all(words in said for words in ("is full", "MB are free", "Free some space")):
            problems.append(f"it does not say what is the matter: {said[-300:]}")
        problems += self._broken(folder)
        ballast.unlink()
        subprocess.run(_mount(folder, f"remount,size={whole + LARGEST}"), check=True)
        code, said = self._backfill(folder)
        if code:
            problems.append(f"exit code {code} where there is room again: {said[-200:]}")
        return problems + self._broken(folder, whole=True)

    def _backfill(self, folder: Path) -> tuple[int, str]:
        settings = {"MASSIVE_BASE_URL": self.sandbox.url, "MASSIVE_PLAN": "advanced", "RATE": "unlimited"}
        env = {f"GAPLESS_{name}": text for name, text in settings.items()} | {"MASSIVE_API_KEY": "sandbox"}
        program = Gapless(folder, env)
        # Leases end with a process where there is no room to give them back.
        run = program.alone if self.alone else program
        ended = run("backfill", *SYMBOLS, "-t", "1m,1d", "--start", START, "--end", END)
        return ended.code, ended.err

    def _broken(self, folder: Path, *, whole: bool = False) -> list[str]:
        """What is wrong with the store, while the disk is as full as it is."""
        if not (folder / "market.gapless").exists():
            return []
        try:
            with warehouse(self.sandbox.url, store_url(folder, KIND), OwnedClock()) as house:
                return self.oracle.broken(house) + (self.oracle.incomplete(house, SPAN) if whole else [])
        except StoreFull as full:  # to read takes a few kilobytes beside the file
            return [str(full)] if whole or shutil.disk_usage(folder).free > SMALLEST else []


def _mount(folder: Path, options: str) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]


HARNESS = Harness(FAULT, 10, 50, measure)
