"""From what a person asks for to the plan of a run."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gapless.app.instants import When, day_start, iso, parse_instant
from gapless.app.naming import Names, instruments_of, timeframes_of
from gapless.app.survey import Survey, settled_day, survey
from gapless.errors import UsageError
from gapless.fetch import Rate
from gapless.plan import ACTION_KINDS, Outlook, Plan, SeriesPlan, lookalike_hint, plan_series
from gapless.ports import Calendar, Store
from gapless.providers import Subscription
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import OPEN_END, Wish, wished
from gapless.vocabulary.timeframe import MINUTE, Base

_FEWEST_BARS = 20_000
"""Stored minutes from which on a series' own density is a better estimate than what is typical."""
_TYPICAL_BYTES = 8
"""Bytes a bar takes in the default store, before there is one to ask."""
TRAILING_SESSIONS = 3
"""How many finished sessions `update` reads again: late trades are booked for days."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What planning works with. `store` None stands for one that does not exist yet."""

    store: Store | None
    calendar: Calendar
    subscription: Subscription
    rates: dict[AssetClass, Rate | None]
    page_bars: int
    now: int


def wishes_for(desk: Desk, symbols: Names, timeframes: Names, start: When, end: When | None) -> list[Wish]:
    """Read what was asked for, in whole minutes around it; without an end a wish goes on for ever.

    Raises:
        UsageError: nothing asked for, an unknown word, dates in the wrong order or wholly in the future.
    """
    instruments, frames = instruments_of(symbols), timeframes_of(timeframes)
    if not instruments or not frames:
        raise UsageError(
            "Nothing to fetch was named.",
            hint="For example: gapless backfill AAPL X:BTCUSD -t 5m,1d --start 2024-01-01",
        )
    return [
        Wish(instrument, frame, _span(desk.now, instrument.asset_class, start, end))
        for instrument in instruments
        for frame in frames
    ]


def _span(now: int, asset_class: AssetClass, start: When, end: When | None) -> Span:
    first = parse_instant(start, asset_class, now=now, param="start")
    if first >= now:
        raise UsageError(f"`start` is {iso(first)}, which is in the future.", hint="Give an earlier date.")
    last = OPEN_END if end is None else parse_instant(end, asset_class, now=now, param="end")
    if last <= first:
        raise UsageError(
            f"`end` ({iso(last)}) is not after `start` ({iso(first)}).",
            hint="The end is exclusive: for one day, give the next day as the end.",
        )
    return Span(first, last).whole(MINUTE)


def settled(desk: Desk, wish: Wish) -> Wish:
    """An open wish up to the last day whose bars are all final, so that a finished backfill stays finished.

    Any other one as it is, in whole minutes: a store may hold wishes of a time when they were not.
    """
    start, end = wish.span.start, wish.span.end
    if end == OPEN_END:
        end = max(settled_day(desk.calendar, wish.instrument, desk.now), start + 1)
    return replace(wish, span=Span(start, end).whole(MINUTE))


def up_to_now(desk: Desk, wish: Wish) -> Wish:
    """A wish as far as anything can exist, in whole minutes."""
    end = max(wish.span.start + 1, min(wish.span.end, desk.now))
    return replace(wish, span=Span(wish.span.start, end).whole(MINUTE))


def make_plan(desk: Desk, wishes: Iterable[Wish], *, trailing: int = 0, ignore_due: bool = False) -> Plan:
    """Plan every series that the wishes need.

    Args:
        desk: what planning works with.
        wishes: each with the span to be planned.
        trailing: this many finished sessions are read again although they are covered.
        ignore_due: ask also where it is not due yet.
    """
    wishes = list(wishes)
    series: list[SeriesPlan] = []
    for (instrument, base), spans in wished(wishes).items():
        for span in spans:
            found = survey(desk.store, desk.calendar, instrument, base, span, desk.now)
            series.append(plan_series(instrument, base, span, _outlook(desk, found, trailing, ignore_due)))
    plan = Plan(tuple(series), tuple(_notes(desk, wishes)), _unread(desk, wishes))
    typical = desk.store.capabilities.typical_bytes if desk.store else _TYPICAL_BYTES
    return replace(plan, seconds=_seconds(plan, desk.rates), stored_bytes=plan.bars * typical)


def _unread(desk: Desk, wishes: Iterable[Wish]) -> tuple[str, ...]:
    """The tickers of stocks whose splits or dividends were never read whole."""
    stocks = {w.instrument.ticker for w in wishes if w.instrument.asset_class is AssetClass.STOCKS}
    store = desk.store
    if store is None:
        return tuple(stocks)
    return tuple(t for t in stocks if any(store.actions_read(kind, t) is None for kind in ACTION_KINDS))


def _outlook(desk: Desk, found: Survey, trailing: int, ignore_due: bool) -> Outlook:
    covered = found.coverage.covered
    if trailing and (again := found.trailing(trailing)):
        covered -= SpanSet([again])
    newest = desk.now
    if desk.subscription.finished_days_only:
        newest = day_start(desk.now, found.instrument.asset_class)
    return Outlook(
        newest=newest,
        sessions=found.sessions,
        known=found.known,
        covered=covered,
        waiting=SpanSet() if ignore_due else found.coverage.waiting(desk.now),
        page_bars=desk.page_bars,
        history_edge=desk.subscription.history_edge(desk.now),
        density=_density(desk, found),
    )


def _density(desk: Desk, found: Survey) -> float | None:
    """Bars per minute of trading as the ledger counted them, once it counted enough."""
    if desk.store is None or found.base is Base.DAY:
        return None
    pieces = found.coverage.within(found.span)
    rows = sum({id(piece.entry): piece.entry.rows for piece in pieces}.values())
    read = SpanSet(piece.span for piece in pieces if piece.entry.rows)
    minutes = (read & found.sessions.trading(found.base)).length // MINUTE
    return min(1.0, rows / minutes) if rows >= _FEWEST_BARS and minutes else None


def _notes(desk: Desk, wishes: Iterable[Wish]) -> Iterable[str]:
    for instrument in dict.fromkeys(wish.instrument for wish in wishes):
        if hint := lookalike_hint(instrument):
            yield hint
    plan = desk.subscription
    if plan.years is not None:
        today = ", finished days only" if plan.finished_days_only else ""
        yield (
            f"Planned for the vendor's `{plan.name}` plan ({plan.years} years of history{today}); "
            "set massive.plan or --plan if yours is another."
        )


def _seconds(plan: Plan, rates: dict[AssetClass, Rate | None]) -> float:
    """The time that the rate needs at least: the slowest of the rates, each with its own share of requests."""
    requests: dict[Rate, int] = {}
    if rate := rates[AssetClass.STOCKS]:
        requests[rate] = plan.action_requests
    for job in plan.jobs:
        if rate := rates[job.instrument.asset_class]:
            requests[rate] = requests.get(rate, 0) + job.requests
    return max((max(0, count - rate.calls) * rate.pace for rate, count in requests.items()), default=0.0)
