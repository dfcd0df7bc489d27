"""Runs a plan: opens the way to the vendor, wires the engine, and makes the report of what happened."""

import asyncio
import platform
import random
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from math import ceil, inf
from os import getpid

from gapless.engine import Engine, Policy, World
from gapless.errors import RunOver
from gapless.fetch import Rate, delay_before, unpack
from gapless.ledger import fold
from gapless.plan import Plan, SeriesPlan
from gapless.ports import Calendar, Clock, Provider, Store
from gapless.providers import Subscription
from gapless.settings import Settings
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.events import Event, RunStarted, Tell
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import SpanSet
from gapless.vocabulary.steps import Checked, Entry, Outcome

_FEWEST_WORKERS, _MOST_WORKERS = 4, 32
_MANY_REQUESTS, _DECODED_A_SECOND = 24, 15
"""One process decodes some 30 pages a second; a second one pays for its start within a second or two."""


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
    _stopped: bool = False

    async def carry_out(self, plan: Plan) -> None:
        """Carry every job of the plan; why it stopped early is kept in `error`."""
        # The HTTP library takes a while to load, and only a run needs it.
        from gapless.fetch.client import open_http  # noqa: PLC0415

        jobs, stocks = plan.jobs, plan.stocks
        self.tell(RunStarted(self.run_id, len(jobs), plan.requests))
        workers = self._workers()
        self._loop = asyncio.get_running_loop()
        self._engine = self._make_engine(workers, plan.requests)
        if self._stopped:
            self._engine.stop()
        notes = [note for series in plan.series if (note := self._note(series))]
        try:
            if not (jobs or stocks):
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
                await self._engine.run(jobs, http, notes, stocks)
        except RunOver as error:
            self.error = error
        self.problems += self._engine.problems

    @property
    def spent(self) -> int:
        """Requests of every kind so far."""
        return self._engine.spent if self._engine else 0

    def stop(self) -> None:
        """Finish the pages in hand, start nothing new."""
        self._stopped = True  # for a run that is about to begin
        if self._loop and self._engine:
            with suppress(RuntimeError):  # the loop is closed: the run is over already
                self._loop.call_soon_threadsafe(self._engine.stop)

    def _make_engine(self, workers: int, requests: int) -> Engine:
        slowest = max((rate.pace for rate in self.rates.values() if rate), default=1.0)
        world = World(
            unpack=unpack,
            provider=self.provider,
            calendar=self.calendar,
            store=self.store,
            clock=self.clock,
            # Jitter needs no strong randomness.
            delay_before=partial(delay_before, rng=random.Random(), pace=slowest),  # noqa: S311
            tell=self.tell,
            history_edge=lambda _: self.subscription.history_edge(self.clock.now()),
        )
        policy = Policy(
            workers,
            self.settings.confirm_after,
            self.settings.max_requests or None,
            beside=requests >= _MANY_REQUESTS and self._fastest() > _DECODED_A_SECOND,
        )
        return Engine(world, policy, run_id=self.run_id, holder=holder())

    def _profile(self, asset_class: AssetClass) -> str:
        """Classes whose rate was given as one number share it; the vendor's own limits are per class."""
        shared = self.settings.rate and not (asset_class is AssetClass.CRYPTO and self.settings.rate_crypto)
        return "massive" if shared else f"massive:{asset_class}"

    def _workers(self) -> int:
        """Enough chains at a time to use the rate up when an answer takes two seconds."""
        if self.settings.workers:
            return self.settings.workers
        fastest = self._fastest()
        if fastest == inf:
            return _MOST_WORKERS // 2
        return max(_FEWEST_WORKERS, min(_MOST_WORKERS, ceil(2 * fastest) + 1))

    def _fastest(self) -> float:
        """The most requests a second that any class allows."""
        return max(rate.calls / rate.per if rate else inf for rate in self.rates.values())

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


def holder() -> str:
    """This process, so that another one can see whether it still lives."""
    return f"{platform.node()}:{getpid()}:{secrets.token_hex(4)}"


def new_run_id(now: int) -> str:
    """A name for a run that sorts by time."""
    return f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
