"""A sandbox in a process of its own serves, counts, and ends with whoever started it."""

import json
import os
import subprocess
import sys
import textwrap
import time
import urllib.request

import pytest

from gapless.errors import UsageError
from gapless.sandbox import Pinned, SyntheticMarket, serve_in_process
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base
from sandbox.plain_client import NOW, utc


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - a name, not a path
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    """Whether a process ends within ten seconds."""
    for _ in range(200):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_it_serves_the_same_market_and_ends_with_the_block() -> None:
    """Its bars are those of the same seed here; its counters come over HTTP."""
    market = SyntheticMarket(seed=11)
    with serve_in_process(market, now=Pinned(NOW)) as served:
        path = "/v2/aggs/ticker/SPY/range/1/day/2026-05-04/2026-05-08?adjusted=false&apiKey=sandbox"
        with urllib.request.urlopen(served.url + path, timeout=10) as answer:
            page = json.load(answer)
        assert served.stats()["total"] == 1
    truth = market.bars(Instrument.parse("SPY"), Base.DAY, Span(utc("2026-05-04"), utc("2026-05-09")))
    assert [row["c"] for row in page["results"]] == truth.close.tolist()
    assert gone(served.pid)


def test_it_ends_when_its_starter_is_killed() -> None:
    """Nobody has to clean up after a crash."""
    program = textwrap.dedent("""
        import os
        import signal
        from gapless.sandbox import SyntheticMarket, serve_in_process

        if __name__ == "__main__":
            with serve_in_process(SyntheticMarket()) as served:
                print(served.pid, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
    """)
    starter = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert starter.returncode == -9
    assert gone(int(starter.stdout))


def test_a_port_in_use_is_told_to_the_starter() -> None:
    """The error of the other process is raised here."""
    with serve_in_process(SyntheticMarket()) as first:
        port = int(first.url.rpartition(":")[2])
        with (
            pytest.raises(UsageError, match="cannot listen") as caught,
            serve_in_process(SyntheticMarket(), port=port),
        ):
            pass
    assert caught.value.hint
    assert first.pid != os.getpid()
