"""Clocks that are wrong, jump or stop: no session is taken for another one, and nothing becomes final early."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from engine.living import KINDS, NOW, OwnedClock, living, store_url, stored, truth, untrue, utc, warehouse
from gapless.app import Warehouse
from gapless.errors import LeaseHeld, Stopped
from gapless.ledger import fold
from gapless.reports import RunReport
from gapless.sandbox import Sandbox, SyntheticMarket
from gapless.vocabulary.events import Event, PageStored
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from torture.final import bars_around
from torture.harness import Figure, Harness

HOUR = 60 * MINUTE
SECOND = 1000
SYMBOLS = ("AAPL", "X:BTCUSD", "C:EURUSD")
START = "2026-11-17T05:00Z"
SPAN = Span(utc("2026-11-17T05:00"), NOW // DAY * DAY)
"""From a midnight in New York to the last one in Greenwich: all of it has settled by `NOW` in every class."""
TOLD = 5 * SECOND
"""A difference between the clocks that is worth a word."""

_AHEAD = (0, 3 * SECOND, 8 * SECOND, 10 * MINUTE, 9 * HOUR, 3 * DAY, 40 * DAY)
_BEHIND = (3 * SECOND, 8 * SECOND, 50 * SECOND, HOUR, DAY)
SKEWS = (*_AHEAD, *(-skew for skew in _BEHIND))

# -- a clock that is wrong all the time ----------------------------------------


def skewed(size: int, seed: int) -> Figure:
    """Backfill and update with clocks that are wrong by up to weeks, then once more with the right one."""
    dice, wrong = Random(seed), list[str]()
    market = SyntheticMarket(seed)
    for number in range(size):
        skew = SKEWS[number % len(SKEWS)]
        moment = NOW - dice.choice((0, 3, 5, 6, 9, 12, 14)) * HOUR - dice.randint(0, HOUR)
        with TemporaryDirectory() as folder:
            wrong += _one_skew(market, moment, skew, store_url(Path(folder), KINDS[number % 2]))
    detail = wrong[0] if wrong else "told above 5 s; nothing final before the vendor's own clock allows it"
    return Figure("a clock that is wrong by up to 40 days", size, "clocks", len(wrong), detail)


def _one_skew(market: SyntheticMarket, moment: int, skew: int, store: str) -> list[str]:
    """What goes wrong where the vendor's clock shows `moment` (Unix ms) and ours `skew` ms more."""
    vendor, ours = OwnedClock(at=moment), OwnedClock(at=moment + skew)
    about = f"{skew / SECOND:+,.0f} s at {moment}: "
    with living(market, now=vendor) as sandbox, warehouse(sandbox.url, store, ours) as house:
        reports = [house.backfill(SYMBOLS, ["1m", "1d"], START), house.update()]
        told = any("the clock of this machine" in problem for r in reports for problem in r.problems)
        found = early(house, moment)
        if told != (abs(skew) > TOLD):
            found.append(f"{'told' if told else 'not told'}")
        vendor.at = ours.at = NOW
        house.update()
        found += untrue(house, sandbox, SYMBOLS, SPAN) + uncovered(house, SYMBOLS, SPAN)
    return [about + what for what in found]


def early(house: Warehouse, moment: int) -> list[str]:
    """The bars that the ledger takes for final although they had not settled at `moment` (Unix ms)."""
    return [
        f"{symbol} {base}: a bar is final early"
        for symbol in SYMBOLS
        for instrument in [Instrument.parse(symbol)]
        for base in Base
        for covered in [fold(house.store.entries(instrument, base)).covered]
        for bar in bars_around(instrument.asset_class, base, moment)
        if bar.start in covered and bar.settled > moment
    ]


def uncovered(house: Warehouse, symbols: Sequence[str], span: Span) -> list[str]:
    """The series of which the ledger cannot vouch for all of `span`."""
    return [
        f"{symbol} {base}: not whole"
        for symbol in symbols
        for base in Base
        if not fold(house.store.entries(Instrument.parse(symbol), base)).covered.covers(span)
    ]


# -- a clock that jumps --------------------------------------------------------

_SPEED = 20.0
JUMPS = (-3 * DAY, -DAY, -HOUR, -10 * MINUTE, 10 * MINUTE, HOUR, DAY, 3 * DAY)
LONGEST = 100.0
"""Quick seconds that all parts of a run together may ask to wait: some twenty requests, two in a second. The
shortest jump is of six hundred, and must add nothing."""
_GIVEN_UP = 120.0
"""Real seconds after which a run is stopped that waits for ever."""


@dataclass(slots=True)
class _Counting(OwnedClock):
    """Adds up for how long it was asked to wait; when that is too much, it says so once."""

    asked: float = 0.0
    too_long: Callable[[], None] = lambda: None

    async def sleep(self, seconds: float) -> None:
        """As `OwnedClock`."""
        self.asked += seconds
        if self.asked > LONGEST:
            self.too_long()
        await OwnedClock.sleep(self, seconds)


def jumping(size: int, seed: int) -> Figure:
    """Runs at a tight rate, in the middle of which the date jumps; then the right date, and an update."""
    dice, wrong = Random(seed), list[str]()
    market = SyntheticMarket(seed)
    for number in range(size):
        with TemporaryDirectory() as folder:
            jump = JUMPS[number % len(JUMPS)]
            wrong += _one_jump(
                market, jump, dice.randint(1, 5), store_url(Path(folder), KINDS[number // 8 % 2])
            )
    detail = wrong[0] if wrong else "no run waited for longer than without it"
    return Figure("a clock that jumps during a run", size, "jumps", len(wrong), detail)


def _one_jump(market: SyntheticMarket, jump: int, after: int, store: str) -> list[str]:
    """What goes wrong where our date jumps by `jump` ms when `after` pages are stored."""
    ours, about = _Counting(speed=_SPEED), f"{jump / HOUR:+.1f} h: "
    pages = 0

    def tell(event: Event) -> None:
        nonlocal pages
        pages += isinstance(event, PageStored)
        if pages == after and isinstance(event, PageStored):
            ours.at += jump

    with (
        living(market, now=OwnedClock()) as sandbox,
        warehouse(sandbox.url, store, ours, rate="2/s") as house,
    ):
        ours.flows = True
        end = NOW // DAY * DAY
        found = _in_time(house, ours, lambda: house.backfill(SYMBOLS, ["1m", "1d"], START, end, tell=tell))
        found += early(house, NOW)
        ours.at, ours.started = NOW, time.monotonic()
        found += _in_time(house, ours, house.update)
        found += untrue(house, sandbox, SYMBOLS, SPAN) + uncovered(house, SYMBOLS, SPAN)
    return [about + what for what in found]


def _in_time(house: Warehouse, clock: _Counting, run: Callable[[], RunReport]) -> list[str]:
    """Whether a run waits longer than it may; it is stopped then."""
    clock.asked, clock.too_long = 0.0, house.stop
    enough = threading.Timer(_GIVEN_UP, house.stop)
    enough.start()
    report = run()
    enough.cancel()
    stopped = report.exit_code == Stopped.exit_code
    return [f"it waited for {clock.asked:.0f} s"] if stopped or clock.asked > LONGEST else []


# -- a machine that sleeps -----------------------------------------------------


def suspended(size: int, seed: int) -> Figure:
    """A run sleeps for hours in the middle, and another one takes over what it was doing."""
    dice, wrong = Random(seed), list[str]()
    market = SyntheticMarket(seed)
    for number in range(size):
        with TemporaryDirectory() as folder, living(market, now=OwnedClock(at=NOW + DAY)) as sandbox:
            wrong += _one_sleep(sandbox, store_url(Path(folder), KINDS[number % 2]), dice.choice((1, 3, 12)))
    detail = wrong[0] if wrong else "who slept wrote nothing after its lease was gone; nothing is there twice"
    return Figure("a machine that sleeps during a run", size, "sleeps", len(wrong), detail)


def _one_sleep(sandbox: Sandbox, store: str, hours: int) -> list[str]:
    # In real seconds leases are renewed every half minute: not in the moment in which the date is moved.
    clock, slept = OwnedClock(speed=1.0), list[int]()
    span = Span(SPAN.start - 50 * DAY, SPAN.end)  # two pages of minutes

    def other() -> None:
        with warehouse(sandbox.url, store, OwnedClock(at=clock.at)) as house:
            slept.append(house.backfill(["X:BTCUSD"], ["1m"], span.start, span.end).exit_code)

    def tell(event: Event) -> None:
        if isinstance(event, PageStored) and not slept:
            clock.at += hours * HOUR
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()

    with warehouse(sandbox.url, store, clock) as house:
        first = house.backfill(["X:BTCUSD"], ["1m"], span.start, span.end, tell=tell)
        found = [] if slept == [0] else [f"the other run ended with {slept}"]
        if first.exit_code != LeaseHeld.exit_code:
            found.append(f"the run that slept ended with {first.exit_code}")
        if stored(house, "X:BTCUSD", Base.MINUTE, span) != truth(sandbox, "X:BTCUSD", Base.MINUTE, span):
            found.append("the store is not the vendor's truth")
        entries = house.store.entries(Instrument.parse("X:BTCUSD"), Base.MINUTE)
        if len(entries) != 2:  # the page of the one that slept, and that of the other
            found.append(f"{len(entries)} entries")
    return found


HARNESSES = (
    Harness("a clock that is wrong by up to 40 days", 12, 400, skewed),
    Harness("a clock that jumps during a run", 8, 200, jumping),
    Harness("a machine that sleeps during a run", 4, 100, suspended),
)
