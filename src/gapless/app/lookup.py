"""Bars for a reader: which ones are meant, what is missing among them, and what happens then."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gapless.app.instants import When, iso, parse_instant, typed
from gapless.app.reading import Reader, final_until
from gapless.app.survey import settled_until
from gapless.errors import BarsMissing, BarsMissingWarning, UsageError
from gapless.frames import Bars, Piece
from gapless.reports import Ground, gaps_of
from gapless.resample import aligned
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Gap
from gapless.vocabulary.timeframe import MINUTE, Timeframe

_NAMED = 3
"""So many gaps are named in an error, the others counted."""


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
    """What one call asks for. Without a start: from the first stored bar; without an end: up to the last one."""

    instruments: tuple[Instrument, ...]
    timeframe: Timeframe
    start: When | None
    end: When | None
    many: bool


def look_up(asked: Asked, reader: Reader, on_gap: OnGap, fetch: Callable[[Asked], None]) -> Bars:
    """The bars that start inside what was asked for.

    Raises:
        BarsMissing: some are not there, and `on_gap` says raise; or `fetch` could not get them.
        UsageError: nothing is stored and no start was given.
    """
    found = _read(asked, reader)
    if found.gaps and on_gap is OnGap.FETCH:
        fetch(asked)
        reader = Reader(
            reader.store, reader.calendar, reader.view, reader.now
        )  # with a new look at the ledger
        found = _read(asked, reader)
    if found.gaps and on_gap in (OnGap.RAISE, OnGap.FETCH):
        raise _missing(asked, found.gaps)
    if found.gaps and on_gap is OnGap.WARN:
        warnings.warn(BarsMissingWarning(str(_missing(asked, found.gaps))), stacklevel=3)
    return found


def _read(asked: Asked, reader: Reader) -> Bars:
    parts, gaps, settled = [], list[Gap](), []
    for instrument in asked.instruments:
        span, proven = _spans(asked, instrument, reader)
        parts.append(reader.read(Piece(instrument.ticker, asked.timeframe.name, span)))
        edge = settled_until(reader.calendar, instrument, reader.base(asked.timeframe), _moment(reader))
        settled.append(min(edge, proven.end))
        gaps += _gaps(instrument, asked.timeframe, proven, edge, reader)
    return Bars(asked.timeframe.name, tuple(parts), asked.many, tuple(gaps), final_until(parts, min(settled)))


def _moment(reader: Reader) -> int:
    return reader.now if reader.view.as_of is None else reader.view.as_of


def _spans(asked: Asked, instrument: Instrument, reader: Reader) -> tuple[Span, Span]:
    """Where the bars start that are meant, and the time that has to be covered for them to be whole.

    Raises:
        UsageError: nothing is stored and no start was given, or the dates are the wrong way round.
    """
    frame, asset_class = asked.timeframe, instrument.asset_class
    hull = reader.hull(instrument, frame)
    if asked.start is None and hull is None:
        raise UsageError(
            f"No {reader.base(frame)} bars of {instrument} are stored.",
            hint=f"`gapless backfill {instrument} -t {frame} --start ...` first, or give a start.",
        )
    stored = hull or Span(reader.now - MINUTE, reader.now)
    whole = aligned(stored, frame, asset_class)
    start = _instant(asked.start, "start", asset_class, reader.now, whole.start)
    end = _instant(asked.end, "end", asset_class, reader.now, max(whole.end, start + MINUTE))
    if end <= start:
        raise UsageError("`end` is not after `start`.", hint="The end is exclusive.")
    span = Span(start, end)
    proven = aligned(span, frame, asset_class).end if asked.end is not None else max(stored.end, start + 1)
    return span, Span(start, proven)


def _instant(when: When | None, param: str, asset_class: AssetClass, now: int, default: int) -> int:
    return default if when is None else parse_instant(when, asset_class, now=now, param=param)


def _gaps(
    instrument: Instrument, frame: Timeframe, span: Span, settled: int, reader: Reader
) -> Sequence[Gap]:
    """What is missing and could be there: what has not settled yet is missing only if it was asked for."""
    if not reader.view.provisional:
        if settled <= span.start:
            return ()
        span = Span(span.start, min(span.end, settled))
    base = reader.base(frame)
    ground = Ground(
        reader.coverage(instrument, base),
        reader.sessions(instrument, span),
        reader.calendar.known(instrument),
        _moment(reader),
        settled,
    )
    return gaps_of(instrument, base, span, ground)


def _missing(asked: Asked, gaps: Sequence[Gap]) -> BarsMissing:
    named = "; ".join(
        f"{gap.symbol} {gap.base} {iso(gap.start)} to {iso(gap.end)} ({gap.reason})" for gap in gaps[:_NAMED]
    )
    more = f"; and {len(gaps) - _NAMED} more" if len(gaps) > _NAMED else ""
    symbols = " ".join(dict.fromkeys(gap.symbol for gap in gaps))
    start, end = min(gap.start for gap in gaps), max(gap.end for gap in gaps)
    command = (
        f"gapless backfill {symbols} -t {asked.timeframe} --start {typed(start)} --end {typed(end)}"
        if any(gap.outcome == "unasked" for gap in gaps)
        else f"gapless repair {symbols}"
    )
    return BarsMissing(
        f"{len(gaps)} stretches are missing: {named}{more}."
        if len(gaps) > 1
        else f"A stretch is missing: {named}.",
        gaps=tuple(gaps),
        hint=f'`{command}` fetches them; on_gap="warn" or "mark" gives what is there.',
    )
