"""The library's front door: one object over one store."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from gapless.app.clock import SystemClock
from gapless.app.doctor import Finding, examine
from gapless.app.instants import When, parse_instant
from gapless.app.planning import TRAILING_SESSIONS, Desk, make_plan, settled, up_to_now, wishes_for
from gapless.app.reading import Bars, ExportReceipt, export, read_bars, stored_span
from gapless.app.running import Broadcast, Run, new_run_id
from gapless.app.survey import Survey, survey
from gapless.calendars import open_calendar
from gapless.errors import NoStore, UsageError
from gapless.fetch import Rate
from gapless.plan import Plan
from gapless.ports import Clock, Store
from gapless.providers import SUBSCRIPTIONS, Massive
from gapless.reports import (
    Ending,
    Explanation,
    Ground,
    Recorder,
    RunReport,
    SeriesStatus,
    explain,
    gaps_of,
    report_of,
    status_of,
)
from gapless.resample import derive
from gapless.settings import Settings
from gapless.stores import open_store
from gapless.vocabulary.events import Tell
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import OPEN_END, CorporateAction, Damage, Gap, Wish
from gapless.vocabulary.timeframe import DAY, Base, Timeframe

_MEASURED_AT_ONCE = 92 * DAY
"""Bars are counted a quarter at a time, so that memory does not grow with the history."""


def open_warehouse(
    settings: Settings, *, create: bool = True, required: bool = True, clock: Clock | None = None
) -> "Warehouse":
    """Open the store that the settings name.

    Args:
        settings: which store, which vendor, which rate.
        create: make the store where there is none.
        required: without `create`, refuse to go on where there is none; else the warehouse is empty.
        clock: the real one unless a test owns the time.

    Raises:
        UsageError: no store there, or no such kind of store.
        StorageError: the store cannot be used.
    """
    try:
        store: Store | None = open_store(settings.store, derive=derive, create=create)
    except NoStore:
        if required:
            raise
        store = None
    return Warehouse(settings, store, clock or SystemClock())


class Warehouse:
    """Plans, backfills, proves and reads the bars of one store. Close it, or use it in a `with` block."""

    def __init__(self, settings: Settings, store: Store | None, clock: Clock) -> None:
        self.settings = settings
        self._store = store
        self._clock = clock
        self._calendar = open_calendar()
        self._subscription = SUBSCRIPTIONS[settings.plan]
        self._provider = Massive(settings.base_url)
        self._run: Run | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()

    @property
    def store(self) -> Store:
        """The store itself.

        Raises:
            UsageError: there is none yet.
        """
        if self._store is None:
            raise NoStore(
                f"There is no store at {self.settings.store} yet.", hint="`gapless backfill` makes one."
            )
        return self._store

    # -- plan and run

    def plan(
        self, symbols: Sequence[str], timeframes: Sequence[str], start: When, end: When | None = None
    ) -> Plan:
        """What a backfill of these would do, without doing it. Dates as in `backfill`."""
        desk = self._desk()
        return make_plan(
            desk, [settled(desk, wish) for wish in wishes_for(desk, symbols, timeframes, start, end)]
        )

    def backfill(
        self,
        symbols: Sequence[str],
        timeframes: Sequence[str],
        start: When,
        end: When | None = None,
        *,
        tell: Tell | None = None,
    ) -> RunReport:
        """Fetch what is missing of these symbols and timeframes, and remember that they are wanted.

        Args:
            symbols: the vendor's tickers, for example `AAPL` or `X:BTCUSD`.
            timeframes: for example `5m`, `1d`; what is fetched is their base.
            start: inclusive; a date begins at the midnight of the exchange's zone (crypto, forex: UTC).
            end: exclusive; without one, up to the last day whose bars are final, and `update` goes on from there.
            tell: hears what happens; it can not fail the run.

        Raises:
            UsageError: an unknown word or a date that makes no sense. What stops the run later is in the report.
        """
        desk = self._desk()
        wishes = wishes_for(desk, symbols, timeframes, start, end)
        self.store.remember(wishes)
        wishes = [settled(desk, wish) for wish in wishes]
        return self._carry_out(make_plan(desk, wishes), wishes, tell)

    def update(self, symbols: Sequence[str] = (), *, tell: Tell | None = None) -> RunReport:
        """Bring all that was ever asked for up to now, and read the last few sessions again.

        Bars of the current session are stored as provisional.
        """
        desk = self._desk()
        wishes = [up_to_now(desk, wish) for wish in self._wishes(symbols)]
        return self._carry_out(make_plan(desk, wishes, trailing=TRAILING_SESSIONS), wishes, tell)

    def repair(self, symbols: Sequence[str] = (), *, tell: Tell | None = None) -> RunReport:
        """Ask again for everything that is missing, due or not."""
        desk = self._desk()
        wishes = [settled(desk, wish) for wish in self._wishes(symbols)]
        return self._carry_out(make_plan(desk, wishes, ignore_due=True), wishes, tell)

    def stop(self) -> None:
        """Finish the pages in hand and end the run; may be called from any thread or signal handler."""
        if self._run is not None:
            self._run.stop()

    def _carry_out(self, plan: Plan, wishes: Sequence[Wish], tell: Tell | None) -> RunReport:
        heard = Recorder(self._clock.monotonic)
        broadcast = Broadcast([heard, *([tell] if tell else [])])
        run_id = new_run_id(self._clock.now())
        self._run = run = Run(
            self.settings,
            self._subscription,
            self._rates(),
            self._provider,
            self._calendar,
            self.store,
            self._clock,
            broadcast,
            run_id,
        )
        self.store.begin_run(run_id, self._clock.now(), {"wishes": [_words(wish) for wish in wishes]})
        asyncio.run(run.carry_out(plan))
        self._run = None
        ending = Ending(
            run_id,
            self._provider.page_bars,
            self._statuses(wishes),
            self._gaps(wishes),
            (*run.problems, *broadcast.complaints),
            run.error,
        )
        report = report_of(plan, heard, ending)
        self.store.end_run(run_id, self._clock.now(), report.as_dict())
        return report

    # -- ask

    def status(self, symbols: Sequence[str] = (), timeframes: Sequence[str] = ()) -> list[SeriesStatus]:
        """How complete everything is that was ever asked for, up to the last settled day."""
        desk = self._desk()
        return self._statuses([settled(desk, wish) for wish in self._wishes(symbols, timeframes)])

    def gaps(self, symbols: Sequence[str] = ()) -> list[Gap]:
        """Every stretch that is missing, with its reason and when it is asked again."""
        desk = self._desk()
        return self._gaps([settled(desk, wish) for wish in self._wishes(symbols)])

    def explain(self, symbol: str, timeframe: str, instant: When) -> Explanation:
        """What is known of one bar: its numbers, no trade, closed, or missing and why."""
        instrument, frame = Instrument.parse(symbol), Timeframe.parse(timeframe)
        now = self._clock.now()
        at = parse_instant(instant, instrument.asset_class, now=now, param="instant")
        wish = Wish(instrument, Timeframe.parse(frame.base), Span(at, at + 1))
        found = self._survey(wish)
        bar = self.store.read(instrument, frame.base, wish.span)
        return explain(wish, at, found.coverage.at(at), bar, found.sessions, found.known)

    def bars(
        self,
        symbol: str,
        timeframe: str,
        start: When | None = None,
        end: When | None = None,
        *,
        provisional: bool = False,
    ) -> Bars:
        """The stored bars of one symbol that start in `[start, end)`; without dates, all of them.

        Bars that can still change are left out unless `provisional` is set.
        """
        wish = self._stored(Instrument.parse(symbol), Timeframe.parse(timeframe), start, end)
        return read_bars(self.store, self._calendar, wish, provisional=provisional)

    def export(
        self,
        out: Path,
        fmt: str,
        symbols: Sequence[str] = (),
        timeframes: Sequence[str] = (),
        start: When | None = None,
        end: When | None = None,
    ) -> ExportReceipt:
        """Write final bars to a new file, `csv` or `sqlite`: of what is named, or of all that was asked for."""
        wishes = [
            self._stored(wish.instrument, wish.timeframe, start, end)
            for wish in self._wishes(symbols, timeframes)
        ]
        return export(self.store, self._calendar, out, fmt, wishes)

    def actions(self, symbol: str) -> list[CorporateAction]:
        """The splits and dividends of a stock as the vendor stated them."""
        return self.store.actions(Instrument.parse(symbol).ticker)

    def verify(self, *, repair: bool = False) -> list[Damage]:
        """Read everything and find what is not as it was written; with `repair`, take it out to be asked again."""
        damages = list(self.store.verify())
        if repair:
            for damage in damages:
                self.store.set_aside(damage, now=self._clock.now())
        return damages

    def doctor(self) -> list[Finding]:
        """Look at the store, the disk, the calendar, the key and the vendor; one request at most."""
        return list(examine(self.settings, self._store, self._calendar, self._clock))

    # -- inside

    def _desk(self) -> Desk:
        return Desk(
            self._store,
            self._calendar,
            self._subscription,
            self._rates(),
            self._provider.page_bars,
            self._clock.now(),
        )

    def _rates(self) -> dict[AssetClass, Rate | None]:
        rate = Rate.parse(self.settings.rate or self._subscription.rate)
        rates: dict[AssetClass, Rate | None] = dict.fromkeys(AssetClass, rate)
        if self.settings.rate_crypto:
            rates[AssetClass.CRYPTO] = Rate.parse(self.settings.rate_crypto)
        return rates

    def _wishes(self, symbols: Iterable[str], timeframes: Iterable[str] = ()) -> list[Wish]:
        instruments = {Instrument.parse(symbol) for symbol in symbols}
        frames = {Timeframe.parse(name) for name in timeframes}
        known = self.store.wishes()
        strangers = instruments - {wish.instrument for wish in known}
        if strangers:
            names = ", ".join(sorted(instrument.ticker for instrument in strangers))
            raise UsageError(
                f"{names} was never asked for in this store.", hint="`gapless backfill` it first."
            )
        return [
            wish
            for wish in known
            if (not instruments or wish.instrument in instruments)
            and (not frames or wish.timeframe in frames)
        ]

    def _survey(self, wish: Wish) -> Survey:
        now = self._clock.now()
        return survey(self._store, self._calendar, wish.instrument, wish.timeframe.base, wish.span, now)

    def _statuses(self, wishes: Iterable[Wish]) -> list[SeriesStatus]:
        # Timeframes of one base are the same bars over the same span: they are read once.
        read: dict[tuple[Instrument, Base, Span], tuple[Ground, int, int]] = {}
        statuses = []
        for wish in wishes:
            key = wish.instrument, wish.timeframe.base, wish.span
            if key not in read:
                read[key] = self._measure(wish)
            ground, bars, final = read[key]
            statuses.append(status_of(wish, ground, bars=bars, provisional=bars - final))
        return statuses

    def _measure(self, wish: Wish) -> tuple[Ground, int, int]:
        """What a wish is measured against, how many bars are stored for it, and how many of them are final."""
        found = self._survey(wish)
        covered = found.coverage.covered
        bars = final = 0
        for piece in wish.span.pieces(_MEASURED_AT_ONCE):
            stored = self.store.read(wish.instrument, wish.timeframe.base, piece)
            bars += len(stored)
            final += sum(len(stored.between(span)) for span in covered.clip(piece))
        return found.ground, bars, final

    def _gaps(self, wishes: Iterable[Wish]) -> list[Gap]:
        series: dict[tuple[Instrument, Base], Wish] = {}
        for wish in wishes:
            key = wish.instrument, wish.timeframe.base
            other = series.get(key, wish).span
            hull = Span(min(wish.span.start, other.start), max(wish.span.end, other.end))
            series[key] = replace(wish, span=hull)
        return [
            gap
            for (instrument, base), wish in series.items()
            for gap in gaps_of(instrument, base, wish.span, self._survey(wish).ground)
        ]

    def _stored(self, instrument: Instrument, frame: Timeframe, start: When | None, end: When | None) -> Wish:
        """A wish for what is stored, cut to the dates given.

        Raises:
            UsageError: nothing of it is stored, or the dates are the wrong way round.
        """
        stored = stored_span(self.store, instrument, frame)
        if stored is None:
            raise UsageError(
                f"No {frame.base} bars of {instrument} are stored.",
                hint=f"`gapless backfill {instrument}` first.",
            )
        now = self._clock.now()
        first = (
            stored.start
            if start is None
            else parse_instant(start, instrument.asset_class, now=now, param="start")
        )
        last = stored.end if end is None else parse_instant(end, instrument.asset_class, now=now, param="end")
        if last <= first:
            raise UsageError("`end` is not after `start`.", hint="The end is exclusive.")
        return Wish(instrument, frame, Span(first, last))


def _words(wish: Wish) -> dict[str, str | int | None]:
    return {
        "symbol": wish.instrument.ticker,
        "timeframe": wish.timeframe.name,
        "start": wish.span.start,
        "end": None if wish.span.end == OPEN_END else wish.span.end,
    }
