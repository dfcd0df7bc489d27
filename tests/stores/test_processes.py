"""Many processes on one store: leases, the limiter, creation, and a process that is killed while it writes."""

import multiprocessing
import os
import platform
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gapless.errors import LeaseHeld
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from stores.making import EVER, KINDS, SPY, T0, batch, checked, minutes, opened, url_of

SPAWN = multiprocessing.get_context("spawn")
kinds = pytest.mark.parametrize("kind", KINDS)


def taken_turns(url: str, moments: list[float]) -> list[float]:
    """Ask for twenty turns at each of these moments; give back the moment of each one that was had."""
    store = opened(url)
    asked = [now for now in moments for _ in range(20)]
    taken = [now for now in asked if store.take_turn("p", calls=10, per=1.0, now=now) == 0.0]
    store.close()
    return taken


def claimed(url: str, name: str) -> list[int]:
    """Claim and give back a lease over and over; the fences that were had."""
    store = opened(url)
    fences = []
    for _ in range(30):
        try:
            lease = store.claim("SPY 1m", f"elsewhere:1:{name}", ttl=10**9, now=0)
        except LeaseHeld:
            continue
        fences.append(lease.fence)
        store.release(lease)
    store.close()
    return fences


def written(url: str, ticker: str) -> int:
    """Open a store that may not be there yet, and write five pages of a series."""
    store = opened(url)
    for page in range(5):
        bars = minutes(200, T0 + page * DAY)
        span = Span(T0 + page * DAY, T0 + (page + 1) * DAY)
        store.write(checked(bars, span, page + 1, instrument=Instrument.parse(ticker)))
    store.close()
    return 5


def write_until_killed(url: str, told: Connection) -> None:
    """Write page after page, saying after each that it is acknowledged."""
    store = opened(url)
    told.send(store.claim("SPY 1m", f"{platform.node()}:{os.getpid()}:t", ttl=10**12, now=0).fence)
    page = 0
    while True:
        start = T0 + page * DAY
        store.write(checked(minutes(1000, start), Span(start, start + DAY), page + 1))
        page += 1
        told.send(page)


@kinds
def test_processes_that_make_one_store_together(tmp_path: Path, kind: str) -> None:
    """Several processes that find no store make one, and all their writes are in it."""
    url = url_of(kind, tmp_path)
    names = ["A", "B", "C"]
    with SPAWN.Pool(3) as pool:
        work = pool.starmap_async(written, [(url, name) for name in names], chunksize=1)
        assert work.get(timeout=60) == [5, 5, 5]
    store = opened(url)
    assert [(s.instrument.ticker, s.bars) for s in store.series()] == [(name, 1000) for name in names]
    assert list(store.verify()) == []
    store.close()


@kinds
def test_processes_share_one_window_and_one_row_of_fences(tmp_path: Path, kind: str) -> None:
    """Three processes with one clock get ten turns together, and no fence is had twice."""
    url = url_of(kind, tmp_path)
    opened(url).close()
    with SPAWN.Pool(3) as pool:
        turns = pool.starmap_async(taken_turns, [(url, [100.0])] * 3, chunksize=1)
        fences = pool.starmap(claimed, [(url, name) for name in "abc"], chunksize=1)
        assert sum(len(one) for one in turns.get()) == 10
        turns = pool.starmap_async(taken_turns, [(url, [101.0])] * 3, chunksize=1)
        assert sum(len(one) for one in turns.get()) == 10
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
