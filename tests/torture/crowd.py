"""Eight processes on one store, one of them killed every second: nothing twice, nothing lost, no request too many."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from engine.living import KINDS, NOW, OwnedClock, asked, living, store_url, stored, truth, warehouse
from gapless.errors import LeaseHeld
from gapless.sandbox import Rate, Sandbox, SyntheticMarket
from gapless.vocabulary.events import Event, PageStored
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from torture.harness import Figure, Harness
from torture.nursery import Nursery

HANDS = 8
SYMBOLS = ("X:BTCUSD", "X:ETHUSD", "X:SOLUSD", "X:ADAUSD", "X:XRPUSD", "C:EURUSD", "C:USDJPY")
OUR_RATE = "4.9/s"
"""49 in any ten seconds, which all processes together are told to keep to."""
RATE = Rate(49, 9.75)
"""What the vendor counts. A machine with more to do than processors delivers some requests a little late."""
_SOON = 0.05
"""Seconds before a process goes on after it met another one on the same series."""
_AT_THE_END, _PER_PAGE = 120.0, 0.25
"""Seconds given to those who are left, to finish: the youngest have yet to look at every day of every symbol."""
_FAULT = "8 processes on one store, one killed every second"

Plant = Callable[[], None]


def nothing() -> None:
    """Break nothing."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a process is to do: every day of every symbol, in an order of its own; `log` takes what it was told."""

    url: str
    store: str
    started: float
    days: tuple[Span, ...]
    seed: int
    log: Path
    plant: Plant

    @property
    def clock(self) -> OwnedClock:
        """The real seconds on a date of ours, the same in every process."""
        return OwnedClock(at=NOW, speed=1.0, flows=True, started=self.started)


def work(share: Share) -> None:
    """One symbol and day after another; what somebody else holds is looked at again later."""
    share.plant()
    log = os.open(share.log, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    left = [(symbol, day) for symbol in SYMBOLS for day in share.days]
    Random(share.seed).shuffle(left)

    def tell(event: Event) -> None:
        if isinstance(event, PageStored):
            changed = event.receipt.corrected + event.receipt.withdrawn
            os.write(log, f"{event.receipt.inserted} {changed}\n".encode())

    with warehouse(share.url, share.store, share.clock, rate=OUR_RATE) as house:
        while left:
            symbol, day = left.pop(0)
            if not house.plan([symbol], ["1m"], day.start, day.end).jobs:
                continue
            report = house.backfill([symbol], ["1m"], day.start, day.end, tell=tell)
            assert report.exit_code in (0, LeaseHeld.exit_code), report.as_dict()
            if report.exit_code:
                left.append((symbol, day))
                time.sleep(_SOON)


@dataclass(slots=True)
class _Crowd:
    """The processes that live, and how many were killed."""

    nursery: Nursery
    share: Share
    living: list[int] = field(default_factory=list)
    kills: int = 0

    def fill_up(self, number: Iterator[int]) -> None:
        while len(self.living) < HANDS:
            share = replace(self.share, seed=self.share.seed + next(number))
            self.living.append(self.nursery.start(work, share))

    def kill_one(self, dice: Random) -> None:
        pid = self.living.pop(dice.randrange(len(self.living)))
        self.kills += self.nursery.kill(pid) == -signal.SIGKILL

    def finish(self) -> list[str]:
        """Wait for the rest; what went wrong with them."""
        patience = _AT_THE_END + _PER_PAGE * len(SYMBOLS) * len(self.share.days)
        deadline, found = time.monotonic() + patience, list[str]()
        for pid in self.living:
            while (code := self.nursery.ended(pid)) is None and time.monotonic() < deadline:
                time.sleep(0.02)
            if code is None:
                os.kill(pid, signal.SIGKILL)
                self.nursery.wait(pid)
            found += [f"a process ended with {code}"] * (code != 0)
        return found


def measure(size: int, seed: int, plant: Plant = nothing) -> Figure:
    """`size` seconds with as many kills; then the rest of the work without any, and one more run."""
    started, dice = time.monotonic(), Random(seed)
    clock = OwnedClock(at=NOW, speed=1.0, flows=True, started=started)
    # More than the rate allows in that time.
    days = tuple(Span(NOW // DAY * DAY - SPAN_DAYS * DAY, NOW // DAY * DAY).pieces(DAY))[: 2 + 3 * size // 4]
    with (
        TemporaryDirectory() as folder,
        living(SyntheticMarket(seed), now=clock, rate=RATE) as sandbox,
        Nursery() as nursery,
    ):
        store = store_url(Path(folder), KINDS[seed % 2])
        share = Share(sandbox.url, store, started, days, seed, Path(folder) / "told", plant)
        crowd, number = _Crowd(nursery, share), count(1)
        until = time.monotonic() + size
        while time.monotonic() < until:
            crowd.fill_up(number)
            time.sleep(1.0)
            crowd.kill_one(dice)
        wrong = crowd.finish()
        wrong += _looked_at(sandbox, share, crowd.kills)
        busiest = sandbox.stats["max_in_window"]
    ideal = len(SYMBOLS) * len(days)
    figures = f"{size} s, {asked(sandbox)} requests for {ideal} pages, at most {busiest} of {RATE.calls} in a window"
    return Figure(_FAULT, crowd.kills, "kills", len(wrong), "; ".join([figures, *wrong[:2]]))


SPAN_DAYS = 365
"""Days that there are to be shared out."""


def _looked_at(sandbox: Sandbox, share: Share, kills: int) -> list[str]:
    """Every promise that the store and the vendor's own log show as broken."""
    told = [tuple(map(int, line.split())) for line in share.log.read_text().splitlines()]
    span, found = Span(share.days[0].start, share.days[-1].end), list[str]()
    over = sandbox.stats["max_in_window"] - RATE.calls
    found += [f"{over} requests too many in a window"] * (over > 0)
    before = sandbox.stats["total"]
    with warehouse(share.url, share.store, share.clock, rate=OUR_RATE) as house:
        report = house.backfill(SYMBOLS, ["1m"], span.start, span.end)
        found += ["not complete"] * (report.exit_code != 0)
        found += ["asked again for what is there"] * (sandbox.stats["total"] != before)
        bars = {symbol: stored(house, symbol, Base.MINUTE, Span(0, 2**50)) for symbol in SYMBOLS}
        found += [f"{s} is not the truth" for s in SYMBOLS if bars[s] != truth(sandbox, s, Base.MINUTE, span)]
        found += [damage.what for damage in house.store.verify()]
    if sum(inserted for inserted, _ in told) > sum(map(len, bars.values())):
        found.append("bars that were told to be stored were lost and stored again")
    found += ["a stored bar was changed"] * any(changed for _, changed in told)
    # A killed process has one page in hand, and may have asked for it once more.
    if asked(sandbox) > len(SYMBOLS) * len(share.days) + kills:
        found.append(f"{asked(sandbox)} requests")
    return found


HARNESS = Harness(_FAULT, 60, 1_800, measure)
