"""Unfinished bars: the clock swept around closes, half days, changes of clocks, weekends and holidays."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import numpy as np

from engine.living import OwnedClock, living, store_url, truth, utc, warehouse
from gapless import checks, ledger, plan
from gapless.calendars import open_calendar
from gapless.sandbox import Sandbox, SyntheticMarket
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Job, Page, Request
from gapless.vocabulary.timeframe import DAY, MINUTE, TIMEFRAMES, Base
from stores.making import slow_derive
from torture.harness import Figure, Harness

if TYPE_CHECKING:
    from gapless.app import Warehouse

HOUR = 60 * MINUTE
SETTLE = HOUR
"""What the vendor is given after a close; written here a second time, so that a shorter one is noticed."""
NEW_YORK = ZoneInfo("America/New_York")
ONE_OF_EACH = {
    AssetClass.STOCKS: Instrument.parse("AAPL"),
    AssetClass.CRYPTO: Instrument.parse("X:BTCUSD"),
    AssetClass.FOREX: Instrument.parse("C:EURUSD"),
    AssetClass.INDICES: Instrument.parse("I:SPX"),
}

# -- when markets trade, from the exchange's own notices -----------------------

FIRST, LAST = date(2024, 1, 1), date(2026, 11, 30)
CLOSED = frozenset(
    date.fromisoformat(day)
    for day in """
    2024-01-01 2024-01-15 2024-02-19 2024-03-29 2024-05-27 2024-06-19 2024-07-04 2024-09-02 2024-11-28 2024-12-25
    2025-01-01 2025-01-09 2025-01-20 2025-02-17 2025-04-18 2025-05-26 2025-06-19 2025-07-04 2025-09-01 2025-11-27
    2025-12-25 2026-01-01 2026-01-19 2026-02-16 2026-04-03 2026-05-25 2026-06-19 2026-07-03 2026-09-07 2026-11-26
    """.split()
)
EARLY = frozenset(
    date.fromisoformat(day)
    for day in """
    2024-07-03 2024-11-29 2024-12-24 2025-07-03 2025-11-28 2025-12-24 2026-11-27
    """.split()
)
"""Closed at 13:00."""

Row = tuple[int, int, int]
"""A session: the stamp of its day bar, its first minute, the end of its last; Unix ms."""


@cache
def rows(asset_class: AssetClass) -> list[Row]:
    """Every session of a class from `FIRST` to `LAST`, by plain dates."""
    days = (FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1))
    return [row for day in days if (row := _row(asset_class, day))]


def _row(asset_class: AssetClass, day: date) -> Row | None:
    weekday = day.strftime("%a")
    if asset_class is AssetClass.CRYPTO:
        return _at(day, 0, UTC), _at(day, 0, UTC), _at(day, 24, UTC)
    if asset_class is AssetClass.FOREX:
        end = _at(day, 17, NEW_YORK) if weekday == "Fri" else _at(day, 24, UTC)
        return None if weekday == "Sat" else (_at(day, 0, UTC), _at(day, 0, UTC), end)
    if weekday in ("Sat", "Sun") or day in CLOSED:
        return None
    if asset_class is AssetClass.INDICES:
        return _at(day, 0, NEW_YORK), _at(day, 0, NEW_YORK), _at(day, 24, NEW_YORK)
    return _at(day, 0, NEW_YORK), _at(day, 4, NEW_YORK), _at(day, 17 if day in EARLY else 20, NEW_YORK)


def _at(day: date, hour: int, zone: tzinfo) -> int:
    """The instant (Unix ms) at which clocks of a zone show this hour; hour 24 is the next day's midnight."""
    midnight = datetime(day.year, day.month, day.day) + timedelta(hours=hour)  # noqa: DTZ001 - the zone comes next
    return int(midnight.replace(tzinfo=zone).timestamp()) * 1000


@dataclass(frozen=True, slots=True)
class Bar:
    """When a bar starts, and from when on it cannot change any more; Unix ms."""

    start: int
    settled: int


def bars_around(asset_class: AssetClass, base: Base, now: int) -> Iterator[Bar]:
    """The bars whose settling is nearest to `now`: the last that has settled, the first that has not, and more."""
    table = rows(asset_class)
    here = bisect_right(table, (now, 0, 0))
    one_by_one = base is Base.MINUTE and asset_class in (AssetClass.CRYPTO, AssetClass.FOREX)
    for day, first, end in table[max(0, here - 4) : here + 2]:
        if base is Base.DAY:
            yield Bar(day, end + SETTLE)
        elif one_by_one:
            edge = (now - SETTLE) // MINUTE * MINUTE
            for start in {first, end - MINUTE, edge - 2 * MINUTE, edge - MINUTE, edge, edge + MINUTE}:
                if first <= start < end:
                    yield Bar(start, start + MINUTE + SETTLE)
        else:
            yield from (Bar(start, end + SETTLE) for start in (first, (first + end) // 2, end - MINUTE))


# -- the clock swept -----------------------------------------------------------


def instants(asset_class: AssetClass, dice: Random) -> Iterator[int]:
    """Moments for ever, most of them within seconds or minutes of where something happens."""
    table = rows(asset_class)[8:-8]
    while True:
        day, first, end = dice.choice(table)
        edge = dice.choice((day, first, end, end + SETTLE, end + SETTLE, day + DAY, first + SETTLE))
        yield edge + dice.choice((0, -1, 1, dice.randint(-90_000, 90_000), dice.randint(-HOUR, HOUR)))


def wrong_edges(asset_class: AssetClass, base: Base, now: int, recent: Sessions) -> list[str]:
    """What the edge of the final bars gets wrong at one moment."""
    until = plan.final_until(asset_class, base, recent, now)
    found = []
    for bar in bars_around(asset_class, base, now):
        if bar.start < until and bar.settled > now:
            found.append(f"{asset_class} {base}: {_iso(bar.start)} is final early at {_iso(now)}")
        if bar.start >= until and bar.settled <= now:
            found.append(f"{asset_class} {base}: {_iso(bar.start)} is not final yet at {_iso(now)}")
    return found


def wrong_entries(asset_class: AssetClass, base: Base, now: int, recent: Sessions) -> list[str]:
    """The same of what an answer read at one moment leaves in the ledger: `covered` is what readers go by."""
    around = list(bars_around(asset_class, base, now))
    span = Span(min(bar.start for bar in around), now)
    if span.start >= now:
        return []
    batch = _plain(_all_starts(asset_class, base, span))
    instrument = ONE_OF_EACH[asset_class]
    page = Page(Request("", asset_class), b"", "", "", now, 0)
    calendar = open_calendar()
    context = checks.Context(
        sessions=calendar.sessions(instrument, span),
        known=calendar.known(instrument),
        final_until=plan.final_until(asset_class, base, recent, now),
        now=now,
        confirm_after=DAY,
    )
    checked = checks.judge(Job(instrument, base, span), batch, span, page, context)
    covered = ledger.fold(checked.entries).covered
    return [
        f"{asset_class} {base}: {_iso(bar.start)} is {'' if bar.start in covered else 'not '}covered at {_iso(now)}"
        for bar in around
        if bar.start < now and (bar.start in covered) != (bar.settled <= now)
    ]


def _all_starts(asset_class: AssetClass, base: Base, span: Span) -> list[int]:
    found = [row for row in rows(asset_class) if row[0] < span.end and row[2] > span.start]
    if base is Base.DAY:
        return [day for day, _, _ in found if day in span]
    starts = (start for _, first, end in found for start in range(first, end, MINUTE))
    return [start for start in starts if start in span]


def _plain(starts: list[int]) -> Batch:
    ones = np.ones(len(starts))
    ts = np.array(starts, np.int64)
    return Batch(ts, ones, ones, ones, ones, ones, ones, np.ones(len(ts), np.int64))


def _iso(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat()


_A_LEDGER_EVERY = 50


def sweep(size: int, seed: int) -> Figure:
    """Try `size` moments, one after another for each class and base."""
    calendar, dice = open_calendar(), Random(seed)
    kinds = [(one, base, instants(one, dice)) for one in AssetClass for base in Base]
    broken, ledgers, example = 0, 0, ""
    for number in range(size):
        asset_class, base, moments = kinds[number % len(kinds)]
        now = next(moments)
        recent = calendar.sessions(ONE_OF_EACH[asset_class], Span(now - 10 * DAY, now + 10 * DAY))
        wrong = wrong_edges(asset_class, base, now, recent)
        if number // len(kinds) % _A_LEDGER_EVERY == 1:
            ledgers += 1
            wrong += wrong_entries(asset_class, base, now, recent)
        broken += bool(wrong)
        example = example or "".join(wrong[:1])
    detail = example or f"{ledgers:,} of them through checks and ledger; none early, none later than settled"
    return Figure("unfinished bars: the clock swept", size, "instants", broken, detail)


# -- the same through the whole system -----------------------------------------

STRETCHES = (
    ("2025-11-25", "2025-12-01"),  # Thanksgiving and the half day after it
    ("2025-10-31", "2025-11-04"),  # clocks go back on Sunday 2 November
    ("2026-03-06", "2026-03-10"),  # and forward on Sunday 8 March
    ("2025-12-23", "2025-12-29"),  # an early close, Christmas, a weekend
)
DERIVED = ("5m", "4h", "1w")


def live(size: int, seed: int) -> Figure:
    """Update and read at `size` moments: whatever is served as final must be what stands a month later.

    The vendor books trades until a session has settled: bars read before that differ from their final form.
    """
    dice, wrong, served = Random(seed), list[str](), 0
    with TemporaryDirectory() as folder:
        for number, (first, last) in enumerate(STRETCHES):
            share = size // len(STRETCHES) + (number < size % len(STRETCHES))
            with _Watch(first, last, Path(folder) / str(number), seed) as watch:
                for now in _moments(first, last, share, dice):
                    wrong += watch.look(now)
                served += watch.served
    detail = wrong[0] if wrong else f"{served:,} bars served as final, each as it stood a month later"
    return Figure("unfinished bars: read while they were made", size, "instants", len(wrong), detail)


def _moments(first: str, last: str, count: int, dice: Random) -> list[int]:
    """In order, most of them around a close and the end of its settling."""
    span = Span(utc(first), utc(last))
    edges = [
        edge
        for one in AssetClass
        for _, start, end in rows(one)
        for edge in (start + HOUR, end, end + SETTLE)
        if edge in span
    ]
    return sorted(
        dice.choice(edges) + dice.choice((-1, 0, 1, 30_500, -40_500, 25 * MINUTE)) for _ in range(count)
    )


class _Watch:
    """One store that is brought up to date again and again while the vendor's bars are still being made."""

    def __init__(self, first: str, last: str, folder: Path, seed: int) -> None:
        folder.mkdir()
        self.clock = OwnedClock(at=utc(first) - DAY)
        self.span = Span(utc(first) - 3 * DAY, utc(last) + 2 * DAY)
        self.served = 0
        self._first, self._folder, self._market = first, folder, SyntheticMarket(seed)
        self._late = list[tuple[Instrument, Base, int]]()

    def __enter__(self) -> Self:
        self._living = living(self._market, now=self.clock)
        self.sandbox: Sandbox = self._living.__enter__()
        self.house: Warehouse = warehouse(self.sandbox.url, store_url(self._folder, "packed"), self.clock)
        self.clock.at += 60 * DAY
        self.whole = {
            (one, base): truth(self.sandbox, str(one), base, self.span)
            for one in ONE_OF_EACH.values()
            for base in Base
        }
        self.derived = {
            (one, name): slow_derive(
                self.whole[one, TIMEFRAMES[name].base], TIMEFRAMES[name], one.asset_class
            )
            for one in ONE_OF_EACH.values()
            for name in DERIVED
        }
        self.clock.at -= 60 * DAY
        names = [str(one) for one in ONE_OF_EACH.values()]
        self.house.backfill(names, ["1m", "1d"], self.span.start)
        return self

    def __exit__(self, *error: object) -> None:
        self.house.close()
        self._living.__exit__(None, None, None)

    def look(self, now: int) -> list[str]:
        """Bring it up to date at `now` and compare all that it serves as final with what will stand."""
        self.clock.at = now
        self._book_late_trades(now)
        if (report := self.house.update()).error:
            return [report.error]
        return [
            problem
            for instrument in ONE_OF_EACH.values()
            for frame in (*Base, *DERIVED)
            for problem in self._compared(instrument, frame, now)
        ]

    def _book_late_trades(self, now: int) -> None:
        """Of every bar that has not settled, a part of the volume (of an index: of the close) is still to come."""
        for instrument, base, ts in self._late:
            self._set(instrument, base, ts, 1.0)
        self._late = [
            (instrument, base, bar.start)
            for asset_class, instrument in ONE_OF_EACH.items()
            for base in Base
            for bar in bars_around(asset_class, base, now)
            if bar.start < now < bar.settled
        ]
        for instrument, base, ts in self._late:
            self._set(instrument, base, ts, 0.5)

    def _set(self, instrument: Instrument, base: Base, ts: int, part: float) -> None:
        shift = HOUR if instrument.asset_class is AssetClass.INDICES and base is Base.DAY else 0
        bar = self.whole[instrument, base].between(Span(ts, ts + 1))
        if len(bar):
            name = "volume" if instrument.asset_class.has_volume else "high"
            number = float(getattr(bar, name)[0])
            number = number * part if name == "volume" else number + (part < 1)
            self.sandbox.market.revise(instrument, base, ts + shift, **{name: number})

    def _compared(self, instrument: Instrument, frame: str, now: int) -> Iterator[str]:
        shown = self.house.bars(str(instrument), frame, self.span.start, on_gap="mark").parts[0].batch
        self.served += len(shown)
        if frame in DERIVED:
            expected = self.derived[instrument, frame]
        else:
            whole = self.whole[instrument, Base(frame)]
            expected = whole.take(_settled(instrument.asset_class, Base(frame), whole, now))
            if len(shown) < len(expected):
                yield f"{instrument} {frame} at {_iso(now)}: settled bars are not final"
        if not _same(shown, expected.take(np.isin(expected.ts, shown.ts))):
            yield f"{instrument} {frame} at {_iso(now)}: served as final, and not what stands later"


def _same(left: Batch, right: Batch) -> bool:
    """Whether they are the same bars; sums of volumes may differ in their last digit."""
    names = ("ts", "open", "high", "low", "close", "volume")
    pairs = [(getattr(left, name), getattr(right, name)) for name in names]
    return len(left) == len(right) and all(
        np.allclose(*pair, rtol=1e-12, atol=0, equal_nan=True) for pair in pairs
    )


def _settled(
    asset_class: AssetClass, base: Base, whole: Batch, now: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of these bars have settled by `now`."""
    if base is Base.MINUTE and asset_class in (AssetClass.CRYPTO, AssetClass.FOREX):
        return whole.ts + MINUTE + SETTLE <= now
    table = rows(asset_class)
    ends = [table[bisect_right(table, (int(ts), 2**60, 0)) - 1][2] for ts in whole.ts]
    return np.array(ends, np.int64) + SETTLE <= now


HARNESSES = (
    Harness("unfinished bars: the clock swept", 100_000, 1_000_000, sweep),
    Harness("unfinished bars: read while they were made", 12, 240, live),
)
