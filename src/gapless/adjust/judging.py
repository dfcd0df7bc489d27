"""Corporate actions held against the raw day bars: what the prices contradict is not believed.

A split says by how much the price of a share moves overnight. Three traps make that worth a look: bars that
somebody adjusted already, rows that are listed twice, and rows that are wrong.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise
from math import log, prod

from gapless.adjust.events import DividendEvent, SplitEvent
from gapless.adjust.verdicts import Judged, Verdict
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.timeframe import DAY

_LONGEST_BREAK = 10 * DAY
"""Two day bars further apart say nothing about one night. The longest closing since 1950 was a week."""
_TWINS = 15 * DAY
"""The same ratio twice within this time is more likely one split, listed by record and by execution date."""
_SMALLEST_TOLD = log(1.2)
"""A smaller split moves the price by no more than news do overnight, and proves nothing."""
_UNMOVED = 0.25
"""A price that made less than this part of the way (on a log scale) did not split. Far below one half, because
the vendor is right more often than not."""
_HALFWAY = 0.5
_OFF = log(1.5)
"""Short of half the way, or further than this from its end, something else moved the price as well."""
_WEIGHT = {
    Verdict.CONTRADICTED: 0,
    Verdict.TAKEN: 1,
    Verdict.DOUBTFUL: 1,
    Verdict.CONFIRMED: 2,
    Verdict.CHOSEN: 2,
}
"""Which of two equal splits is the true one."""


def judge_splits(
    events: Iterable[SplitEvent], days: Batch, now: int, decisions: Mapping[str, bool]
) -> list[Judged]:
    """A verdict for each split, by date. `days` are raw day bars; `decisions` says of dates what a person chose."""
    judged = [_judge_split(event, days, now, decisions) for event in events]
    twins = _twins(judged)
    return [_duplicate(split) if split.at in twins else split for split in judged]


def _judge_split(event: SplitEvent, days: Batch, now: int, decisions: Mapping[str, bool]) -> Judged:
    if event.at > now:
        return event.judged(Verdict.AHEAD, "its day has not come")
    if event.date in decisions:
        verdict = Verdict.CHOSEN if decisions[event.date] else Verdict.DECLINED
        return event.judged(verdict, "as decided")
    opened = _opened(days, event.at)
    if opened is None:
        return event.judged(Verdict.TAKEN, "there are no day bars around it to hold it against")
    ratio = _fitting(event, opened)
    if ratio != event.net:
        reason = f"of several ratios on this date {_words(ratio)} fits best: {_seen(opened)}"
        return event.judged(Verdict.DOUBTFUL, reason, ratio)
    return event.judged(*_against(ratio, opened))


def _opened(days: Batch, at: int) -> float | None:
    """The first open from an instant on, as a part of the last close before it; None where they are no pair."""
    after = int(days.ts.searchsorted(at))
    if not 0 < after < len(days) or days.ts[after] - days.ts[after - 1] > _LONGEST_BREAK:
        return None
    close, opening = float(days.close[after - 1]), float(days.open[after])
    return opening / close if close > 0 and opening > 0 else None


def _fitting(event: SplitEvent, opened: float) -> Fraction:
    """The net ratio of a date, unless the price fits one of several and not the net.

    A row may be there a second time with its numbers exchanged; together they would cancel each other out.
    """
    nearest = min(event.ratios, key=lambda ratio: _off(ratio, opened))
    return nearest if _off(nearest, opened) <= _OFF < _off(event.net, opened) else event.net


def _off(ratio: Fraction, opened: float) -> float:
    """How far from where a split puts it the price opened, on a log scale."""
    return abs(log(opened) + log(ratio))


def _against(ratio: Fraction, opened: float) -> tuple[Verdict, str]:
    """A verdict on one ratio from where the price opened, and its reason."""
    due, moved = -log(ratio), log(opened)
    if abs(due) < _SMALLEST_TOLD:
        if _off(ratio, opened) <= _OFF:
            return Verdict.TAKEN, "it moves the price too little to be told from an ordinary night"
        return Verdict.DOUBTFUL, f"{_words(ratio)} does not explain {_seen(opened)}"
    if moved / due < _UNMOVED:
        reason = f"{_seen(opened)}, {_words(ratio)} would make it {1 / float(ratio):.4g}"
        return Verdict.CONTRADICTED, f"{reason}: there was no such split, or the bars are adjusted already"
    if moved / due < _HALFWAY or _off(ratio, opened) > _OFF:
        return Verdict.DOUBTFUL, f"{_seen(opened)}, {_words(ratio)} would make it {1 / float(ratio):.4g}"
    return Verdict.CONFIRMED, _seen(opened)


def _seen(opened: float) -> str:
    return f"an open at {opened:.4g} of the close before"


def _words(ratio: Fraction) -> str:
    return f"{ratio.numerator} for {ratio.denominator}"


def _twins(judged: Collection[Judged]) -> set[int]:
    """Of splits with the same ratio within days, those to leave out (by `at`): one split, listed twice.

    The one that the prices or a person vouch for stays, and both where both have that; where nobody vouches the
    later one does: a date taken for the execution date is early rather than late.
    """
    weighed = [split for split in judged if split.verdict in _WEIGHT]
    out = set()
    for _, group in groupby(sorted(weighed, key=lambda s: (s.ratio, s.at)), key=lambda s: s.ratio):
        for earlier, later in pairwise(group):
            weights = _WEIGHT[earlier.verdict], _WEIGHT[later.verdict]
            if later.at - earlier.at <= _TWINS and weights not in ((0, 0), (2, 2)):
                out.add(later.at if weights[0] > weights[1] else earlier.at)
    return out


def _duplicate(split: Judged) -> Judged:
    reason = f"{_words(split.ratio)} is listed again within {_TWINS // DAY} days, and applied once"
    return replace(split, verdict=Verdict.DUPLICATE, reason=reason)


# -- dividends -----------------------------------------------------------------


def judge_dividends(
    events: Iterable[DividendEvent], splits: Collection[Judged], days: Batch, now: int
) -> list[Judged]:
    """A verdict for each dividend, by date; it takes its cash off the last raw close before (`days`)."""
    refused = max((s.at for s in splits if s.verdict is Verdict.CONTRADICTED), default=0)
    return [_judge_dividend(event, splits, days, now, refused) for event in events]


def _judge_dividend(
    event: DividendEvent, splits: Collection[Judged], days: Batch, now: int, refused: int
) -> Judged:
    if event.at > now:
        return event.judged(Verdict.AHEAD, "its day has not come")
    before = int(days.ts.searchsorted(event.at)) - 1
    if before < 0:
        return event.judged(Verdict.UNUSABLE, "there is no day bar before it to take the cash from")
    since = int(days.ts[before])
    # The cash is for a share of the ex date; the close may still be that of an old share.
    shares = prod(
        (s.ratio for s in splits if s.verdict.applied and since < s.at <= event.at), start=Fraction(1)
    )
    cash, close = event.cash * shares, Fraction(float(days.close[before]))
    if cash >= close:
        reason = f"${float(cash):.6g} are not less than the close before, {float(close):.6g}"
        return event.judged(Verdict.UNUSABLE, reason)
    kept = 1 - cash / close
    if doubt := _doubt(shares, event.at - since, believed=event.at >= refused):
        return event.judged(Verdict.DOUBTFUL, doubt, kept)
    return event.judged(Verdict.TAKEN, f"the close before was {float(close):.6g}", kept)


def _doubt(shares: Fraction, age: int, *, believed: bool) -> str:
    """Why the close before may be the wrong one to hold the cash against, `""` where nothing speaks for it."""
    if shares != 1:
        return "on the day of a split: its cash is taken for new shares"
    if age > _LONGEST_BREAK:
        return f"the last close before it is {age // DAY} days old"
    return "" if believed else "a later split was not believed: cash and close may not mean the same share"
