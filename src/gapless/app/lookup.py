"""Bars for a reader: which ones are meant, what is missing among them, and what happens then."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from gapless.app.instants import When, iso, parse_instant, span_between, typed
from gapless.app.reading import Reader, final_until
from gapless.app.side_by_side import side_by_side
from gapless.app.survey import settled_day, settled_until
from gapless.errors import BarsMissing, BarsMissingWarning, DoubtfulAdjustmentWarning, NotStored, UsageError
from gapless.frames import Bars, Piece, SymbolBars
from gapless.reports import Ground, gaps_of
from gapless.resample import aligned
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Gap, Outcome, Wish
from gapless.vocabulary.timeframe import DAY, Base, Timeframe

_NAMED = 3
"""So many gaps are named in an error, the others counted."""

_SETTLED = 2 * DAY
"""Longer than any trading day takes to settle: what ended so long ago is judged without loading the calendar."""
_LONG = 365 * DAY
"""Of minutes of all symbols together: for less the threads would cost more than they bring."""
_UNASKED = "unasked"
"""The outcome of a gap that nobody ever asked for."""
_TO_ASK = (_UNASKED, Outcome.PROVISIONAL)
"""What a repair may leave alone: it goes as far as was wished for, and without an end to the last settled day."""


class OnGap(StrEnum):
    """What happens when bars are missing that were asked for."""

    RAISE = "raise"
    WARN = "warn"
    MARK = "mark"
    FETCH = "fetch"

    @classmethod
    def parse(cls, text: str) -> "OnGap":
        """Read what a person writes.

        Raises:
            UsageError: a word that is none of these.
        """
        if text in tuple(cls):
            return cls(text)
        raise UsageError(f"`on_gap` was `{text}`.", hint=f"Use one of: {', '.join(cls)}.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one call asks for. Without dates: all that is stored or was ever asked for."""

    instruments: tuple[Instrument, ...]
    timeframe: Timeframe
    start: When | None
    end: When | None
    many: bool


@dataclass(frozen=True, slots=True)
class Remedy:
    """What gets missing bars: a backfill of `span`, or without one a repair of what was asked for already."""

    symbols: tuple[str, ...]
    timeframe: str
    span: Span | None

    @property
    def command(self) -> str:
        """The same as a person types it."""
        if self.span is None:
            return f"gapless repair {' '.join(self.symbols)}"
        reach = f"--start {typed(self.span.start)} --end {typed(self.span.end)}"
        return f"gapless backfill {' '.join(self.symbols)} -t {self.timeframe} {reach}"


Fetch = Callable[[Sequence[Remedy]], str]
"""Carries remedies out; returns why the run ended early, `""` where it did not."""


def look_up(asked: Asked, reader: Reader, on_gap: OnGap, fetch: Fetch) -> Bars:
    """The bars that start inside what was asked for.

    Raises:
        BarsMissing: some are not there, and `on_gap` says raise; or `fetch` could not get them.
        UsageError: nothing is stored and no start was given; or the past is to be fetched.
    """
    if on_gap is OnGap.FETCH and reader.view.as_of is not None:
        raise UsageError(
            "What was not there at `as_of` cannot be fetched any more.",
            hint='Leave `as_of` out, or use on_gap="mark".',
        )
    found, ended = _read(asked, reader), ""
    if found.gaps and on_gap is OnGap.FETCH:
        ended = fetch(_remedies(asked, reader, found.gaps))
        fresh = Reader(reader.store, reader.calendar, reader.view, reader.now)
        found = _read(asked, fresh)
    if found.gaps and on_gap in (OnGap.RAISE, OnGap.FETCH):
        raise _missing(found.gaps, _remedies(asked, reader, found.gaps), ended)
    if found.gaps and on_gap is OnGap.WARN:
        warnings.warn(BarsMissingWarning(str(_missing(found.gaps, ()))), stacklevel=3)
    for words in _doubts(found, asked, reader):
        warnings.warn(DoubtfulAdjustmentWarning(words), stacklevel=3)
    return found


def _doubts(found: Bars, asked: Asked, reader: Reader) -> Iterator[str]:
    """What a person should look at before trusting adjusted bars."""
    shown = [i for part, i in zip(found.parts, asked.instruments, strict=True) if len(part.batch)]
    if unread := {instrument.ticker: kinds for instrument in shown if (kinds := reader.unread(instrument))}:
        what = " and ".join(f"{kind}s" for kind in dict.fromkeys(chain(*unread.values())))
        yield (
            f"The {what} of {', '.join(unread)} were never read whole, so these bars may be as they were traded."
            f" `gapless repair {' '.join(unread)}` reads them."
        )
    for part, instrument in zip(found.parts, asked.instruments, strict=True):
        if len(part.batch) and (doubts := reader.doubts(instrument, int(part.batch.ts[0]))):
            first, more = doubts[0], len(doubts) - 1
            yield (
                f"{instrument}: the {first.kind} of {first.date} is {first.verdict}: {first.reason}"
                + (f"; and {more} more" if more else "")
                + f'. `judged("{instrument}")` lists them.'
            )


def _read(asked: Asked, reader: Reader) -> Bars:
    """What is there and what is missing, both of one moment."""
    with reader.store.moment():
        return _found(asked, reader)


def _found(asked: Asked, reader: Reader) -> Bars:
    base = reader.base(asked.timeframe)
    spans = [_spans(asked, instrument, reader) for instrument in asked.instruments]
    parts = _parts(asked, [span for span, _ in spans], reader)
    gaps, settled = list[Gap](), []
    for instrument, (_, proven) in zip(asked.instruments, spans, strict=True):
        edge = _settled(instrument, base, proven.end, reader, given=asked.end is not None)
        gaps += _gaps(instrument, base, proven, edge, reader)
        # The bar whose window is still open there is not final.
        settled.append(aligned(Span(edge, edge + 1), asked.timeframe, instrument.asset_class).start)
    return Bars(asked.timeframe.name, tuple(parts), asked.many, tuple(gaps), final_until(parts, min(settled)))


def _parts(asked: Asked, spans: Sequence[Span], reader: Reader) -> list[SymbolBars]:
    """The bars of each instrument; of long spans they are unpacked and derived while the next ones are fetched."""
    pieces = [
        Piece(instrument.ticker, asked.timeframe.name, span)
        for instrument, span in zip(asked.instruments, spans, strict=True)
    ]
    begun = (reader.begin(piece) for piece in pieces)
    long = reader.base(asked.timeframe) is Base.MINUTE and sum(span.length for span in spans) > _LONG
    return side_by_side(begun) if long and len(pieces) > 1 else [rest() for rest in begun]


def _spans(asked: Asked, instrument: Instrument, reader: Reader) -> tuple[Span, Span]:
    """Where the bars start that are meant, and the time that has to be covered for them to be whole.

    Raises:
        UsageError: nothing is stored and no start was given, or the dates are the wrong way round.
    """
    frame, base = asked.timeframe, reader.base(asked.timeframe)
    held = reader.held(instrument, base) if None in (asked.start, asked.end) else None
    if asked.start is None and held is None:
        raise NotStored(
            f"No {base} bars of {instrument} are stored.",
            hint=f"`gapless backfill {instrument} -t {frame} --start ...` first, or give a start.",
        )
    # What was asked for may end before the start that is given: then the question is of all since.
    first, until = (held.start, held.end) if held else (0, reader.now)
    if asked.start is not None:
        first = parse_instant(asked.start, instrument.asset_class, now=reader.now, param="start")
        until = until if first < until else reader.now
    if first >= until:
        raise UsageError(f"`start` is {iso(first)}, which is in the future.", hint="Give an earlier date.")
    meant = span_between(asked.start, asked.end, Span(first, until), instrument.asset_class, now=reader.now)
    if meant is None:
        raise UsageError(f"`end` is before {iso(first)}, where {instrument} begins.", hint="Give a start.")
    windows = aligned(meant, frame, instrument.asset_class)
    # The last window reaches beyond an end that is given; one that is not given cuts it.
    proven = meant if asked.end is None else Span(meant.start, windows.end)
    start = windows.start if asked.start is None else meant.start
    end = windows.end if asked.end is None else meant.end
    return Span(start, end), proven


def missing(meant: Wish, reader: Reader, *, given: bool) -> Sequence[Gap]:
    """What is missing of bars that can be final by now; `given`: somebody named the end of what is meant."""
    instrument, base = meant.instrument, reader.base(meant.timeframe)
    with reader.store.moment():
        edge = _settled(instrument, base, meant.span.end, reader, given=given)
        return _gaps(instrument, base, meant.span, edge, reader)


def _settled(instrument: Instrument, base: Base, end: int, reader: Reader, *, given: bool) -> int:
    """As far as `end` (Unix ms), up to where bars can be final by now.

    Where nobody gave that end, up to the last day whose bars all can: there a backfill without one ends as well,
    and what an update read since does not make the minutes after it missing.
    """
    if end <= reader.moment - _SETTLED:
        return end
    if not given:
        return min(end, settled_day(reader.calendar, instrument, reader.moment))
    return min(end, settled_until(reader.calendar, instrument, base, reader.moment))


def _gaps(instrument: Instrument, base: Base, span: Span, settled: int, reader: Reader) -> Sequence[Gap]:
    """What is missing of bars that can be final by now."""
    if settled <= span.start:
        return ()
    span = Span(span.start, min(span.end, settled))
    if reader.covered(instrument, base).covers(span):
        return ()
    ground = Ground(
        reader.coverage(instrument, base),
        reader.sessions(instrument, span),
        reader.calendar.known(instrument),
        reader.moment,
        settled,
    )
    return gaps_of(instrument, base, span, ground)


def _remedies(asked: Asked, reader: Reader, gaps: Sequence[Gap]) -> list[Remedy]:
    """A backfill of what was never asked for, or too early, and a repair of all else that is to be had."""
    if reader.view.as_of is not None:
        return []
    base, remedies = reader.base(asked.timeframe), []
    frame = asked.timeframe.name if asked.timeframe.base == base else base
    if new := [gap for gap in gaps if gap.outcome in _TO_ASK]:
        span = Span(min(gap.start for gap in new), max(gap.end for gap in new))
        remedies.append(Remedy(_symbols(new), frame, span))
    if old := [gap for gap in gaps if gap.outcome not in (*_TO_ASK, Outcome.REFUSED)]:
        remedies.append(Remedy(_symbols(old), frame, None))
    return remedies


def _symbols(gaps: Iterable[Gap]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(gap.symbol for gap in gaps))


def _missing(gaps: Sequence[Gap], remedies: Sequence[Remedy], ended: str = "") -> BarsMissing:
    named = "; ".join(
        f"{gap.symbol} {gap.base} {iso(gap.start)} to {iso(gap.end)} ({gap.reason})" for gap in gaps[:_NAMED]
    )
    more = f"; and {len(gaps) - _NAMED} more" if len(gaps) > _NAMED else ""
    head = f"{len(gaps)} stretches are missing" if len(gaps) > 1 else "A stretch is missing"
    why = f" The run that was to fetch them ended early: {ended}" if ended else ""
    commands = " and ".join(f"`{remedy.command}`" for remedy in remedies)
    cure = f"{commands} to fetch them" if commands else "Nothing can fetch them: give other dates"
    return BarsMissing(
        f"{head}: {named}{more}.{why}",
        gaps=tuple(gaps),
        hint=f'{cure}, or on_gap="mark" for what is there.',
    )
