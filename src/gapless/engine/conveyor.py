"""One job on the conveyor: request, answer, page, batch, checked, receipt, until its chain ends."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gapless.crash import crash_point
from gapless.engine.asking import insist, take_turn
from gapless.engine.rooms import Rooms, Unpack
from gapless.errors import BadAnswer, Retriable
from gapless.ports import Provider
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.events import PageStored
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Answer, Checked, Decoded, Job, Lease, Outcome, Page, Receipt, Request
from gapless.vocabulary.timeframe import MINUTE

Judge = Callable[[Job, Batch, Span, Page], Checked]
"""The check room with its calendar and ledger at hand: what the bars of a page prove about a span."""


@dataclass(slots=True)
class Progress:
    """How far a job came: everything before `cursor` is written and recorded."""

    cursor: int
    requests: int = 0
    rows: int = 0
    doubts: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A page that was read; seconds spent waiting for the turn, on the wire and decoding."""

    page: Page
    decoded: Decoded
    following: Request | None
    waited: float
    fetched: float
    decoding: float


async def carry(job: Job, lease: Lease, judge: Judge, progress: Progress, rooms: Rooms) -> None:
    """Carry one job from its first request to its last ledger entry; `progress` tells how far it came."""
    request = rooms.provider.first(job, progress.cursor)
    seen: set[str] = set()
    while True:
        reading = await _read(job, request, seen, progress, rooms)
        read = Span(progress.cursor, _proven_end(job, reading))
        checked = judge(job, reading.decoded.batch, read, reading.page)
        crash_point("judged")
        receipt = await _write(job, checked, lease, reading, rooms)
        progress.rows += receipt.inserted + receipt.corrected + receipt.unchanged
        progress.doubts += [e.span for e in checked.entries if e.outcome is Outcome.UNCONFIRMED]
        progress.cursor = read.end
        if progress.cursor >= job.span.end:
            return  # a next page would hold nothing that was asked for
        request = reading.following or rooms.provider.first(job, progress.cursor)


def _proven_end(job: Job, reading: _Reading) -> int:
    """Up to where a page speaks: to the end of the job if it is the last, else just past its last bar.

    A page that is full to the brim without a next one may have been cut: it speaks for its bars only.
    """
    ts = reading.decoded.batch.ts
    if reading.following is None and not (reading.decoded.full and len(ts)):
        return job.span.end
    return min(int(ts[-1]) + MINUTE, job.span.end)


async def _read(job: Job, request: Request, seen: set[str], progress: Progress, rooms: Rooms) -> _Reading:
    """Read the page that `request` asks for; `seen` are the addresses of this chain."""

    def before_again(error: Retriable) -> None:
        nonlocal request
        if isinstance(error, BadAnswer):
            # The fault may be in the address that the page before gave: ask in our own words.
            request = rooms.provider.first(job, progress.cursor)

    async def attempt() -> _Reading:
        seen.add(request.url)
        return await _attempt(job, request, seen, progress, rooms)

    return await insist(attempt, f"{job.instrument} {job.base}", rooms, before_again=before_again)


async def _attempt(job: Job, request: Request, seen: set[str], progress: Progress, rooms: Rooms) -> _Reading:
    waited = await take_turn(request, max(1, job.requests - progress.requests), rooms)
    progress.requests += 1
    crash_point("fetch")
    answer = await rooms.http.fetch(request)
    rooms.skew.hear(answer)
    crash_point("fetched")
    fetched = rooms.clock.monotonic()
    asked = Span(progress.cursor, job.span.end)
    page, decoded, following = await rooms.decoders.run(
        _decode, job, answer, asked, rooms.provider, rooms.unpack
    )
    crash_point("decoded")
    if following is not None and following.url in seen:
        raise BadAnswer(
            f"{job.instrument} {job.base}: the vendor sent the same next page twice",
            request_id=decoded.request_id,
            digest=page.digest,
        )
    return _Reading(page, decoded, following, waited, answer.seconds, rooms.clock.monotonic() - fetched)


def _decode(
    job: Job, answer: Answer, asked: Span, provider: Provider, unpack: Unpack
) -> tuple[Page, Decoded, Request | None]:
    """The page without its body, which is not needed any more, and what it says."""
    page = unpack(answer)
    decoded = provider.decode(job, page, asked=asked)
    return replace(page, body=b""), decoded, provider.follow(decoded, job.instrument.asset_class)


async def _write(job: Job, checked: Checked, lease: Lease, reading: _Reading, rooms: Rooms) -> Receipt:
    """Bars and entries in one transaction, on the one thread that writes."""
    queued = rooms.clock.monotonic()

    def commit() -> tuple[float, Receipt]:
        crash_point("write")
        return rooms.clock.monotonic(), rooms.store.write(checked, lease)

    began, receipt = await rooms.write(commit)
    crash_point("written")
    rooms.tell(
        PageStored(
            job,
            rows=len(checked.batch),
            wire_bytes=reading.page.wire_bytes,
            waited=reading.waited,
            fetched=reading.fetched,
            decoded=reading.decoding,
            queued=began - queued,
            committed=rooms.clock.monotonic() - began,
            receipt=receipt,
        )
    )
    crash_point("told")
    return receipt
