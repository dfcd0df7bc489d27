"""One call from corporate actions and raw day bars to the factors, with a verdict on every action."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gapless.adjust.events import dividend_events, split_events
from gapless.adjust.factors import Factors
from gapless.adjust.judging import judge_dividends, judge_splits
from gapless.adjust.verdicts import Judged
from gapless.errors import UsageError
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.steps import CorporateAction


class Adjust(StrEnum):
    """What raw bars are adjusted for."""

    SPLITS = "splits"
    ALL = "all"  # splits and dividends

    @classmethod
    def parse(cls, text: str) -> "Adjust":
        """Read what a person writes.

        Raises:
            UsageError: a word that is neither.
        """
        if text in tuple(cls):
            return cls(text)
        raise UsageError(
            f"`adjust` was `{text}`, which gapless does not know.",
            hint=f"Use one of: {', '.join(cls)}; leave it out for bars as they were traded.",
        )


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The factors of one stock, and every action that was looked at, by date."""

    factors: Factors
    judged: tuple[Judged, ...]

    def doubts(self, since: int) -> tuple[Judged, ...]:
        """What a person should look at before trusting adjusted bars that start at `since` (UTC ms) or later."""
        return tuple(j for j in self.judged if j.verdict.flagged and j.at > since)


def adjustment(
    actions: Collection[CorporateAction],
    days: Batch,
    adjust: Adjust,
    *,
    now: int,
    decisions: Mapping[str, bool] | None = None,
) -> Adjustment:
    """Weigh the actions of one stock and make factors of those that hold.

    `days` are its raw day bars: splits are held against their overnight moves, dividends need the close before.
    The more of its history they hold, the better; without any, splits are taken at the vendor's word. Actions
    dated after `now` (UTC ms; an earlier moment for a view of the past) are not applied. `decisions` overrules
    the verdict on the splits of a date (`YYYY-MM-DD`): True applies them, False leaves them out.

    The factor of a dividend is 1 - cash / close before, as CRSP has it; the vendor's rounded factors are not used.

    Raises:
        UsageError: a decision about a date that has no split.
    """
    events, judged = split_events(actions)
    decisions = decisions or {}
    if strangers := decisions.keys() - {event.date for event in events}:
        raise UsageError(
            f"There is no split on {', '.join(sorted(strangers))} to decide about.",
            hint=f"The splits are of {', '.join(event.date for event in events) or 'no date at all'}.",
        )
    splits = judge_splits(events, days, now, decisions)
    judged += splits
    if adjust is Adjust.ALL:
        payments, unusable = dividend_events(actions)
        judged += unusable + judge_dividends(payments, splits, days, now)
    in_order = tuple(sorted(judged, key=lambda j: (j.at, j.kind)))
    return Adjustment(Factors.of(in_order), in_order)
