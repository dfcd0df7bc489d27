"""A run: many jobs at a time, each to its end; one failing job never takes another with it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from gapless.checks import Context, judge
from gapless.engine.actions import fetch_actions
from gapless.engine.conveyor import Judge, Progress, carry
from gapless.engine.decoding import Decoders
from gapless.engine.leases import RENEW_EVERY, Leases
from gapless.engine.line import Line
from gapless.engine.patience import Patience
from gapless.engine.rooms import DelayBefore, Rooms, Unpack
from gapless.engine.skew import Skew, made_at, recorded_at
from gapless.errors import (
    BadAnswer,
    GaplessError,
    JobOver,
    LeaseHeld,
    OwnLimit,
    Refused,
    Retriable,
    RunOver,
    Stopped,
    StorageError,
)
from gapless.ledger import fold
from gapless.plan import final_until
from gapless.ports import Calendar, Clock, Http, Provider, Store
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.events import JobEnded, JobStarted, RunEnded, Tell
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Entry, Job, Lease, Outcome, Page
from gapless.vocabulary.timeframe import DAY


@dataclass(frozen=True, slots=True)
class World:
    """What a run needs from outside. `history_edge` tells the plan's edge at this moment (None: no edge)."""

    unpack: Unpack
    provider: Provider
    calendar: Calendar
    store: Store
    clock: Clock
    delay_before: DelayBefore
    tell: Tell
    history_edge: Callable[[AssetClass], int | None]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run behaves. `confirm_after` in ms; `max_requests` None for no limit of one's own.

    `beside`: pages may come faster than one process decodes them, so another one helps.
    """

    workers: int
    confirm_after: int
    max_requests: int | None = None
    beside: bool = False


class Engine:
    """Runs the jobs of one plan. `stop()` ends it after the pages in hand.

    `spent` counts its requests of every kind; `problems` are, in words, what went wrong beside the bars.
    """

    def __init__(self, world: World, policy: Policy, *, run_id: str, holder: str) -> None:
        self._world = world
        self._policy = policy
        self._run_id = run_id
        self._leases = Leases(world.store, world.clock, holder)
        self._stopping = asyncio.Event()
        self._fatal: RunOver | None = None
        self._held: LeaseHeld | None = None
        self.spent = 0
        self.problems: list[str] = []

    def stop(self) -> None:
        """Finish the pages in hand, start nothing new."""
        self._stopping.set()

    async def run(
        self, jobs: Sequence[Job], http: Http, notes: Sequence[Checked] = (), stocks: Sequence[str] = ()
    ) -> None:
        """Carry every job, then read the splits and dividends of these `stocks`.

        `notes` are entries that need no request (closed, refused by plan).

        Raises:
            RunOver: why the run stopped before all jobs were tried; what was done is kept.
        """
        world = self._world
        async with Decoders(beside=self._policy.beside) as decoders:
            with ThreadPoolExecutor(1, thread_name_prefix="gapless-write") as writer:
                await self._carry(jobs, notes, stocks, self._rooms(http, decoders, writer))
        world.tell(RunEnded(self._run_id, self._fatal.message if self._fatal else ""))
        if self._fatal is not None:
            raise self._fatal

    def _rooms(self, http: Http, decoders: Decoders, writer: Executor) -> Rooms:
        world = self._world
        return Rooms(
            http=http,
            unpack=world.unpack,
            provider=world.provider,
            store=world.store,
            clock=world.clock,
            delay_before=world.delay_before,
            tell=world.tell,
            decoders=decoders,
            writer=writer,
            patience=Patience(world.clock.monotonic()),
            stopping=self._stopping,
            spend=self._spend,
            lines={asset_class: Line() for asset_class in AssetClass},
            skew=Skew(world.tell),
        )

    async def _carry(
        self, jobs: Sequence[Job], notes: Sequence[Checked], stocks: Sequence[str], rooms: Rooms
    ) -> None:
        """All of it, under leases that are kept alive meanwhile and given back at the end."""
        heartbeat = asyncio.create_task(self._beat(rooms))
        try:
            await rooms.write(self._leases.claim, [*jobs])
            await self._work(list(jobs), notes, rooms)
            if self._fatal is None:
                self.problems += await fetch_actions(stocks, rooms)
        except RunOver as error:
            self._fatal = self._fatal or error
        finally:
            self.problems += rooms.skew.problems
            heartbeat.cancel()
            with suppress(asyncio.CancelledError):
                await heartbeat
            await rooms.write(self._leases.release)

    async def _work(self, jobs: list[Job], notes: Sequence[Checked], rooms: Rooms) -> None:
        """All jobs, so many at a time; the notes are written while the first answers are on their way."""
        queue = iter(jobs)

        async def worker() -> None:
            for job in queue:
                if self._stopping.is_set():
                    return
                await self._try(job, rooms)

        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_down(notes, rooms))
            for _ in range(min(self._policy.workers, len(jobs))):
                group.create_task(worker())
        if self._stopping.is_set() and self._fatal is None:
            self._fatal = Stopped("Stopped as asked; everything that was read is kept.")
        # What another run holds does not keep this one from its other jobs, but it is not done.
        if self._fatal is None:
            self._fatal = self._held

    async def _write_down(self, notes: Sequence[Checked], rooms: Rooms) -> None:
        try:
            for note in notes:
                await rooms.write(rooms.store.write, note)
        except RunOver as error:
            self._end(error)

    async def _try(self, job: Job, rooms: Rooms) -> None:
        """The job boundary: whatever happens to one job ends here, as its outcome."""
        started, progress = rooms.clock.monotonic(), Progress(job.span.start)
        rooms.tell(JobStarted(job))
        outcome, reason = Outcome.BARS, ""
        try:
            lease = self._leases.of(job)
            self._mind_the_edge(job)
            judge = await rooms.write(self._judge_for, job)
            await carry(job, lease, judge, progress, rooms)
            if progress.doubts:
                outcome, reason = await self._look_again(job, lease, judge, progress, rooms)
            await rooms.write(rooms.store.tidy, job.instrument, job.base)
        except LeaseHeld as error:
            outcome, reason = Outcome.FAILED, error.message
            self._held = error
        except RunOver as error:
            outcome, reason = Outcome.FAILED, error.message
            self._end(error)
        except GaplessError as error:
            outcome, reason = _outcome_of(error), error.message
            await self._record(job, progress, outcome, error, rooms)
        except Exception as error:  # noqa: BLE001 - the job boundary: a fault of ours costs one job, and is told
            outcome, reason = Outcome.FAILED, f"a fault in gapless: {type(error).__name__}: {error}"
            await self._record(job, progress, outcome, GaplessError(reason), rooms)
        seconds = rooms.clock.monotonic() - started
        rooms.tell(JobEnded(job, outcome, reason, progress.requests, progress.rows, seconds))

    async def _look_again(
        self, job: Job, lease: Lease, judge: Judge, progress: Progress, rooms: Rooms
    ) -> tuple[Outcome, str]:
        """Ask once more, right away, where whole sessions were silent: a clipped answer heals here."""
        doubts, progress.doubts = progress.doubts, []
        for doubt in doubts:
            second = Progress(doubt.start)
            try:
                await carry(replace(job, span=doubt), lease, judge, second, rooms)
            finally:
                progress.requests += second.requests
                progress.rows += second.rows
            progress.doubts += second.doubts
        if progress.doubts:
            return (
                Outcome.UNCONFIRMED,
                "no bars where the market was open; asked again later before that is believed",
            )
        return Outcome.BARS, ""

    def _mind_the_edge(self, job: Job) -> None:
        """Raises Retriable where the plan's history edge, which moves, has reached the job meanwhile."""
        edge = self._world.history_edge(job.instrument.asset_class)
        if edge is not None and edge > job.span.start:
            raise Retriable(
                "the plan's history edge has passed the start of this job; the next run plans around it"
            )

    def _judge_for(self, job: Job) -> Judge:
        world = self._world
        coverage = fold(world.store.entries(job.instrument, job.base))
        context = Context(
            sessions=world.calendar.sessions(job.instrument, job.span),
            known=world.calendar.known(job.instrument),
            final_until=0,
            now=0,
            confirm_after=self._policy.confirm_after,
            looks=tuple(
                (piece.span, piece.entry.due)
                for piece in coverage.within(job.span)
                if piece.entry.outcome is Outcome.UNCONFIRMED and piece.entry.due is not None
            ),
            run_id=self._run_id,
        )

        def judged(job: Job, batch: Batch, read: Span, page: Page) -> Checked:
            made = made_at(page)
            recent = world.calendar.sessions(job.instrument, Span(made - 10 * DAY, made + 10 * DAY))
            final = final_until(job.instrument.asset_class, job.base, recent, made)
            return judge(job, batch, read, page, replace(context, final_until=final, now=recorded_at(page)))

        return judged

    async def _record(
        self, job: Job, progress: Progress, outcome: Outcome, error: GaplessError, rooms: Rooms
    ) -> None:
        """Write down what a job did not get, why, and when it is asked again."""
        now = rooms.clock.now()
        if progress.cursor >= job.span.end:
            return
        entry = Entry(
            job.instrument,
            job.base,
            Span(progress.cursor, job.span.end),
            outcome,
            recorded=now,
            reason=error.message,
            request_id=getattr(error, "request_id", ""),
            digest=getattr(error, "digest", ""),
            job_id=job.id,
            run_id=self._run_id,
            due=now + DAY if isinstance(error, JobOver) else now,
        )
        checked = Checked(job.instrument, job.base, Batch.empty(), (entry,))
        try:
            await rooms.write(rooms.store.write, checked)
        except RunOver as problem:  # what could not be written down is asked for again by the next run
            self._end(problem)

    def _end(self, error: RunOver) -> None:
        """No new work; the first reason counts."""
        self._fatal = self._fatal or error
        self._stopping.set()

    def _spend(self) -> None:
        limit = self._policy.max_requests
        if limit is not None and self.spent >= limit:
            raise OwnLimit(
                f"The limit of {limit} requests was reached.",
                hint="Run the same command again to go on; what was read is kept.",
            )
        self.spent += 1

    async def _beat(self, rooms: Rooms) -> None:
        while True:
            await self._world.clock.sleep(RENEW_EVERY)
            try:
                await rooms.write(self._leases.renew)
            except StorageError as error:
                # A lease outlives several renewals; what lasts meets the next write too.
                self.problems.append(f"the leases of this run were not renewed once: {error.message}")


def _outcome_of(error: GaplessError) -> Outcome:
    if isinstance(error, BadAnswer):
        return Outcome.SUSPECT
    return Outcome.REFUSED if isinstance(error, Refused) else Outcome.FAILED
