"""From the vendor's rows to one split or dividend a date, numbers exact. Only stocks have any."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import groupby
from math import prod
from zoneinfo import ZoneInfo

from gapless.adjust.verdicts import Judged, Verdict
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import CorporateAction

_ZONE = ZoneInfo(AssetClass.STOCKS.zone)
_SMALLEST, _LARGEST = Decimal("1e-9"), Decimal("1e9")
"""No share was ever split beyond this; text outside it would also make huge integers."""


@dataclass(frozen=True, slots=True)
class SplitEvent:
    """The splits of one date (`at`: its midnight in UTC ms); each different ratio once, new shares for one old."""

    date: str
    at: int
    ratios: tuple[Fraction, ...]
    ids: tuple[str, ...]

    @property
    def net(self) -> Fraction:
        """All of them after one another: a reverse split that is undone the same day leaves 1."""
        return prod(self.ratios, start=Fraction(1))

    def judged(self, verdict: Verdict, reason: str, ratio: Fraction | None = None) -> Judged:
        """This event with a verdict, by its net ratio unless another is given."""
        ratio = self.net if ratio is None else ratio
        return Judged("split", self.date, self.at, self.ids, verdict, reason, ratio=ratio)


@dataclass(frozen=True, slots=True)
class DividendEvent:
    """The dividends of one ex date (`at`: its midnight in UTC ms); `cash` in dollars a share, in all."""

    date: str
    at: int
    cash: Fraction
    ids: tuple[str, ...]

    def judged(self, verdict: Verdict, reason: str, kept: Fraction = Fraction(1)) -> Judged:
        """This event with a verdict; `kept` is the part of the price that is left after it."""
        return Judged("dividend", self.date, self.at, self.ids, verdict, reason, kept=kept)


def split_events(actions: Iterable[CorporateAction]) -> tuple[list[SplitEvent], list[Judged]]:
    """The splits by date, and the rows that cannot be read. A row listed under several ids counts once."""
    events, unusable = [], []
    for date, rows in _by_date(actions, "split"):
        ratios: dict[Fraction, None] = {}
        ids = []
        for row in rows:
            before, after = _number(row.ratio_from), _number(row.ratio_to)
            if before and after:
                ratios[after / before] = None
                ids.append(row.id)
            else:
                reason = f"`{row.ratio_from}` to `{row.ratio_to}` is not a ratio of shares"
                unusable.append(_unusable(row, reason))
        if ratios:
            events.append(SplitEvent(date, midnight(date), tuple(ratios), tuple(ids)))
    return events, unusable


def dividend_events(actions: Iterable[CorporateAction]) -> tuple[list[DividendEvent], list[Judged]]:
    """The dividends by date, and the rows that cannot be used.

    Different amounts of one date are added up. The same amount twice is one dividend under two ids. An amount
    without a currency is in dollars, as the bars are.
    """
    events, unusable = [], []
    for date, rows in _by_date(actions, "dividend"):
        amounts: dict[Fraction, None] = {}
        ids = []
        for row in rows:
            cash = _number(row.cash)
            if cash is None:
                unusable.append(_unusable(row, f"`{row.cash}` is not an amount of cash"))
            elif row.currency.upper() not in ("", "USD"):
                unusable.append(_unusable(row, f"it is paid in {row.currency}, the bars are in dollars"))
            else:
                amounts[cash] = None
                ids.append(row.id)
        if ids:
            events.append(DividendEvent(date, midnight(date), sum(amounts, Fraction(0)), tuple(ids)))
    return events, unusable


def midnight(date: str) -> int:
    """The instant (UTC ms) at which a date begins where stocks trade."""
    return round(datetime.fromisoformat(date).replace(tzinfo=_ZONE).timestamp()) * 1000


def _by_date(
    actions: Iterable[CorporateAction], kind: str
) -> Iterator[tuple[str, Iterator[CorporateAction]]]:
    def when(action: CorporateAction) -> str:
        return action.date

    return groupby(sorted((a for a in actions if a.kind == kind), key=when), key=when)


def _number(text: str) -> Fraction | None:
    """The exact number that a text states, None where it is none, negative or absurd."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or (number and not _SMALLEST <= number <= _LARGEST):
        return None
    return Fraction(number)


def _unusable(row: CorporateAction, reason: str) -> Judged:
    return Judged(row.kind, row.date, midnight(row.date), (row.id,), Verdict.UNUSABLE, reason)
