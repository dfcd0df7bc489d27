"""Questions about what is there: how complete, what is missing, what is known of one bar."""

from collections.abc import Iterable, Iterator

from gapless.app.planning import Desk
from gapless.app.reading import Reader
from gapless.app.survey import Survey, survey
from gapless.frames import Piece
from gapless.ports import Store
from gapless.reports import Explanation, Ground, SeriesStatus, explain, gaps_of, made_of, status_of
from gapless.resample import aligned
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Gap, Wish, wished
from gapless.vocabulary.timeframe import Base, Timeframe


def statuses(desk: Desk, store: Store, wishes: Iterable[Wish]) -> list[SeriesStatus]:
    """How complete each wish is."""
    # Timeframes of one base are the same bars over the same span: they are counted once.
    counted: dict[tuple[Instrument, Base, Span], tuple[Ground, int, int]] = {}
    found = []
    for wish in wishes:
        key = wish.instrument, wish.timeframe.base, wish.span
        if key not in counted:
            counted[key] = _count(desk, store, wish)
        ground, bars, final = counted[key]
        found.append(status_of(wish, ground, bars=bars, provisional=bars - final))
    return found


def _count(desk: Desk, store: Store, wish: Wish) -> tuple[Ground, int, int]:
    """What a wish is measured against, how many bars are stored for it, and how many of them are final."""
    found = _survey(desk, wish)
    instrument, base, wanted = wish.instrument, wish.timeframe.base, SpanSet([wish.span])
    bars = store.count(instrument, base, wanted)
    return found.ground, bars, store.count(instrument, base, wanted & found.coverage.covered)


def gaps(desk: Desk, wishes: Iterable[Wish]) -> Iterator[Gap]:
    """Every stretch of the wishes that is missing, once for each base."""
    for (instrument, base), spans in wished(wishes).items():
        for span in spans:
            ground = survey(desk.store, desk.calendar, instrument, base, span, desk.now).ground
            yield from gaps_of(instrument, base, span, ground)


def explained(
    desk: Desk, reader: Reader, instrument: Instrument, frame: Timeframe, instant: int
) -> Explanation:
    """What is known of the bar around this instant (Unix ms); of the base bar there where no derived one is."""
    around = Span(instant, instant + 1)
    base = Timeframe.parse(frame.base)
    wish = Wish(instrument, base, aligned(around, base, instrument.asset_class))
    with reader.store.moment():
        found, at = _survey(desk, wish), wish.span.start
        bar = reader.store.read(instrument, base.base, wish.span)
        said = explain(wish, at, found.coverage.at(at), bar, found.sessions, found.known)
        window = aligned(around, frame, instrument.asset_class)
        made = reader.read(Piece(instrument.ticker, frame.name, window)) if frame.derived else None
    return made_of(said, frame, made.batch, final=bool(made.final.all())) if made else said


def _survey(desk: Desk, wish: Wish) -> Survey:
    return survey(desk.store, desk.calendar, wish.instrument, wish.timeframe.base, wish.span, desk.now)
