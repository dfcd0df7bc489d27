"""What is known of one series at this moment: the ledger folded, the calendar asked, the edges worked out."""

from dataclasses import dataclass

from gapless.app.instants import day_start
from gapless.ledger import Coverage, fold
from gapless.plan import final_until
from gapless.ports import Calendar, Store
from gapless.reports import Ground
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base

_AROUND = 10 * DAY
"""Wide enough around now to hold a session on each side whatever the holidays."""


@dataclass(frozen=True, slots=True)
class Survey:
    """One series over one span, as it stands at `now` (Unix ms)."""

    instrument: Instrument
    base: Base
    span: Span
    coverage: Coverage
    sessions: Sessions
    recent: Sessions
    known: Span
    now: int
    final_until: int

    @property
    def ground(self) -> Ground:
        """What coverage is measured against."""
        return Ground(self.coverage, self.sessions, self.known, self.now, self.final_until)

    def trailing(self, sessions: int) -> Span | None:
        """From the start of the last few finished sessions to now: what the vendor may still correct."""
        finished = self.recent.day[self.recent.post <= self.final_until]
        if not len(finished):
            return None
        return Span(int(finished[-min(sessions, len(finished))]), self.now)


def survey(
    store: Store | None, calendar: Calendar, instrument: Instrument, base: Base, span: Span, now: int
) -> Survey:
    """Look at one series; `store` None stands for an empty one."""
    recent = calendar.sessions(instrument, Span(now - _AROUND, now + _AROUND))
    return Survey(
        instrument,
        base,
        span,
        fold(store.entries(instrument, base)) if store else Coverage(()),
        calendar.sessions(instrument, span),
        recent,
        calendar.known(instrument),
        now,
        final_until(instrument.asset_class, base, recent, now),
    )


def settled_until(calendar: Calendar, instrument: Instrument, base: Base, now: int) -> int:
    """Bars that start before this instant (Unix ms) can be final at `now`."""
    recent = calendar.sessions(instrument, Span(now - _AROUND, now + _AROUND))
    return final_until(instrument.asset_class, base, recent, now)


def settled_day(calendar: Calendar, instrument: Instrument, now: int) -> int:
    """The end of the last day whose bars are all final: where a backfill ends unless told otherwise."""
    edge = min(settled_until(calendar, instrument, base, now) for base in Base)
    return day_start(edge, instrument.asset_class)
