"""What becomes of a corporate action: a verdict, its reason, and what it does to the bars before it."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Verdict(StrEnum):
    """Whether an action is applied, and on whose word."""

    CONFIRMED = "confirmed"  # the raw prices moved as it says
    TAKEN = "taken"  # nothing to hold it against: the vendor's word
    CHOSEN = "chosen"  # a person said so
    DOUBTFUL = "doubtful"  # applied, and worth a look
    CONTRADICTED = "contradicted"  # the raw prices say that it did not happen
    DUPLICATE = "duplicate"  # the same split, listed for another day
    UNUSABLE = "unusable"  # no factor can be made of it
    DECLINED = "declined"  # a person said so
    AHEAD = "ahead"  # announced for a day that has not come

    @property
    def applied(self) -> bool:
        """Whether the bars before it are adjusted."""
        return self in (Verdict.CONFIRMED, Verdict.TAKEN, Verdict.CHOSEN, Verdict.DOUBTFUL)

    @property
    def flagged(self) -> bool:
        """Whether a person should look at it."""
        return self in (Verdict.DOUBTFUL, Verdict.CONTRADICTED, Verdict.DUPLICATE, Verdict.UNUSABLE)


@dataclass(frozen=True, slots=True)
class Judged:
    """The splits, or the dividends, of one date: applied or not, and why.

    `kind` is `split` or `dividend`, `date` the execution or ex date, `at` its midnight in New York (UTC ms): a
    bar that starts at or after it is on the new basis. `ratio` is new shares for one old share; `kept` is the
    part of the price that is left after the dividend. Both are exact, and 1 where they do not apply.
    """

    kind: str
    date: str
    at: int
    ids: tuple[str, ...]
    verdict: Verdict
    reason: str
    ratio: Fraction = Fraction(1)
    kept: Fraction = Fraction(1)
