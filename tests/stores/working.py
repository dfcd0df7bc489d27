"""What the processes of a test do; a module of its own, so that a new process can import it by name."""

import os
import platform
from multiprocessing.connection import Connection

from gapless.errors import LeaseHeld
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY
from stores.making import T0, checked, minutes, opened


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
