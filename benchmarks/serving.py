"""How quickly bars are served while others ask, and while a backfill writes: figures for `gapless serve`.

    python benchmarks/serving.py [--seconds 5] [--connections 8]

A store is filled from the made-up market; `gapless serve` reads it in a process of its own. This process asks, over
keep-alive connections, for the 390 bars of a regular session: a day of minutes in JSON. Three questions in turn: the
same day by all (what a dashboard does); each time another of many days (what a study does); and the same day while a
backfill in a third process writes other series into the store. Shown are requests a second, and the times of
an answer from the first byte sent to the last one read. The first second of each is not counted. `cpu us` is the
server's own time on a processor for an answer, in microseconds, which does not depend on what else the machine does.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil

from gapless.app import open_warehouse
from gapless.sandbox import Rate, Served, SyntheticMarket, serve_in_process
from gapless.settings import load

WARM = 1.0
FIRST_DAY = date(2026, 6, 1)
DAYS = 120


def bars_of(day: date) -> str:
    return f"/v1/bars/AAPL?timeframe=1m&session=regular&start={day}&end={day + timedelta(days=1)}"


def trading_days() -> list[date]:
    days = (FIRST_DAY + timedelta(days=n) for n in range(DAYS - 10))
    holidays = (date(2026, 6, 19), date(2026, 7, 3), date(2026, 9, 7))
    return [day for day in days if day.weekday() < 5 and day not in holidays]


@contextmanager
def started(folder: Path, env: dict[str, str], *words: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "gapless", *words]
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


async def ask(url: str, paths: Callable[[], str], seconds: float, times: list[tuple[float, float]]) -> None:
    """One connection: the next question as soon as the last is answered."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    ends = time.perf_counter() + WARM + seconds
    while (began := time.perf_counter()) < ends:
        writer.write(
            f"GET {paths()} HTTP/1.1\r\nHost: {where.netloc}\r\nAccept: application/json\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"not answered: {head.decode()}")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        times.append((began, time.perf_counter() - began))
    writer.close()


def measure(
    server: psutil.Process, url: str, paths: Callable[[], str], seconds: float, connections: int
) -> tuple[float, float, list[float]]:
    """Requests a second, the server's microseconds for each, and the sorted times of answers in milliseconds."""
    import uvloop

    times: list[tuple[float, float]] = []

    async def all_at_once() -> None:
        await asyncio.gather(*(ask(url, paths, seconds, times) for _ in range(connections)))

    began, before = time.perf_counter(), sum(server.cpu_times()[:2])
    uvloop.run(all_at_once())
    busy = (sum(server.cpu_times()[:2]) - before) / len(times) * 1e6
    counted = sorted(1000 * took for start, took in times if start > began + WARM)
    return len(counted) / seconds, busy, counted


def show(name: str, rate: float, busy: float, times: list[float]) -> None:
    at = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.99, 0.999)]
    print(
        f"{name:34s} {rate:9,.0f} {busy:9.0f} {at[0]:9.2f} {at[1]:9.2f} {at[2]:9.2f} {times[-1]:9.2f}",
        flush=True,
    )


def fill(folder: Path, vendor: Served) -> None:
    flags = {
        "store": str(folder / "market.gapless"),
        "massive.base_url": vendor.url,
        "massive.plan": "advanced",
    }
    settings = load(
        flags | {"rate": "unlimited"}, env={"MASSIVE_API_KEY": "sandbox"}, folder=folder, user_file=None
    )
    with open_warehouse(settings) as house:
        report = house.backfill(["AAPL"], ["1m"], str(FIRST_DAY), str(FIRST_DAY + timedelta(days=DAYS)))
    if report.exit_code:
        sys.exit(f"the store could not be filled: {report.error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    days = trading_days()
    several = cycle(map(bars_of, days))
    with (
        tempfile.TemporaryDirectory() as name,
        serve_in_process(SyntheticMarket(7), rate=Rate(1000, 1)) as vendor,
    ):
        folder = Path(name)
        fill(folder, vendor)
        env = {"PATH": os.environ["PATH"], "HOME": name, "MASSIVE_API_KEY": "sandbox", "GAPLESS_RATE": "20/s"}
        env |= {"GAPLESS_MASSIVE_BASE_URL": vendor.url, "GAPLESS_MASSIVE_PLAN": "advanced"}
        with started(folder, env, "serve", "--port", "0") as server:
            url = (server.stdout.readline() if server.stdout else "").strip()
            serving = psutil.Process(server.pid)
            with urlopen(
                url + bars_of(days[0]), timeout=60
            ) as first:  # the calendar is loaded by whoever asks first
                first.read()
            print(
                f"{given.connections} connections, 390 bars in JSON; load of the machine {os.getloadavg()[0]:.1f}"
            )
            print(
                f"{'':34s} {'req/s':>9s} {'cpu us':>9s} {'p50 ms':>9s} {'p99 ms':>9s} {'p99.9 ms':>9s} {'most ms':>9s}"
            )
            show(
                "the same day",
                *measure(serving, url, lambda: bars_of(days[0]), given.seconds, given.connections),
            )
            show(
                f"{len(days)} days in turn",
                *measure(serving, url, lambda: next(several), given.seconds, given.connections),
            )
            coins = (
                "X:BTCUSD",
                "X:ETHUSD",
                "X:XRPUSD",
                "MSFT",
                "GOOGL",
                "AMZN",
                "NVDA",
                "META",
                "SPY",
                "QQQ",
            )
            words = ("backfill", *coins, "-t", "1m,1d", "--start", "2021-01-01", "--quiet")
            with started(folder, env, *words) as writer:
                time.sleep(2)
                found = measure(serving, url, lambda: bars_of(days[0]), given.seconds, given.connections)
                still = writer.poll() is None
            show(
                "the same, while a backfill writes" if still else "the same (the backfill ended early)",
                *found,
            )


if __name__ == "__main__":
    main()
