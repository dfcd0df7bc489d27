"""What is known from close by: one series day by day and minute by minute, its market's hours, how runs went."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gapless.app.instants import When, span_between
from gapless.app.shelf import Shelf
from gapless.app.survey import Survey, survey
from gapless.errors import NotStored, UsageError
from gapless.reports import CloseUp, days_of, proved, stretches_of
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.timeframe import DAY, Base, Timeframe

_LONGEST = 31 * DAY
"""So much time is shown minute by minute at once."""
_LONGEST_HOURS = 3660 * DAY
_SILENCE = 30_000
"""Milliseconds without a note of its progress after which a run is taken for lost."""


@dataclass(frozen=True, slots=True)
class MarketHours:
    """When the market of a symbol trades; `known` is where the calendar can tell."""

    symbol: str
    zone: str
    known: Span
    sessions: Sessions


class Inspection(Shelf):
    """A shelf whose series can be looked at closely."""

    def days(
        self, symbol: str, timeframe: str = "1m", start: When | None = None, end: When | None = None
    ) -> CloseUp:
        """How complete each trading day of the base of `timeframe` is; dates as in `bars`."""
        found = self._look(symbol, timeframe, start, end)
        bars = self.store.read(found.instrument, found.base, _whole_days(found))
        return CloseUp(
            found.instrument.ticker,
            found.base,
            found.span.start,
            found.span.end,
            proved(found.base, found.span, found.ground),
            days=tuple(
                (day, len(bars.between(Span(day.start, day.end))))
                for day in days_of(found.base, found.span, found.ground)
            ),
        )

    def stretches(
        self, symbol: str, timeframe: str = "1m", start: When | None = None, end: When | None = None
    ) -> CloseUp:
        """What is known of every instant: bars, no trade, closed, provisional, or missing and why.

        Raises:
            NotStored: nothing of it is there.
            UsageError: more than 31 days at once, or what `bars` raises it for.
        """
        found = self._look(symbol, timeframe, start, end)
        if found.span.length > _LONGEST:
            raise UsageError("More than 31 days are too much to show by minute.", hint="Give start and end.")
        bars = self.store.read(found.instrument, found.base, found.span)
        held = SpanSet(_spans(found, bars))
        return CloseUp(
            found.instrument.ticker,
            found.base,
            found.span.start,
            found.span.end,
            proved(found.base, found.span, found.ground),
            stretches=tuple(stretches_of(found.base, found.span, found.ground, held)),
        )

    def hours(self, symbol: str, start: When, end: When | None = None) -> MarketHours:
        """When the market of a symbol trades between two dates, at most ten years apart; up to now without an end.

        Raises:
            UsageError: no symbol, no dates, or too much time between them.
        """
        instrument, now = Instrument.parse(symbol), self._clock.now()
        span = span_between(start, end or now, Span(0, now), instrument.asset_class, now=now)
        if span is None or span.length > _LONGEST_HOURS:
            raise UsageError("Sessions are told for up to ten years at once.", hint="Give start and end.")
        known = self._calendar.known(instrument)
        found = self._calendar.sessions(instrument, span)
        return MarketHours(instrument.ticker, instrument.asset_class.zone, known, found)

    def runs(self, limit: int = 20, run_id: str | None = None) -> list[dict[str, Any]]:
        """The latest runs of any process on this store, newest first, or one run.

        `state` is `running`, `ended`, or `lost` (half a minute without a note), `progress` what was noted last while
        it ran, `report` what came at its end; instants in Unix ms.
        """
        now = self._clock.now()
        return [{"state": _state(run, now)} | run for run in self.store.runs(limit, run_id)]

    # -- inside

    def _look(self, symbol: str, timeframe: str, start: When | None, end: When | None) -> Survey:
        instrument, base = Instrument.parse(symbol), Timeframe.parse(timeframe).base
        reader = self._reader(asset_class=instrument.asset_class)
        held = reader.held(instrument, base)
        if held is None:
            raise NotStored(
                f"{base} bars of {instrument} were never asked for.",
                hint=f"`gapless backfill {instrument} -t {base} --start ...` first.",
            )
        span = span_between(start, end, held, instrument.asset_class, now=reader.now)
        if span is None:
            raise NotStored(f"No {base} bars of {instrument} are stored there.", hint="Give other dates.")
        return survey(self.store, self._calendar, instrument, base, span, reader.now)


def _whole_days(found: Survey) -> Span:
    """From the first session's first bar to the last one's end."""
    spans = [found.span, *found.sessions.spans(found.base)]
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def _spans(found: Survey, bars: Batch) -> Iterable[Span]:
    """Where each bar stands: its minute, or from its stamp to the end of its session."""
    if found.base is Base.MINUTE:
        return (Span(ts, ts + Base.MINUTE.step) for ts in bars.ts.tolist())
    ends = dict(zip(found.sessions.day.tolist(), found.sessions.post.tolist(), strict=True))
    return (Span(ts, ends.get(ts, ts + DAY)) for ts in bars.ts.tolist())


def _state(run: dict[str, Any], now: int) -> str:
    if run["ended"] is not None:
        return "ended"
    seen = (run["progress"] or {}).get("at", run["started"])
    return "running" if now - seen < _SILENCE else "lost"
