"""Many processes on one store: leases, the limiter, creation, and a process that is killed while it writes."""

import multiprocessing
import os
import platform
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from gapless.errors import LeaseHeld
from gapless.vocabulary.timeframe import DAY, Base
from stores.making import EVER, KINDS, SPY, T0, batch, minutes, opened, url_of
from stores.working import claimed, taken_turns, write_until_killed, written

SPAWN = multiprocessing.get_context("spawn")
kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_processes_that_make_one_store_together(tmp_path: Path, kind: str) -> None:
    """Several processes that find no store make one, and all their writes are in it."""
    url = url_of(kind, tmp_path)
    names = ["A", "B", "C"]
    with ProcessPoolExecutor(3, mp_context=SPAWN) as pool:
        assert list(pool.map(written, [url] * 3, names, timeout=60)) == [5, 5, 5]
    store = opened(url)
    assert [(s.instrument.ticker, s.bars) for s in store.series()] == [(name, 1000) for name in names]
    assert list(store.verify()) == []
    store.close()


@kinds
def test_processes_share_one_window_and_one_row_of_fences(tmp_path: Path, kind: str) -> None:
    """Three processes with one clock get ten turns together, and no fence is had twice."""
    url = url_of(kind, tmp_path)
    opened(url).close()
    with ProcessPoolExecutor(3, mp_context=SPAWN) as pool:
        turns = pool.map(taken_turns, [url] * 3, [[100.0]] * 3, timeout=60)
        fences = list(pool.map(claimed, [url] * 3, "abc", timeout=60))
        assert sum(len(one) for one in turns) == 10
        turns = pool.map(taken_turns, [url] * 3, [[101.0]] * 3, timeout=60)
        assert sum(len(one) for one in turns) == 10
    had = [fence for one in fences for fence in one]
    assert len(had) == len(set(had))
    assert all(one == sorted(one) for one in fences)


@kinds
def test_a_killed_writer_leaves_whole_pages(tmp_path: Path, kind: str) -> None:
    """After `kill -9` every page is there with its entry or not at all, and what was acknowledged is there."""
    url = url_of(kind, tmp_path)
    ours, theirs = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=write_until_killed, args=(url, theirs))
    process.start()
    theirs.close()
    fence, acknowledged = ours.recv(), 0
    while acknowledged < 5:
        acknowledged = ours.recv()
    time.sleep(0.013)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    store = opened(url)
    pages = len(store.entries(SPY, Base.MINUTE))
    assert pages >= acknowledged
    expected = {ts: b for page in range(pages) for ts, b in minutes(1000, T0 + page * DAY).items()}
    assert store.read(SPY, Base.MINUTE, EVER) == batch(expected)
    assert list(store.verify()) == []
    # Its lease would have lasted, but its process is no more.
    taken_over = store.claim("SPY 1m", f"{platform.node()}:{os.getpid()}:me", ttl=1000, now=1)
    assert taken_over.fence > fence
    store.close()


@kinds
def test_a_living_holder_of_this_machine_keeps_its_lease(tmp_path: Path, kind: str) -> None:
    """A process that runs is not taken for dead."""
    store = opened(url_of(kind, tmp_path))
    store.claim("SPY 1m", f"{platform.node()}:{os.getpid()}:a", ttl=1000, now=0)
    with pytest.raises(LeaseHeld):
        store.claim("SPY 1m", f"{platform.node()}:{os.getpid()}:b", ttl=1000, now=999)
    store.close()
