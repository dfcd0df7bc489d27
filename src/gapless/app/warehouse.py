"""The library's front door: one object over one store."""

from collections.abc import Sequence
from dataclasses import replace

from gapless.app.clock import SystemClock
from gapless.app.doctor import Finding, examine
from gapless.app.hooks import tell_end
from gapless.app.inspection import Inspection
from gapless.app.instants import When
from gapless.app.lookup import Remedy
from gapless.app.looping import run_to_end
from gapless.app.naming import Names
from gapless.app.noting import Noting
from gapless.app.opening import opened
from gapless.app.planning import TRAILING_SESSIONS, make_plan, settled, up_to_now, wishes_for
from gapless.app.questions import gaps, statuses
from gapless.app.running import Broadcast, Run, new_run_id
from gapless.errors import NoStore, UsageError
from gapless.plan import Plan
from gapless.ports import Clock, Store
from gapless.reports import Ending, Progress, Recorder, RunReport, report_of
from gapless.settings import Settings
from gapless.vocabulary.events import Tell
from gapless.vocabulary.steps import OPEN_END, Wish


def open_warehouse(
    settings: Settings,
    *,
    create: bool = True,
    required: bool = True,
    read_only: bool = False,
    clock: Clock | None = None,
) -> "Warehouse":
    """Open the store that the settings name.

    Args:
        settings: which store, which vendor, which rate.
        create: make the store where there is none.
        required: without `create`, refuse to go on where there is none; else the warehouse is empty.
        read_only: only look at it, even where it could be written.
        clock: the real one unless a test owns the time.

    Raises:
        UsageError: no store there, or no such kind of store.
        StorageError: the store cannot be used.
    """
    try:
        store: Store | None = opened(settings.store, create=create, read_only=read_only)
    except NoStore:
        if required:
            raise
        store = None
    return Warehouse(settings, store, clock or SystemClock())


class Warehouse(Inspection):
    """Plans, backfills, proves and reads the bars of one store. Close it, or use it in a `with` block."""

    def __init__(self, settings: Settings, store: Store | None, clock: Clock) -> None:
        super().__init__(settings, store, clock)
        self._runs: list[Run] = []

    # -- plan and run

    def plan(self, symbols: Names, timeframes: Names, start: When, end: When | None = None) -> Plan:
        """What a backfill of these would do, without doing it. Dates as in `backfill`."""
        desk = self._desk()
        return make_plan(
            desk, [settled(desk, wish) for wish in wishes_for(desk, symbols, timeframes, start, end)]
        )

    def backfill(
        self,
        symbols: Names,
        timeframes: Names,
        start: When,
        end: When | None = None,
        *,
        tell: Tell | None = None,
    ) -> RunReport:
        """Fetch what is missing of these symbols and timeframes, and remember that they are wanted.

        The span is taken to the whole minutes around it.

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

    def update(self, symbols: Names = (), *, tell: Tell | None = None) -> RunReport:
        """Bring all that was ever asked for up to now, and read the last few sessions again.

        Bars of the current session are stored as provisional.
        """
        desk = self._desk()
        wishes = [up_to_now(desk, wish) for wish in self._wishes(symbols)]
        return self._carry_out(make_plan(desk, wishes, trailing=TRAILING_SESSIONS), wishes, tell)

    def repair(self, symbols: Names = (), *, tell: Tell | None = None) -> RunReport:
        """Ask again for everything that is missing, due or not."""
        desk = self._desk()
        wishes = [settled(desk, wish) for wish in self._wishes(symbols)]
        return self._carry_out(make_plan(desk, wishes, ignore_due=True), wishes, tell)

    def forget(self, symbols: Names, timeframes: Names = ()) -> int:
        """Want these symbols no longer, or these timeframes of them; returns how many wishes that were.

        Nothing asks for them any more, and they are no gaps. Bars that are stored stay, and can be read.

        Raises:
            NotStored: a symbol that was never asked for.
            UsageError: no symbol is named, or nothing was asked for in these timeframes.
        """
        wishes = self._wishes(symbols, timeframes) if symbols else []
        if not wishes:
            raise UsageError(
                "Nothing that was asked for is named.", hint="`gapless status` lists what was asked for."
            )
        self.store.forget(wishes)
        return len(wishes)

    def stop(self) -> None:
        """Finish the pages in hand and end what runs; may be called from any thread or signal handler."""
        for run in list(self._runs):
            run.stop()

    def doctor(self) -> list[Finding]:
        """Look at the store, the disk, the calendar, the key and the vendor; one request at most."""
        return list(examine(self.settings, self._store, self._calendar, self._clock))

    # -- inside

    def _fetch(self, remedies: Sequence[Remedy]) -> str:
        for remedy in remedies:
            report = (
                self.backfill(remedy.symbols, [remedy.timeframe], remedy.span.start, remedy.span.end)
                if remedy.span
                else self.repair(remedy.symbols)
            )
            if report.error:
                return report.error
        return ""

    def _carry_out(self, plan: Plan, wishes: Sequence[Wish], tell: Tell | None) -> RunReport:
        heard = Recorder(self._clock.monotonic)
        run_id = new_run_id(self._clock.now())
        notes = Noting(self.store, self._clock, run_id, self._progress(plan))
        broadcast = Broadcast([heard, notes, *([tell] if tell else [])])
        run = Run(
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
        self._runs.append(run)
        try:
            with notes:
                run_to_end(run.carry_out(plan))
        finally:
            self._runs.remove(run)
        desk = self._desk()
        ending = Ending(
            run_id,
            self._provider.page_bars,
            statuses(desk, self.store, wishes),
            list(gaps(desk, wishes)),
            (*run.problems, *broadcast.complaints),
            run.error,
            run.spent,
        )
        report = report_of(plan, heard, ending)
        try:
            self.store.end_run(run_id, self._clock.now(), report.as_dict())
        finally:  # a store that is full is what somebody who waits for news wants to hear of
            complaints = tell_end(self.settings, report)
        return replace(report, problems=(*report.problems, *complaints))

    def _progress(self, plan: Plan) -> Progress:
        """What counts a run's progress, against the slowest of the rates that its jobs come under."""
        rates = self._rates()
        needed = [rate for job in plan.jobs if (rate := rates[job.instrument.asset_class])]
        slowest = max(needed, key=lambda rate: rate.pace, default=None)
        return Progress(self._clock.monotonic, *((slowest.calls, slowest.per) if slowest else ()))


def _words(wish: Wish) -> dict[str, str | int | None]:
    return {
        "symbol": wish.instrument.ticker,
        "timeframe": wish.timeframe.name,
        "start": wish.span.start,
        "end": None if wish.span.end == OPEN_END else wish.span.end,
    }
