"""Storms of 429 and outages of ten minutes, and rates that nobody states: hours of the vendor's time in seconds."""

import asyncio
import random
import tempfile
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from unittest.mock import patch

from engine.living import NOW, OwnedClock, untrue, utc, warehouse
from fetch.scripted_vendor import FakeTurns, Inline
from gapless.app import Warehouse
from gapless.fetch import Limiter, Rate
from gapless.reports import RunReport
from gapless.sandbox import Fault, ReplayMarket, Sandbox, SyntheticMarket
from gapless.sandbox import Rate as VendorsRate
from gapless.sandbox.faults import FaultPlan
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base
from torture.harness import Figure, Harness
from torture.virtual_time import LoopClock, VirtualLoop

TEN_MINUTES = 600.0
_OUTAGE = (Fault.BAD_GATEWAY, Fault.RESET, Fault.CUT, Fault.STALL)
_SYMBOLS = ("X:BTCUSD", "X:ETHUSD", "X:SOLUSD", "C:EURUSD")
_SPAN = Span(utc("2026-09-01T00:00"), utc("2026-09-02T00:00"))
_STALLED = 60.0
"""Seconds that the longest of our timeouts gives an answer to come."""
_GROWING = 8
"""Probes that come sooner than a window apart while the wait still doubles: from a second to a minute."""


@dataclass(frozen=True, slots=True)
class Storm:
    """From `start`, for ten minutes, every answer is one of `kinds`; the rate is `calls` in a minute."""

    kinds: tuple[Fault, ...]
    calls: int
    start: float
    page_bars: int


class Weather(FaultPlan):
    """Spoils every answer while the storm lasts, and notes when it was asked."""

    def __init__(self, storm: Storm, clock: LoopClock, seed: int) -> None:
        super().__init__({}, seed=seed)
        self.asked: list[float] = []
        self.last: Fault | None = None
        self._storm, self._clock, self._rng = storm, clock, random.Random(seed)

    def draw(self, address: str, possible: Collection[Fault]) -> Fault | None:
        """As in `FaultPlan`."""
        self.asked.append(self._clock.monotonic())
        if not 0 <= self.asked[-1] - self._storm.start < TEN_MINUTES:
            return super().draw(address, possible)
        fault = self.last = self._rng.choice(self._storm.kinds)
        self.made[fault] += 1
        return fault


@dataclass(slots=True)
class Weathered:
    """What came of a storm: the broken promises in words, and two figures."""

    broken: list[str] = field(default_factory=list)
    probes: int = 0
    used: float = 0.0


@contextmanager
def _virtual(storm: Storm, seed: int, folder: Path) -> Iterator[tuple[Warehouse, Sandbox, Weather]]:
    """A warehouse and a sandbox on one loop whose time jumps; all parts are the real ones."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        clock = LoopClock(loop, NOW)
        weather = Weather(storm, clock, seed)
        sandbox = Sandbox(
            _market(),
            now=clock,
            rate=VendorsRate(storm.calls, 60.0),
            monotonic=clock.monotonic,
            stall=90.0,
            seed=seed,
        )
        sandbox.faults = weather
        url = runner.run(sandbox.start())
        try:
            with (
                patch("gapless.app.warehouse.run_to_end", runner.run),
                warehouse(
                    url,
                    str(folder / "s.gapless"),
                    cast("OwnedClock", clock),  # any clock does
                    rate=f"{storm.calls}/min",
                    confirm_after="1m",
                ) as house,
            ):
                house._provider.page_bars = storm.page_bars
                yield house, sandbox, weather
        finally:
            runner.run(sandbox.stop())


def _market() -> ReplayMarket:
    """A few days of a made-up market, without the time it takes to make more."""
    made, around = SyntheticMarket(seed=3), Span(utc("2026-08-31T00:00"), utc("2026-09-03T00:00"))
    instruments = map(Instrument.parse, _SYMBOLS)
    return ReplayMarket({(one, base): made.bars(one, base, around) for one in instruments for base in Base})


def weather_it(storm: Storm, seed: int) -> Weathered:
    """Backfill through one storm and judge what was promised."""
    found = Weathered()
    with tempfile.TemporaryDirectory() as folder, _virtual(storm, seed, Path(folder)) as living:
        house, sandbox, weather = living
        report = house.backfill(_SYMBOLS, ["1m"], _SPAN.start, _SPAN.end)
        found.broken += _judged(report, untrue_minutes(house, sandbox))
        if own := sandbox.stats["rate_limited"]:
            found.broken.append(f"{own} answers of 429 were our own fault")
    _judge_times(storm, weather, report, found)
    return found


def untrue_minutes(house: Warehouse, sandbox: Sandbox) -> list[str]:
    """The series whose minutes are not the sandbox's own."""
    return [line for line in untrue(house, sandbox, _SYMBOLS, _SPAN) if f" {Base.MINUTE}:" in line]


def _judged(report: RunReport, wrong: list[str]) -> list[str]:
    unfinished = report.jobs - report.completed
    return [
        *(f"{unfinished} jobs did not end complete" for _ in range(unfinished > 0)),
        *([f"the run stopped: {report.error}"] if report.error else []),
        *(f"bars differ: {line}" for line in wrong),
    ]


def _judge_times(storm: Storm, weather: Weather, report: RunReport, found: Weathered) -> None:
    """Hold the moments of asking against the storm: the budget before it, the probes in it, healing after."""
    end = storm.start + TEN_MINUTES
    before = sum(at < storm.start for at in weather.asked)
    found.used = before / (storm.calls * storm.start / 60)
    found.probes = sum(storm.start <= at < end for at in weather.asked)
    after = [at for at in weather.asked if at >= end]
    if found.used < 0.95:
        found.broken.append(f"only {found.used:.0%} of the budget was used")
    # What was under way when the storm began is no probe.
    if found.probes > TEN_MINUTES / 60 + _GROWING + min(storm.calls, 32):
        found.broken.append(f"{found.probes} requests in ten minutes of storm")
    # A probe that the storm has stalled is waited for, past its end; the next one comes a minute later.
    during = [at for at in weather.asked if at < end]
    over = max(end, during[-1] + _STALLED) if weather.last is Fault.STALL else end
    if not after or after[0] > over + 65:
        found.broken.append("nothing was asked within a minute after the storm")
    if not weather.made or report.requests < before:
        found.broken.append("the storm was not met")


def _storms(size: int) -> Iterator[Storm]:
    kinds = ((Fault.RATE_LIMIT,), _OUTAGE)
    rates = ((5, 300.0, 160), (60, 60.0, 40))
    for i in range(size):
        calls, start, page = rates[(i + i // 2) % 2]
        yield Storm(kinds[i % 2], calls, start, page)


def weather_storms(size: int, seed: int) -> Figure:
    """So many storms, of 429 and of outages in turn, at 5 and 60 requests a minute."""
    ends = [weather_it(storm, seed + i) for i, storm in enumerate(_storms(size))]
    detail = [
        f"budget used {min(end.used for end in ends):.1%} at least",
        f"{max(end.probes for end in ends)} requests in a storm at most",
        *sorted({line for end in ends for line in end.broken}),
    ]
    return Figure(
        "storms of 429 and outages of ten minutes",
        size,
        "storms",
        sum(bool(end.broken) for end in ends),
        "; ".join(detail),
    )


# -- a rate that nobody states -----------------------------------------------


@dataclass(slots=True)
class HiddenRate:
    """A vendor that allows `calls` a second, in windows that slide or follow the clock, and does not say so."""

    calls: int
    sliding: bool
    offset: float
    taken: deque[float] = field(default_factory=deque)

    def admits(self, now: float) -> bool:
        """Whether a request at this second is allowed; it then counts."""
        first = now - 1.0 if self.sliding else float(int(now + self.offset)) - self.offset
        while self.taken and (self.taken[0] <= first if self.sliding else self.taken[0] < first):
            self.taken.popleft()
        if len(self.taken) >= self.calls:
            return False
        self.taken.append(now)
        return True


@dataclass(frozen=True, slots=True)
class Sought:
    """How a rate was found: the share used from the 50th second on, and the share of 429 in all."""

    hidden: HiddenRate
    used: float
    turned_away: float

    @property
    def broken(self) -> bool:
        """Whether a promise was."""
        return self.used < 0.9 or self.turned_away >= 0.01


class _QuickTurns(FakeTurns):
    """Forgets what no window can hold any more."""

    def take_turn(self, profile: str, *, calls: int, per: float, now: float) -> float:
        """As in `ports.Store`."""
        times = self.times.setdefault(profile, [])
        while times and times[0] <= now - per:
            times.pop(0)
        return super().take_turn(profile, calls=calls, per=per, now=now)


async def _ask_for(seconds: float, hidden: HiddenRate, answer: float, limiter: Limiter) -> Sought:
    """Ask for so long, 32 at a time, each answer taking `answer` seconds."""
    loop = asyncio.get_running_loop()
    good, bad = list[float](), 0

    async def worker() -> None:
        nonlocal bad
        while loop.time() < seconds:
            await limiter.turn()
            await asyncio.sleep(answer / 2)
            allowed = hidden.admits(loop.time())
            at = loop.time()
            await asyncio.sleep(answer / 2)
            if allowed:
                good.append(at)
                limiter.eased(answer)
            else:
                bad += 1
                await limiter.hold(None)

    await asyncio.gather(*(worker() for _ in range(32)))
    late = sum(50 <= at < seconds for at in good) / (seconds - 50)
    return Sought(hidden, late / hidden.calls, bad / (bad + len(good)))


def seek(hidden: HiddenRate, answer: float) -> Sought:
    """Find one hidden rate within a minute, and keep to it for ten seconds more."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner, Inline() as counter:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        limiter = Limiter(
            _QuickTurns(),
            "hidden",
            Rate.parse("auto"),
            clock=LoopClock(loop, NOW),
            tell=lambda _: None,
            counter=counter,
        )
        return runner.run(_ask_for(70.0, hidden, answer, limiter))


def seek_rates(size: int, seed: int) -> Figure:
    """So many hidden rates from 10 to 100 a second, sliding and fixed windows, answers of 10 to 250 ms."""
    rng = random.Random(seed)
    found = [
        seek(HiddenRate(rng.randint(10, 100), i % 2 == 0, rng.random()), rng.uniform(0.01, 0.25))
        for i in range(size)
    ]
    return Figure(
        "unknown rate limit",
        size,
        "hidden rates",
        sum(one.broken for one in found),
        f"after 50 s {min(one.used for one in found):.1%} used at least; "
        f"{max(one.turned_away for one in found):.2%} answers of 429 at most",
    )


HARNESSES = (
    Harness("storms of 429 and outages of ten minutes", 2, 40, weather_storms),
    Harness("unknown rate limit", 10, 400, seek_rates),
)
