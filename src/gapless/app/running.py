"""Runs a plan: opens the way to the vendor, wires the engine, and makes the report of what happened."""

import asyncio
import platform
import random
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from math import ceil
from os import getpid

from gapless.engine import Engine, Policy, World
from gapless.errors import JobOver, Retriable, RunOver
from gapless.fetch import Rate, delay_before
from gapless.ledger import fold
from gapless.plan import Plan, SeriesPlan
from gapless.ports import Calendar, Clock, Http, Provider, Store
from gapless.providers import Subscription
from gapless.settings import Settings
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.events import Event, RunStarted, Tell
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import SpanSet
from gapless.vocabulary.steps import Checked, CorporateAction, Entry, Job, Outcome, Request

_FEWEST_WORKERS, _MOST_WORKERS = 4, 32
_ACTION_KINDS = ("split", "dividend")
_TICKERS_A_REQUEST = 200


@dataclass(slots=True)
class Broadcast:
    """Tells every listener; one that fails is dropped and remembered, never the job's problem."""

    listeners: list[Tell]
    complaints: list[str] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Pass one event on."""
        for listener in list(self.listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - output is a door: a broken pipe must not cost a bar
                self.listeners.remove(listener)
                self.complaints.append(f"showing progress failed and was given up: {error}")


@dataclass(slots=True)
class Run:
    """One run of one plan. `stop` may be called from any thread or signal handler."""

    settings: Settings
    subscription: Subscription
    rates: dict[AssetClass, Rate | None]
    provider: Provider
    calendar: Calendar
    store: Store
    clock: Clock
    tell: Broadcast
    run_id: str
    error: RunOver | None = None
    problems: list[str] = field(default_factory=list)
    _engine: Engine | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    async def carry_out(self, plan: Plan) -> None:
        """Carry every job of the plan; why it stopped early is kept in `error`."""
        # The HTTP library takes a while to load, and only a run needs it.
        from gapless.fetch.client import open_http  # noqa: PLC0415

        jobs = plan.jobs
        self.tell(RunStarted(self.run_id, len(jobs), plan.requests))
        workers = self._workers()
        self._loop = asyncio.get_running_loop()
        self._engine = self._make_engine(workers)
        notes = [note for series in plan.series if (note := self._note(series))]
        try:
            if not jobs:
                for note in notes:
                    self.store.write(note)
                return
            async with open_http(
                key=self.settings.key.reveal(),
                base_url=self.settings.base_url,
                rates=self.rates,
                turns=self.store,
                clock=self.clock,
                tell=self.tell,
                profile=self._profile,
                connections=workers + 2,
            ) as http:
                await self._engine.run(jobs, http, notes)
                await self._fetch_actions(http, [job.instrument.ticker for job in jobs if _is_stock(job)])
        except RunOver as error:
            self.error = error

    def stop(self) -> None:
        """Finish the pages in hand, start nothing new."""
        if self._loop and self._engine:
            with suppress(RuntimeError):  # the loop is closed: the run is over already
                self._loop.call_soon_threadsafe(self._engine.stop)

    def _make_engine(self, workers: int) -> Engine:
        slowest = max((rate.pace for rate in self.rates.values() if rate), default=1.0)
        world = World(
            provider=self.provider,
            calendar=self.calendar,
            store=self.store,
            clock=self.clock,
            # Jitter needs no strong randomness.
            delay_before=partial(delay_before, rng=random.Random(), pace=slowest),  # noqa: S311
            tell=self.tell,
            history_edge=lambda _: self.subscription.history_edge(self.clock.now()),
        )
        policy = Policy(workers, self.settings.confirm_after, self.settings.max_requests or None)
        return Engine(world, policy, run_id=self.run_id, holder=holder())

    def _profile(self, asset_class: AssetClass) -> str:
        """Classes whose rate was given as one number share it; the vendor's own limits are per class."""
        shared = self.settings.rate and not (asset_class is AssetClass.CRYPTO and self.settings.rate_crypto)
        return "massive" if shared else f"massive:{asset_class}"

    def _workers(self) -> int:
        """Enough chains at a time to use the rate up when an answer takes two seconds."""
        if self.settings.workers:
            return self.settings.workers
        rates = [rate for rate in self.rates.values() if rate]
        if len(rates) < len(self.rates):
            return _MOST_WORKERS // 2
        fastest = max(rate.calls / rate.per for rate in rates)
        return max(_FEWEST_WORKERS, min(_MOST_WORKERS, ceil(2 * fastest) + 1))

    def _note(self, series: SeriesPlan) -> Checked | None:
        """What needs no request is written down all the same, with its reason."""
        now = self.clock.now()
        reason = f"before the history of the `{self.subscription.name}` plan begins"
        known = fold(self.store.entries(series.instrument, series.base)).where(Outcome.REFUSED)
        entries = [
            *self._entries(series, series.closed, Outcome.CLOSED, "", now),
            *self._entries(series, series.refused - known, Outcome.REFUSED, reason, now),
        ]
        if not entries:
            return None
        return Checked(series.instrument, series.base, Batch.empty(), tuple(entries))

    def _entries(
        self, series: SeriesPlan, spans: SpanSet, outcome: Outcome, reason: str, now: int
    ) -> Iterable[Entry]:
        for span in spans:
            yield Entry(
                series.instrument, series.base, span, outcome, recorded=now, reason=reason, run_id=self.run_id
            )

    async def _fetch_actions(self, http: Http, tickers: Sequence[str]) -> None:
        """Splits and dividends of the stocks in this run; a failure costs them, never a bar."""
        names = sorted(set(tickers))
        for start in range(0, len(names), _TICKERS_A_REQUEST):
            for kind in _ACTION_KINDS:
                try:
                    await self._fetch_kind(http, kind, names[start : start + _TICKERS_A_REQUEST])
                except (Retriable, JobOver) as error:
                    self.problems.append(f"{kind}s were not read: {error.message}")

    async def _fetch_kind(self, http: Http, kind: str, tickers: Sequence[str]) -> None:
        request: Request | None = self.provider.actions_request(kind, tickers)
        seen: set[str] = set()
        while request is not None and request.url not in seen:
            seen.add(request.url)
            actions, request = await self._ask(http, kind, request)
            self.store.put_actions(actions)

    async def _ask(
        self, http: Http, kind: str, request: Request
    ) -> tuple[list[CorporateAction], Request | None]:
        failures = 0
        while True:
            try:
                await http.turn(request.asset_class)
                return self.provider.decode_actions(kind, await http.fetch(request))
            except Retriable as error:
                failures += 1
                delay = delay_before(error, failures, rng=random.Random())  # noqa: S311 - jitter
                if delay is None:
                    raise
                await self.clock.sleep(delay)


def _is_stock(job: Job) -> bool:
    return job.instrument.asset_class is AssetClass.STOCKS


def holder() -> str:
    """This process, so that another one can see whether it still lives."""
    return f"{platform.node()}:{getpid()}:{secrets.token_hex(4)}"


def new_run_id(now: int) -> str:
    """A name for a run that sorts by time."""
    return f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
