"""Wanted spans minus covered spans, cut into the jobs that need the fewest requests. Pure."""

from dataclasses import dataclass, field
from math import ceil
from typing import Any

from gapless.plan.estimate import Estimate, typical_density
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Job
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

EDGE_MARGIN = DAY
"""The plan's history edge moves on while a run works; what it could overtake meanwhile is not asked for."""

ACTION_KINDS = ("split", "dividend")
ACTION_TICKERS = 200
"""So many stocks share one request for their splits, and one for their dividends."""

_LOOK_BACK = 64
"""How many separate pieces one chain may bridge; more would make planning slow for no request saved."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What planning needs to know besides the wish; instants in Unix ms.

    `newest` is the end of what may be asked at this moment: now, or the end of yesterday for plans that show
    finished days only. `known` is where the calendar can tell; `covered` and `waiting` come from the ledger;
    `history_edge` is the earliest instant that the key's plan shows (None: no edge). `density` is bars per
    minute of trading as stored so far (None: as is typical).
    """

    newest: int
    sessions: Sessions
    known: Span
    covered: SpanSet
    waiting: SpanSet
    page_bars: int
    history_edge: int | None = None
    density: float | None = None


@dataclass(frozen=True, slots=True)
class SeriesPlan:
    """What is to be done for one series.

    `closed` needs no request, `refused` lies before the plan's history edge, `waiting` is not due yet, and
    each job is one chain of requests. Together with what is covered they make up `span` as far as `newest`.
    """

    instrument: Instrument
    base: Base
    span: Span
    jobs: tuple[Job, ...] = ()
    closed: SpanSet = field(default_factory=SpanSet)
    refused: SpanSet = field(default_factory=SpanSet)
    waiting: SpanSet = field(default_factory=SpanSet)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a run: every series, and what to know before.

    `unread` are the tickers of stocks whose splits and dividends are still to be read, bars or not. `seconds` is
    what the rate needs at least, `stored_bytes` about what the store will grow by.
    """

    series: tuple[SeriesPlan, ...]
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    seconds: float = 0.0
    stored_bytes: int = 0

    @property
    def jobs(self) -> list[Job]:
        """Every job, the longest chains first, so that none is left over at the end."""
        jobs = [job for series in self.series for job in series.jobs]
        return sorted(jobs, key=lambda job: (-job.requests, job.instrument, job.base, job.span))

    @property
    def requests(self) -> int:
        """Estimate of the requests for bars."""
        return sum(job.requests for series in self.series for job in series.jobs)

    @property
    def stocks(self) -> list[str]:
        """The tickers whose splits and dividends are read after the bars."""
        stocks = (job.instrument for job in self.jobs if job.instrument.asset_class is AssetClass.STOCKS)
        return sorted({*self.unread, *(instrument.ticker for instrument in stocks)})

    @property
    def action_requests(self) -> int:
        """Estimate of the requests for splits and dividends, beside those for bars."""
        return len(ACTION_KINDS) * ceil(len(self.stocks) / ACTION_TICKERS)

    @property
    def bars(self) -> int:
        """Estimate of the base bars in all."""
        return sum(job.bars for series in self.series for job in series.jobs)

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain data; instants in Unix ms."""
        return {
            "requests": self.requests,
            "action_requests": self.action_requests,
            "bars": self.bars,
            "seconds": self.seconds,
            "notes": self.notes,
            "jobs": [
                {
                    "id": job.id,
                    "symbol": job.instrument.ticker,
                    "base": job.base,
                    "start": job.span.start,
                    "end": job.span.end,
                    "requests": job.requests,
                    "bars": job.bars,
                }
                for job in self.jobs
            ],
        }


def plan_series(instrument: Instrument, base: Base, span: Span, outlook: Outlook) -> SeriesPlan:
    """Plan one series: each open instant up to `newest` is covered, refused, waiting, or inside a job."""
    if span.start >= outlook.newest:
        return SeriesPlan(instrument, base, span)
    asked = SpanSet([Span(span.start, min(span.end, outlook.newest))])
    wanted = asked - outlook.covered
    # Where the calendar cannot tell, the market may have been open: that is asked, never called closed.
    open_time = _trading(base, wanted, outlook.sessions) | (asked - SpanSet([outlook.known]))
    refused = wanted & _before_edge(base, outlook)
    closed = wanted - refused - open_time
    waiting = wanted & open_time & _waiting(base, wanted, outlook) - refused
    # In whole minutes: asked from within one, the vendor answers with the bar that began before.
    missing = SpanSet(span.whole(MINUTE) for span in (wanted & open_time) - refused - waiting)
    # Closed time costs no bars, so it never splits a chain; what is covered or waiting may.
    pieces = [hull for bridge in missing | closed if (hull := _hull(missing.clip(bridge)))]
    estimate = Estimate(base, outlook.sessions, _density(instrument, outlook), outlook.page_bars)
    jobs = tuple(
        Job(instrument, base, chain, estimate.bars(chain), estimate.requests(chain))
        for chain in _joined(pieces, estimate)
    )
    return SeriesPlan(
        instrument, base, span, jobs, closed - SpanSet(job.span for job in jobs), refused, waiting
    )


def _trading(base: Base, wanted: SpanSet, sessions: Sessions) -> SpanSet:
    """Where bars that are wanted can start.

    A day has one bar, which starts with it: the rest of a day whose start is not wanted holds none, and asked
    for it the vendor would answer with that bar all the same.
    """
    if base is Base.MINUTE:
        return sessions.trading(base)
    return SpanSet(_days(wanted, sessions))


def _days(wanted: SpanSet, sessions: Sessions) -> list[Span]:
    return [session for session in sessions.spans(Base.DAY) if session.start in wanted]


def _waiting(base: Base, wanted: SpanSet, outlook: Outlook) -> SpanSet:
    """What is not due yet. A day's bar waits as a whole or not at all, as its start does."""
    if base is Base.MINUTE:
        return outlook.waiting
    days = _days(wanted, outlook.sessions)
    return (outlook.waiting - SpanSet(days)) | SpanSet(day for day in days if day.start in outlook.waiting)


def _density(instrument: Instrument, outlook: Outlook) -> float:
    if outlook.density is not None:
        return outlook.density
    return typical_density(instrument.asset_class, outlook.sessions)


def _hull(pieces: SpanSet) -> Span | None:
    parts = list(pieces)
    return Span(parts[0].start, parts[-1].end) if parts else None


def _before_edge(base: Base, outlook: Outlook) -> SpanSet:
    """What the plan refuses: whole sessions, since the vendor would clip a cut one without a word."""
    if outlook.history_edge is None:
        return SpanSet()
    limit = outlook.history_edge + EDGE_MARGIN
    cut = (session for session in outlook.sessions.spans(base) if session.start < limit < session.end)
    limit = next((session.end for session in cut), limit)
    return SpanSet([Span(min(0, limit - 1), limit)])


def _joined(pieces: list[Span], estimate: Estimate) -> list[Span]:
    """Join neighbours where one chain over both, reading the middle again, needs no more requests.

    `best[i]` is the cheapest way over the first i pieces: its requests, its bars, and where its last chain
    starts; fewer requests win, then fewer bars.
    """
    best = [(0, 0, 0)]
    for i in range(1, len(pieces) + 1):
        options = []
        for j in range(max(0, i - _LOOK_BACK), i):
            chain = Span(pieces[j].start, pieces[i - 1].end)
            options.append((best[j][0] + estimate.requests(chain), best[j][1] + estimate.bars(chain), j))
        best.append(min(options))
    chains: list[Span] = []
    i = len(pieces)
    while i:
        j = best[i][2]
        chains.append(Span(pieces[j].start, pieces[i - 1].end))
        i = j
    return chains[::-1]
