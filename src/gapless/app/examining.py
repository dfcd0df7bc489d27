"""Quality: stored bars go through every rule, a quarter at a time."""

from collections.abc import Iterator, Sequence

from gapless.adjust import split_events
from gapless.app.planning import Desk
from gapless.ports import Store
from gapless.quality import CONTEXT, Flag, Subject, examine, shared_holes
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base

_QUARTER = 92 * DAY


def flags(desk: Desk, store: Store, instruments: Sequence[Instrument], span: Span) -> Iterator[Flag]:
    """What is odd about the stored bars of these instruments inside `span`, by quarter, instrument and time."""
    for quarter in span.pieces(_QUARTER):
        for instrument in instruments:
            yield from sorted(examine(_subject(desk, store, instrument, quarter)))
        subjects = (_subject(desk, store, instrument, quarter) for instrument in instruments)
        yield from sorted(shared_holes(subjects))


def _subject(desk: Desk, store: Store, instrument: Instrument, span: Span) -> Subject:
    around = {base: Span(span.start - reach, span.end + reach) for base, reach in CONTEXT.items()}
    splits, _ = split_events(store.actions(instrument.ticker))
    return Subject(
        instrument,
        span,
        _final(store, instrument, Base.MINUTE, around[Base.MINUTE]),
        _final(store, instrument, Base.DAY, around[Base.DAY]),
        desk.calendar.sessions(instrument, around[Base.DAY]),
        [(split.at, split.net) for split in splits],
    )


def _final(store: Store, instrument: Instrument, base: Base, span: Span) -> Batch:
    """A day still in the making differs from its minutes by when each was read, which is nothing odd."""
    with store.moment():
        bars, covered = store.read(instrument, base, span), store.covered(instrument, base)
    return Batch.concat(bars.between(known) for known in covered.clip(span))
