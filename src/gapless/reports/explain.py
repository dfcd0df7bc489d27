"""What is known of one instant: here is the bar, nothing traded, closed, or missing and why. Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gapless.ledger import Piece
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Entry, Outcome, Wish
from gapless.vocabulary.timeframe import Base, Timeframe


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict on one instant, in words and as data.

    `verdict` is one of: bar, provisional, no trade, closed, empty, missing, unknown. Instants in Unix ms.
    """

    symbol: str
    base: Base
    timeframe: str
    instant: int
    verdict: str
    sentences: tuple[str, ...]
    outcome: str = ""
    reason: str = ""
    recorded: int | None = None
    due: int | None = None
    request_id: str = ""
    digest: str = ""
    run_id: str = ""


def explain(
    wish: Wish, instant: int, piece: Piece | None, bar: Batch, sessions: Sessions, known: Span
) -> Explanation:
    """Say what is known of `instant`.

    Args:
        wish: the series; its base is what is explained.
        instant: the start of the bar in question, Unix ms.
        piece: the ledger's word on it, None where nobody ever asked.
        bar: the stored bar that starts there, empty where there is none.
        sessions: those of the trading day at least.
        known: where the calendar can tell.
    """
    base = wish.timeframe.base
    verdict, sentence = _verdict(base, instant, piece, bar, sessions, known)
    if piece is None or verdict == "closed":
        return Explanation(wish.instrument.ticker, base, base, instant, verdict, (sentence,))
    entry = piece.entry
    return Explanation(
        wish.instrument.ticker,
        base,
        base,
        instant,
        verdict,
        (sentence, *_evidence(entry)),
        entry.outcome.value,
        entry.reason,
        entry.recorded,
        entry.due,
        entry.request_id,
        entry.digest,
        entry.run_id,
    )


def made_of(base: Explanation, frame: Timeframe, bars: Batch, *, final: bool) -> Explanation:
    """What is known of a derived bar: its numbers, or where `bars` is empty what is known of the `base` bar there."""
    if not len(bars):
        silent = f"There is no {frame} bar around it: none of its {base.base} bars is there."
        return replace(base, sentences=(*base.sentences, silent))
    verdict, sentence = _row(bars, final=final)
    made = f"It is made of the {base.base} bars of its window."
    return Explanation(base.symbol, base.base, frame.name, int(bars.ts[0]), verdict, (sentence, made))


def _row(bar: Batch, *, final: bool) -> tuple[str, str]:
    row = f"open {bar.open[0]:g}, high {bar.high[0]:g}, low {bar.low[0]:g}, close {bar.close[0]:g}"
    if final:
        return "bar", f"There is a final bar: {row}, volume {bar.volume[0]:g}."
    return "provisional", f"There is a bar that can still change: {row}, volume {bar.volume[0]:g}."


def _verdict(
    base: Base, instant: int, piece: Piece | None, bar: Batch, sessions: Sessions, known: Span
) -> tuple[str, str]:
    outcome = piece.entry.outcome if piece else None
    if len(bar):
        return _row(bar, final=outcome is Outcome.BARS)
    if instant in known and instant not in sessions.trading(base):
        return _SILENT[Outcome.CLOSED]
    if piece is None and instant not in known:
        return "unknown", "Nobody asked yet, and the calendar does not reach here."
    return _SILENT.get(outcome, ("missing", "The market was open, and what happened is not known yet."))


_SILENT: dict[Outcome | None, tuple[str, str]] = {
    Outcome.BARS: (
        "no trade",
        "No trade: the vendor's bars around this instant are complete, and it has none here.",
    ),
    Outcome.EMPTY: ("empty", "The vendor has no bars here; it was asked more than once."),
    Outcome.CLOSED: ("closed", "The market was closed."),
    Outcome.PROVISIONAL: (
        "missing",
        "No bar yet: this stretch was read before it had settled, and is read again.",
    ),
}


def _evidence(entry: Entry) -> list[str]:
    recorded = _utc(entry.recorded)
    source = f", request {entry.request_id}" if entry.request_id else ""
    said = [f"Recorded as `{entry.outcome}` on {recorded} by run {entry.run_id or 'unknown'}{source}."]
    if entry.reason:
        said.append(f"Reason: {entry.reason}.")
    if not entry.outcome.covers:
        when = f"not before {_utc(entry.due)}" if entry.due else "with the next run"
        said.append(f"It is tried again {when}.")
    return said


def _utc(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
