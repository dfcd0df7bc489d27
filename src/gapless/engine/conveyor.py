"""One job on the conveyor: request, page, decode, check, write and record, until its chain ends."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

from gapless.engine.line import Line
from gapless.engine.patience import Patience
from gapless.errors import BadAnswer, RateLimited, Retriable, Stopped
from gapless.ports import Clock, Http, Provider, Store
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.events import PageStored, Retrying, Tell
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Decoded, Job, Lease, Outcome, Page, Receipt, Request
from gapless.vocabulary.timeframe import MINUTE

T = TypeVar("T")
P = ParamSpec("P")
Judge = Callable[[Job, Batch, Span, Page], Checked]
"""The check room with its calendar and ledger at hand: what the bars of a page prove about a span."""
DelayBefore = Callable[[Retriable, int], float | None]
"""Seconds to wait before another attempt, given the error and how many attempts failed; None to give up."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the conveyor works with. `spend` raises OwnLimit when the run's own allowance is used up."""

    http: Http
    provider: Provider
    store: Store
    clock: Clock
    delay_before: DelayBefore
    tell: Tell
    decoders: Executor
    writer: Executor
    patience: Patience
    stopping: asyncio.Event
    spend: Callable[[], None]
    lines: Mapping[AssetClass, Line]


@dataclass(slots=True)
class Progress:
    """How far a job came: everything before `cursor` is written and recorded."""

    cursor: int
    requests: int = 0
    rows: int = 0
    doubts: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Answer:
    page: Page
    decoded: Decoded
    following: Request | None
    waited: float
    decoding: float


async def carry(job: Job, lease: Lease, judge: Judge, progress: Progress, rooms: Rooms) -> None:
    """Carry one job from its first request to its last ledger entry; `progress` tells how far it came."""
    request = rooms.provider.first(job, progress.cursor)
    seen: set[str] = set()
    while True:
        seen.add(request.url)
        answer = await _ask(job, request, seen, progress, rooms)
        read = Span(progress.cursor, _proven_end(job, answer))
        checked = judge(job, answer.decoded.batch, read, answer.page)
        receipt = await _write(job, checked, lease, answer, rooms)
        progress.rows += receipt.inserted + receipt.corrected + receipt.unchanged
        progress.doubts += [e.span for e in checked.entries if e.outcome is Outcome.UNCONFIRMED]
        progress.cursor = read.end
        if progress.cursor >= job.span.end:
            return  # a next page would hold nothing that was asked for
        request = answer.following or rooms.provider.first(job, progress.cursor)


def _proven_end(job: Job, answer: _Answer) -> int:
    """Up to where a page speaks: to the end of the job if it is the last, else just past its last bar.

    A page that is full to the brim without a next one may have been cut: it speaks for its bars only.
    """
    ts = answer.decoded.batch.ts
    if answer.following is None and not (answer.decoded.full and len(ts)):
        return job.span.end
    return min(int(ts[-1]) + MINUTE, job.span.end)


async def _ask(job: Job, request: Request, seen: set[str], progress: Progress, rooms: Rooms) -> _Answer:
    """Ask until there is a sound answer; retrying happens here and nowhere else."""
    failures, since = 0, rooms.clock.monotonic()
    while True:
        try:
            return await _attempt(job, request, seen, progress, rooms)
        except Retriable as error:
            now = rooms.clock.monotonic()
            limited = isinstance(error, RateLimited)
            if limited or isinstance(error, BadAnswer):
                rooms.patience.success(now)  # it is up, and answers
            counted = not limited and rooms.patience.counts(error, since=since, now=now)
            failures += counted
            delay = rooms.delay_before(error, max(1, failures))
            if delay is None:
                raise
            rooms.tell(Retrying(job, type(error).__name__, error.message, delay, failures))
            await _unless_stopped(rooms.clock.sleep(delay), rooms.stopping)
            if isinstance(error, BadAnswer):
                # The fault may be in the address that the page before gave: ask in our own words.
                request = rooms.provider.first(job, progress.cursor)
                seen.add(request.url)


async def _attempt(job: Job, request: Request, seen: set[str], progress: Progress, rooms: Rooms) -> _Answer:
    started = rooms.clock.monotonic()
    ahead = max(1, job.requests - progress.requests)
    await _unless_stopped(_turn(request.asset_class, ahead, rooms), rooms.stopping)
    rooms.spend()
    progress.requests += 1
    waited = rooms.clock.monotonic() - started
    page = await rooms.http.fetch(request)
    fetched = rooms.clock.monotonic()
    asked = Span(progress.cursor, job.span.end)
    decoded, following = await in_thread(rooms.decoders, _decode, job, page, asked, rooms.provider)
    if following is not None and following.url in seen:
        raise BadAnswer(
            f"{job.instrument} {job.base}: the vendor sent the same next page twice",
            request_id=decoded.request_id,
            digest=page.digest,
        )
    rooms.patience.success(rooms.clock.monotonic())
    return _Answer(page, decoded, following, waited, rooms.clock.monotonic() - fetched)


async def _turn(asset_class: AssetClass, ahead: int, rooms: Rooms) -> None:
    async with rooms.lines[asset_class].front(ahead):
        await rooms.http.turn(asset_class)


def _decode(job: Job, page: Page, asked: Span, provider: Provider) -> tuple[Decoded, Request | None]:
    decoded = provider.decode(job, page, asked=asked)
    return decoded, provider.follow(decoded, job.instrument.asset_class)


async def _write(job: Job, checked: Checked, lease: Lease, answer: _Answer, rooms: Rooms) -> Receipt:
    """Bars and entries in one transaction, on the one thread that writes."""
    queued = rooms.clock.monotonic()

    def commit() -> tuple[float, Receipt]:
        return rooms.clock.monotonic(), rooms.store.write(checked, lease)

    began, receipt = await in_thread(rooms.writer, commit)
    rooms.tell(
        PageStored(
            job,
            rows=len(checked.batch),
            wire_bytes=answer.page.wire_bytes,
            waited=answer.waited,
            fetched=answer.page.seconds,
            decoded=answer.decoding,
            queued=began - queued,
            committed=rooms.clock.monotonic() - began,
            receipt=receipt,
        )
    )
    return receipt


async def in_thread(executor: Executor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run something that blocks on one of the run's own threads."""
    return await asyncio.get_running_loop().run_in_executor(executor, partial(function, *args, **kwargs))


async def _unless_stopped(waiting: Awaitable[T], stopping: asyncio.Event) -> T:
    """Wait, but not past a stop: a page in hand is finished, a wait is not.

    Raises:
        Stopped: the run was asked to stop.
    """
    task = asyncio.ensure_future(waiting)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            raise Stopped("Asked to stop.")
        return task.result()
    finally:
        task.cancel()
        stop.cancel()
