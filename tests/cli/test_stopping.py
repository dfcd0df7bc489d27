"""Ctrl-C: the first finishes the page in hand, the second stops at once; both can be gone on with."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import asking
from cli.program import Gapless, ended, until
from gapless.sandbox import Served

_WORDS = ("backfill", "AAPL", "MSFT", "X:BTCUSD", "-t", "1m,1d", "--start", "20d")


@pytest.fixture
def running(tmp_path: Path, slow_vendor: Served) -> Iterator[tuple[Gapless, subprocess.Popen[bytes]]]:
    """The program in the middle of a backfill."""
    program = asking(tmp_path, slow_vendor)
    with program.started(*_WORDS, GAPLESS_RATE="1/s") as process:
        until(lambda: slow_vendor.stats()["total"] > 0)
        yield program, process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_finishes_the_page_in_hand(
    running: tuple[Gapless, subprocess.Popen[bytes]], vendor: Served, number: int, code: int
) -> None:
    """What was read is kept: the next run asks for less than the whole, and ends whole."""
    program, process = running
    process.send_signal(number)
    done = ended(process)
    assert done.code == code, done.err
    assert "finishing the page in hand" in done.err
    assert "Traceback" not in done.err
    report = asking(program.folder, vendor)(*_WORDS, "--json")
    assert report.code == 0
    assert 0 < report.json()["requests"] < 6


def test_the_second_signal_stops_at_once(
    running: tuple[Gapless, subprocess.Popen[bytes]], vendor: Served
) -> None:
    """Exit 130 without a word more; the store is sound, and the next run ends whole."""
    program, process = running
    process.send_signal(signal.SIGINT)
    said = b""
    while b"press again" not in said:
        said += process.stderr.readline() if process.stderr else b""
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert done.code == 130
    assert "Traceback" not in done.err
    after = asking(program.folder, vendor)
    assert after("verify").code == 0
    assert after(*_WORDS, "--quiet").code == 0
