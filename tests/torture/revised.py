"""What the vendor changes afterwards: corrections, clipped history, silence that fills in, splits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from engine.living import KINDS, NOW, OwnedClock, living, store_url, stored, truth, untrue, utc, warehouse
from gapless.app import Warehouse
from gapless.sandbox import Sandbox, Split, SyntheticMarket
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from torture.harness import Figure, Harness

HOUR = 60 * MINUTE
SYMBOLS = ("AAPL", "X:BTCUSD")
SPAN = Span(utc("2026-11-12T05:00"), utc("2026-11-24"))
"""From a midnight in New York to the last one in Greenwich: all of it has settled by `NOW`."""
LATER = NOW + DAY + 2 * HOUR
"""When the silence has passed, and the first doubt is due to be asked about again."""
WINDOW = {"AAPL": utc("2026-11-20T05:00"), "X:BTCUSD": utc("2026-11-23")}
"""From here on an `update` after that reads again: three sessions, of which a coin's third goes on still."""
_FAULT = "late revisions, clipped history, silence that fills in"


@dataclass(frozen=True, slots=True)
class Change:
    """A bar whose volume the vendor corrected; `old` is what it was."""

    symbol: str
    base: Base
    ts: int
    old: float
    new: float


def measure(size: int, seed: int) -> Figure:
    """`size` stores, each with its own trouble; all that the next `update` should find it must find."""
    dice, wrong, missed, changed = Random(seed), list[str](), 0, 0
    market = SyntheticMarket(seed)
    for number in range(size):
        clock = OwnedClock()
        with (
            TemporaryDirectory() as folder,
            living(market, now=clock) as sandbox,
            warehouse(sandbox.url, store_url(Path(folder), KINDS[number % 2]), clock) as house,
        ):
            wrong += _doubtful_start(sandbox, house, clock, dice)
            changes = _corrected(sandbox, house, clock, dice)
            changed += len(changes)
            wrong += _found(house, changes)
            missed += sum(change.ts < WINDOW[change.symbol] for change in changes)
    words = (
        f"{changed - missed} corrections of the last 3 sessions found; {missed} older ones are by design not"
    )
    return Figure(_FAULT, size, "stores", len(wrong), "; ".join([*wrong[:1], words]))


def _doubtful_start(sandbox: Sandbox, house: Warehouse, clock: OwnedClock, dice: Random) -> list[str]:
    """A backfill whose answers are clipped once or lack whole days; the days come back later."""
    for symbol in SYMBOLS:
        sandbox.fail_next("clipped_history", where=f"/{symbol}/range/1/{dice.choice(('minute', 'day'))}")
    day = SPAN.start + dice.choice((0, 1, 4, 5, 6, 7)) * DAY
    silent = Span(day, day + DAY)
    for base in Base:
        sandbox.market.hide(Instrument.parse("AAPL"), base, silent)
    found = (
        []
        if house.backfill(SYMBOLS, ["1m", "1d"], SPAN.start, SPAN.end).exit_code == 3
        else ["silence believed"]
    )
    if any(gap.outcome != Outcome.UNCONFIRMED for gap in house.gaps()):
        found.append("a gap that is not told to be unconfirmed")
    sandbox.market.show()
    clock.at = LATER
    house.backfill(SYMBOLS, ["1m", "1d"], SPAN.start, SPAN.end)
    return found + untrue(house, sandbox, SYMBOLS, SPAN)


def _corrected(sandbox: Sandbox, house: Warehouse, clock: OwnedClock, dice: Random) -> list[Change]:
    """The vendor corrects bars anywhere, and we come by."""
    clock.at += MINUTE
    changes = {
        (symbol, base, ts): Change(symbol, base, ts, volume, volume + 7)
        for symbol in SYMBOLS
        for base in Base
        for bars in [truth(sandbox, symbol, base, SPAN)]
        for row in dice.sample(range(len(bars)), 4)
        for ts, volume in [(int(bars.ts[row]), float(bars.volume[row]))]
    }
    for change in changes.values():
        sandbox.market.revise(Instrument.parse(change.symbol), change.base, change.ts, volume=change.new)
    house.update()
    return list(changes.values())


def _found(house: Warehouse, changes: list[Change]) -> Iterator[str]:
    """What of the corrections inside the window is not stored, not shown, or not kept as a version."""
    shown = {
        (symbol, base, one.ts): one
        for symbol in SYMBOLS
        for base in Base
        for one in house.revisions(symbol, base)
        if one.old and one.new and one.final
    }
    for change in changes:
        if change.ts < WINDOW[change.symbol]:
            continue
        at, series = Span(change.ts, change.ts + 1), (Instrument.parse(change.symbol), change.base)
        told = shown.get((change.symbol, change.base, change.ts))
        if house.store.read(*series, at).volume.tolist() != [change.new]:
            yield f"{change}: not found"
        elif told is None or (told.old and told.old.volume) != change.old:
            yield f"{change}: not shown"
        elif house.store.read(*series, at, told.written - 1).volume.tolist() != [change.old]:
            yield f"{change}: what it was cannot be read any more"


# -- splits --------------------------------------------------------------------


class _Announced(SyntheticMarket):
    """A market whose vendor states its splits as `stated` says."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.stated: dict[str, tuple[Split, ...]] = {}

    def splits(self, ticker: str) -> tuple[Split, ...]:
        """As stated at this moment."""
        return self.stated.get(ticker, tuple(super().splits(ticker)))


def changed_splits(size: int, seed: int) -> Figure:
    """The vendor states a split, corrects its ratio or its date; the next update knows, and no raw bar changes."""
    dice, wrong = Random(seed), list[str]()
    for number in range(size):
        market, clock = _Announced(seed), OwnedClock()
        first = Split(date(2026, 11, 18), 1, dice.randint(2, 9))
        second = replace(first, after=first.after + 1) if number % 2 else replace(first, before=3)
        with (
            TemporaryDirectory() as folder,
            living(market, now=clock) as sandbox,
            warehouse(sandbox.url, store_url(Path(folder), KINDS[number % 2]), clock) as house,
        ):
            market.stated["AAPL"] = (first,)
            house.backfill(["AAPL"], ["1d"], SPAN.start)
            before = stored(house, "AAPL", Base.DAY, SPAN)
            for split in (first, second):
                market.stated["AAPL"] = (split,)
                clock.at += HOUR
                house.update()
                ratios = {
                    (float(one.ratio_from), float(one.ratio_to))
                    for one in house.actions("AAPL")
                    if one.kind == "split" and one.date == split.day.isoformat()
                }
                if ratios != {(split.before, split.after)}:
                    wrong.append(f"{split} is stated, {sorted(ratios)} is stored")
            if stored(house, "AAPL", Base.DAY, SPAN) != before:
                wrong.append("a raw bar changed")
    return Figure(
        "changed splits", size, "splits", len(wrong), wrong[0] if wrong else "known after the next update"
    )


HARNESSES = (
    Harness(_FAULT, 6, 200, measure),
    Harness("changed splits", 4, 100, changed_splits),
)
