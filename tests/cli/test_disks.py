"""Disks that are full or cannot be written: nothing is lost, and the next run goes on."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.program import Gapless

WISH = ("AAPL", "X:BTCUSD", "-t", "1m", "--start", "2026-03-01", "--end", "2026-09-01")

Remount = Callable[[str], None]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Remount]]:
    """A disk of 1.5 MB of its own, and a way to mount it again with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting a disk is not allowed here")

    mount("size=1500k")
    try:
        yield folder, lambda options: mount(f"remount,{options}")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def test_a_full_disk_loses_nothing_and_the_next_run_goes_on(
    gapless: Gapless, disk: tuple[Path, Remount]
) -> None:
    """Exit code 7 in plain words; with more room the same command ends whole, and damage is nowhere."""
    folder, remount = disk
    store = ("--store", str(folder / "market.gapless"))

    full = gapless.alone("backfill", *WISH, *store)
    status = gapless.alone("status", *store)
    remount("size=20m")
    again = gapless.alone("backfill", *WISH, *store)

    assert full.code == 7
    assert "is full" in full.err
    assert "Free some space" in full.err
    assert status.code == 0
    assert again.code == 0, again.err
    assert gapless.alone("verify", *store).code == 0


def test_a_store_that_cannot_be_written_can_be_read(gapless: Gapless, disk: tuple[Path, Remount]) -> None:
    """Readers work; whoever would write is told why not, with exit code 7."""
    folder, remount = disk
    store = ("--store", str(folder / "market.gapless"))
    small = ("AAPL", "-t", "1d", "--start", "2026-08-03", "--end", "2026-09-01")
    assert gapless.alone("backfill", *small, *store).code == 0
    remount("ro")

    status = gapless.alone("status", *store)
    more = gapless.alone("backfill", "MSFT", *small[1:], *store)
    new = gapless.alone("backfill", *small, "--store", str(folder / "new.gapless"))

    assert (status.code, more.code, new.code) == (0, 7, 7)
    assert "100.0%" in status.out
    assert "read-only" in more.err
    assert "read-only" in new.err
