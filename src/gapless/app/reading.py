"""Bars on their way out: read from the store, adjusted, derived, and marked final or not."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from gapless.adjust import Adjust, Adjustment, Judged, adjusted, adjustment
from gapless.app.survey import settled_day
from gapless.frames import Piece, SymbolBars
from gapless.ledger import Coverage, fold
from gapless.plan import ACTION_KINDS
from gapless.ports import Calendar, Store
from gapless.resample import Hours, SessionPart, aligned, base_of, derive, window_ends
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import EVER, Span, SpanSet
from gapless.vocabulary.steps import OPEN_END, Entry, Wish
from gapless.vocabulary.timeframe import DAY, MINUTE, TIMEFRAMES, Base, Timeframe

Series = tuple[Instrument, Base]

_QUARTER = 92 * DAY


@dataclass(frozen=True, slots=True)
class View:
    """How stored bars are looked at.

    Which part of each session, adjusted for what, as they were at `as_of` (Unix ms; None: now), and whether bars
    that can still change are shown.
    """

    session: SessionPart = SessionPart.ALL
    adjust: Adjust | None = None
    as_of: int | None = None
    provisional: bool = False

    @property
    def raw(self) -> bool:
        """Whether the bars of a base are shown exactly as they are stored now."""
        return (self.session, self.adjust, self.as_of) == (SessionPart.ALL, None, None)


@dataclass
class Reader:
    """Reads pieces of one store in one view, at `now` (Unix ms); what it learned of a series it remembers.

    Safe to call from many threads: at worst two of them learn the same.
    """

    store: Store
    calendar: Calendar
    view: View
    now: int
    _coverage: dict[Series, Coverage] = field(default_factory=dict)
    _weighed: dict[Instrument, Adjustment] = field(default_factory=dict)

    def read(self, piece: Piece) -> SymbolBars:
        """The bars that start inside the piece's span; those that can still change only where the view has them.

        A bar is final when every instant of its window at which the market was open is covered. Bars and ledger are
        those of one moment.
        """
        with self.store.moment():
            return self.begin(piece)()

    def begin(self, piece: Piece) -> Callable[[], SymbolBars]:
        """The same in two steps: all that the store has to say is asked now, and any thread may do the rest later."""
        instrument, frame = Instrument.parse(piece.symbol), Timeframe.parse(piece.timeframe)
        base = self.base(frame)
        hours = self._hours(instrument, frame, piece.span)
        windows = aligned(piece.span, frame, instrument.asset_class, hours)
        span = piece.span if frame.name == base else windows
        fetched = self.store.fetch(instrument, base, span, self.view.as_of)
        adjusting = self._adjusting(instrument) if self._adjusts(instrument) else None
        uncovered = self._uncovered(instrument, base, windows, hours)

        def rest() -> SymbolBars:
            bars = fetched()
            if adjusting:  # before deriving: a week across a split has bars on both sides of it
                bars = adjusted(bars, adjusting.factors)
            if frame.name != base or hours is not None:
                bars = derive(bars, frame, instrument.asset_class, hours).between(piece.span)
            final = np.ones(len(bars), np.bool_)
            if uncovered:
                final = _final(bars, _ends(bars, frame, base, instrument.asset_class, hours), uncovered)
            if not self.view.provisional and not final.all():
                bars, final = bars.take(final), final[final]
            return SymbolBars(instrument.ticker, bars, final)

        return rest

    def base(self, frame: Timeframe) -> Base:
        """The base that bars of this timeframe are made of in this view."""
        return base_of(frame, self.view.session)

    def coverage(self, instrument: Instrument, base: Base) -> Coverage:
        """What the ledger says of a series, or said then."""
        key = instrument, base
        if key not in self._coverage:
            entries = self.store.entries(instrument, base)
            self._coverage[key] = fold(entries if self.view.as_of is None else _by(self.view.as_of, entries))
        return self._coverage[key]

    def covered(self, instrument: Instrument, base: Base) -> SpanSet:
        """Where the ledger vouches for the bars of a series, or did then."""
        if self.view.as_of is None:
            return self.store.covered(instrument, base)
        return self.coverage(instrument, base).covered

    def stored(self, instrument: Instrument, base: Base) -> Span | None:
        """From the first to the last stored bar of a series; None without any."""
        return self._stored.get((instrument, base))

    def held(self, instrument: Instrument, base: Base) -> Span | None:
        """The same, grown to all that was asked for and can exist by now."""
        spans = [self.stored(instrument, base), *self._wished.get((instrument, base), ())]
        found = [span for span in spans if span]
        return Span(min(s.start for s in found), max(s.end for s in found)) if found else None

    @property
    def moment(self) -> int:
        """The time at which a reader stands (Unix ms): now, or that of the view."""
        return self.now if self.view.as_of is None else self.view.as_of

    @cached_property
    def _stored(self) -> dict[Series, Span]:
        return {
            (one.instrument, one.base): Span(one.first, one.last + MINUTE)
            for one in self.store.series()
            if one.first is not None and one.last is not None
        }

    @cached_property
    def _wished(self) -> dict[Series, list[Span]]:
        spans: dict[Series, list[Span]] = {}
        for wish in self.store.wishes():
            end = min(wish.span.end, self.now)
            if wish.span.end == OPEN_END:  # goes as far as a backfill without an end
                end = settled_day(self.calendar, wish.instrument, self.now)
            if wish.span.start < end:
                span = Span(wish.span.start, end)
                spans.setdefault((wish.instrument, wish.timeframe.base), []).append(span)
        return spans

    def sessions(self, instrument: Instrument, span: Span) -> Sessions:
        """The sessions around `span`, cut down to the part that the view shows."""
        whole = self.calendar.sessions(instrument, span)
        hours = Hours.of(whole, self.view.session)
        if hours is None:
            return whole
        days = whole.day[np.searchsorted(whole.pre, hours.start, side="right") - 1]
        return Sessions(days, hours.start, hours.start, hours.end, hours.end)

    def _hours(self, instrument: Instrument, frame: Timeframe, span: Span) -> Hours | None:
        if self.view.session is SessionPart.ALL:
            return None
        around = frame if frame.minutes is None else TIMEFRAMES[Base.DAY]
        whole = aligned(span, around, instrument.asset_class)
        return Hours.of(self.calendar.sessions(instrument, whole), self.view.session)

    def doubts(self, instrument: Instrument, since: int) -> tuple[Judged, ...]:
        """The splits and dividends to look at before bars from `since` (Unix ms) on are trusted in this view."""
        return self._adjusting(instrument).doubts(since) if self._adjusts(instrument) else ()

    def basis(self, instrument: Instrument) -> str:
        """What the bars of an instrument are multiplied with in this view, as a text; empty where with nothing."""
        if not self._adjusts(instrument):
            return ""
        factors = self._adjusting(instrument).factors
        return repr((factors.at.tolist(), factors.steps))

    def unread(self, instrument: Instrument) -> list[str]:
        """The kinds of actions (`split`, `dividend`) that this view needs and that were never read whole."""
        if not self._adjusts(instrument):
            return []
        kinds = ("split",) if self.view.adjust is Adjust.SPLITS else ACTION_KINDS
        return [kind for kind in kinds if self.store.actions_read(kind, instrument.ticker) is None]

    def _adjusts(self, instrument: Instrument) -> bool:
        return self.view.adjust is not None and instrument.asset_class is AssetClass.STOCKS

    def _adjusting(self, instrument: Instrument) -> Adjustment:
        if instrument not in self._weighed:
            self._weighed[instrument] = self.adjustment(instrument)
        return self._weighed[instrument]

    def adjustment(self, instrument: Instrument) -> Adjustment:
        """The splits of a stock, and its dividends unless the view wants splits only, weighed against its days."""
        actions, wanted = self.store.actions(instrument.ticker), self.view.adjust or Adjust.ALL
        return adjustment(actions, self._days(instrument), wanted, now=self.moment)

    def _days(self, instrument: Instrument) -> Batch:
        """The stored days, else those that the stored minutes of the regular session make."""
        days = self.store.read(instrument, Base.DAY, EVER, self.view.as_of)
        minutes = self.stored(instrument, Base.MINUTE)
        if len(days) or minutes is None:
            return days
        bars = self.store.read(instrument, Base.MINUTE, minutes, self.view.as_of)
        hours = Hours.of(self.calendar.sessions(instrument, minutes), SessionPart.REGULAR)
        return derive(bars, TIMEFRAMES[Base.DAY], instrument.asset_class, hours)

    def _uncovered(self, instrument: Instrument, base: Base, span: Span, hours: Hours | None) -> SpanSet:
        """Where the market was open, or may have been, and the ledger cannot vouch for the bars."""
        covered = self.covered(instrument, base)
        if covered.covers(span):
            return SpanSet()  # no need to ask the calendar, which takes over a second to load
        unknown = SpanSet([span]) - SpanSet([self.calendar.known(instrument)])
        trading = self.calendar.sessions(instrument, span).trading(base) if hours is None else hours.spans()
        return (trading | unknown) - covered


def _by(moment: int, entries: Sequence[Entry]) -> Iterator[Entry]:
    """Those that were written by this moment (Unix ms): a clock that was put back does not turn time back."""
    for entry, written in zip(entries, accumulate((e.recorded for e in entries), max), strict=True):
        if written <= moment:
            yield entry


def pieces_of(wishes: Iterable[Wish]) -> list[Piece]:
    """What is read at once when much is read: a quarter of minutes, all of the days."""
    return [
        Piece(wish.instrument.ticker, wish.timeframe.name, span)
        for wish in wishes
        for span in (wish.span.pieces(_QUARTER) if wish.timeframe.minutes else [wish.span])
    ]


def final_until(parts: Sequence[SymbolBars], settled: int) -> int:
    """Before this instant (Unix ms) every bar of the parts is final; `settled` where all of them are."""
    changing = [int(part.batch.ts[~part.final][0]) for part in parts if not part.final.all()]
    return min([settled, *changing])


def _ends(
    bars: Batch, frame: Timeframe, base: Base, asset_class: AssetClass, hours: Hours | None
) -> NDArray[np.int64]:
    if frame.name == base and hours is None:
        return bars.ts + MINUTE
    return window_ends(bars.ts, frame, asset_class, hours)


def _final(bars: Batch, ends: NDArray[np.int64], uncovered: SpanSet) -> NDArray[np.bool_]:
    begins = np.array([span.start for span in uncovered], np.int64)
    stops = np.array([span.end for span in uncovered], np.int64)
    # The first uncovered stretch that ends after a window began: does it begin before the window ends?
    following = np.searchsorted(stops, bars.ts, side="right")
    first = np.append(begins, np.iinfo(np.int64).max)[following]
    result: NDArray[np.bool_] = first >= ends
    return result
