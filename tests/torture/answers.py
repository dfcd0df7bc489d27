"""One answer in five goes wrong, in every way there is: each alone, all mixed, and what networks do to sound ones."""

import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from engine.living import NOW, OwnedClock, asked, living, stored, truth, utc, warehouse
from gapless.sandbox import MIX, TOXICS, Fault, Pinned, ReplayMarket, Sandbox, SyntheticMarket
from gapless.sandbox.faults import FaultPlan
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from torture.harness import Figure, Harness

SHARE = 0.2
MOST_ATTEMPTS = 1.35
_HARMLESS = (Fault.LATENCY, Fault.DRIP, Fault.BANDWIDTH)
_SYMBOLS = ("X:BTCUSD", "X:ETHUSD", "C:EURUSD", "AAPL")
_FIRST = utc("2026-09-07T00:00")
_DAYS = 3
_MOST_PAGES = 1200
"""In one run: a page of a dozen bars is as small as is worth asking for."""
_TOGETHER = 6
"""How many times the pages of a fault alone are asked for where all are mixed."""


@dataclass(slots=True)
class Came:
    """What came of a run: pages that were needed, pages that were asked for, and bars that are not as they were."""

    needed: int = 0
    asked: int = 0
    bad_bars: int = 0
    unfinished: int = 0
    faults: int = 0

    def __add__(self, other: "Came") -> "Came":
        return Came(
            self.needed + other.needed,
            self.asked + other.asked,
            self.bad_bars + other.bad_bars,
            self.unfinished + other.unfinished,
            self.faults + other.faults,
        )


def _market() -> ReplayMarket:
    """A few days of a made-up market, without the time it takes to make more."""
    made, around = SyntheticMarket(seed=3), Span(_FIRST - 2 * DAY, _FIRST + (_DAYS + 2) * DAY)
    instruments = [Instrument.parse(symbol) for symbol in _SYMBOLS]
    return ReplayMarket({(one, base): made.bars(one, base, around) for one in instruments for base in Base})


def run(sandbox: Sandbox, faults: Mapping[Fault, float], pages: int, seed: int) -> Came:
    """Backfill about so many pages while this share of the answers goes wrong."""
    sandbox.faults = FaultPlan(faults, seed=seed)
    before, span = asked(sandbox), Span(_FIRST, _FIRST + _DAYS * DAY)
    bars = {symbol: truth(sandbox, symbol, Base.MINUTE, span) for symbol in _SYMBOLS}
    page_bars = ceil(sum(map(len, bars.values())) / pages)
    clock = OwnedClock(speed=40.0, flows=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        warehouse(sandbox.url, str(Path(folder) / "s.gapless"), clock, rate="15/s") as house,
    ):
        house._provider.page_bars = page_bars
        report = house.backfill(_SYMBOLS, ["1m"], span.start, span.end)
        held = {symbol: stored(house, symbol, Base.MINUTE, span) for symbol in _SYMBOLS}
    return Came(
        needed=sum(ceil(len(batch) / page_bars) for batch in bars.values()),
        asked=asked(sandbox) - before,
        bad_bars=sum(
            abs(len(batch) - len(held[symbol]))
            if len(batch) != len(held[symbol])
            else int(((batch.ts != held[symbol].ts) | ~batch.same_rows(held[symbol])).sum())
            for symbol, batch in bars.items()
        ),
        unfinished=report.jobs - report.completed + bool(report.exit_code),
        faults=sum(sandbox.faults.made.values()),
    )


def _weathers(kinds: Sequence[Fault]) -> Iterator[tuple[dict[Fault, float], int]]:
    """What goes wrong and how many shares of the pages it gets: each alone, then all together."""
    for fault in kinds:
        yield {fault: SHARE}, 1
    yield dict.fromkeys(kinds, SHARE / len(kinds)), _TOGETHER


def measure(size: int, seed: int, kinds: Sequence[Fault] = (*MIX, *TOXICS)) -> Figure:
    """So many requests and a few more, a fifth of them answered wrongly."""
    weathers = list(_weathers(kinds))
    share = 1.03 * size * (1 - SHARE) / sum(times for _, times in weathers)  # some are luckier than others
    broken, whole, judged = list[str](), Came(), Came()
    rng = random.Random(seed)
    with living(_market(), now=Pinned(NOW), stall=0.02) as sandbox:
        for faults, times in weathers:
            left = ceil(share * times)
            while left > 0:
                came = run(sandbox, faults, min(left, _MOST_PAGES), rng.randrange(2**31))
                left -= came.needed
                whole += came
                judged += came if not set(faults) <= set(_HARMLESS) else Came()
                name = " ".join(faults) if len(faults) == 1 else "all mixed"
                broken += _judged(name, came)
    attempts = judged.asked / max(1, judged.needed)
    if attempts > MOST_ATTEMPTS:
        broken.append(f"{attempts:.2f} attempts a page")
    if whole.faults < SHARE / 2 * whole.asked:
        broken.append(f"only {whole.faults} answers went wrong")
    detail = f"{whole.faults:,} went wrong; {attempts:.3f} attempts a page; {whole.bad_bars} bad bars"
    return Figure(
        "one answer in five goes wrong", whole.asked, "requests", len(broken), "; ".join([detail, *broken])
    )


def _judged(name: str, came: Came) -> list[str]:
    found = []
    if came.unfinished:
        found.append(f"{name}: {came.unfinished} jobs are not complete")
    if came.bad_bars:
        found.append(f"{name}: {came.bad_bars} bad bars")
    return found


HARNESS = Harness("one answer in five goes wrong", 5_000, 100_000, measure)
