"""Dividends against closes written by hand: what is taken off, and what cannot be."""

from fractions import Fraction

import pytest

from adjust.making import LATE, days_of, dividend, split
from gapless.adjust import Adjust, Judged, Verdict, adjusted, adjustment
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.steps import CorporateAction

EVE, EX = "2024-05-09", "2024-05-10"
DAYS = days_of({EVE: 100.0, EX: 99.0})


def judged(actions: list[CorporateAction], days: Batch = DAYS) -> tuple[Judged, ...]:
    """The verdicts on splits and dividends."""
    return adjustment(actions, days, Adjust.ALL, now=LATE).judged


def test_a_dividend_is_taken_off_the_close_before() -> None:
    """2 of 100: the day before loses two hundredths, volume and the ex date stay."""
    out = adjusted(DAYS, adjustment([dividend(EX, "2")], DAYS, Adjust.ALL, now=LATE).factors)

    assert out.close.tolist() == [98.0, 99.0]
    assert out.volume.tolist() == DAYS.volume.tolist()


def test_dividends_are_left_alone_when_only_splits_are_asked_for() -> None:
    """Not a bar changes, and none of them is judged."""
    outcome = adjustment([dividend(EX, "2")], DAYS, Adjust.SPLITS, now=LATE)

    assert outcome.judged == ()
    assert adjusted(DAYS, outcome.factors) is DAYS


def test_amounts_of_one_date_are_added_up_and_listings_are_not() -> None:
    """A regular and a special dividend; the regular one is listed twice, once as 2 and once as 2.00."""
    rows = [dividend(EX, "2", "regular"), dividend(EX, "2.00", "regular again"), dividend(EX, "5", "special")]

    (found,) = judged(rows)

    assert found.kept == Fraction(93, 100)
    assert found.ids == ("regular", "regular again", "special")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (dividend(EX, "2", currency="CAD"), "CAD"),
        (dividend(EX, "two"), "`two`"),
        (dividend(EX, "-2"), "`-2`"),
        (dividend(EX, "100"), "not less than the close before"),
        (dividend(EVE, "2"), "no day bar before"),
    ],
)
def test_a_dividend_without_a_factor_is_flagged(row: CorporateAction, words: str) -> None:
    """And changes no bar."""
    outcome = adjustment([row], DAYS, Adjust.ALL, now=LATE)

    assert [(j.verdict, j.kept) for j in outcome.judged] == [(Verdict.UNUSABLE, Fraction(1))]
    assert words in outcome.judged[0].reason
    assert adjusted(DAYS, outcome.factors) is DAYS


def test_a_dividend_of_no_named_currency_is_in_dollars() -> None:
    """The older listing names none."""
    (found,) = judged([dividend(EX, "2", currency="")])

    assert (found.verdict, found.kept) == (Verdict.TAKEN, Fraction(98, 100))


def test_a_dividend_to_come_changes_nothing() -> None:
    """Its ex date is after the moment that is asked about."""
    outcome = adjustment([dividend("2026-06-12", "2")], DAYS, Adjust.ALL, now=LATE)

    assert [j.verdict for j in outcome.judged] == [Verdict.AHEAD]


def test_a_dividend_on_the_day_of_a_split_is_for_new_shares() -> None:
    """4 for 1 and 0.5 a share: 2 of the 100 that an old share cost; the assumption is flagged."""
    days = days_of({EVE: 100.0, EX: 24.5})

    found, _ = outcome = judged([split(EX, "1", "4"), dividend(EX, "0.5")], days)

    assert (found.kind, found.verdict, found.kept) == ("dividend", Verdict.DOUBTFUL, Fraction(98, 100))
    assert outcome[1].verdict is Verdict.CONFIRMED


def test_an_old_close_is_a_doubtful_one() -> None:
    """The last close before is eleven days old."""
    (found,) = judged([dividend("2024-05-20", "2")], days_of({EVE: 100.0, "2024-05-20": 99.0}))

    assert (found.verdict, found.kept) == (Verdict.DOUBTFUL, Fraction(98, 100))
    assert "11 days" in found.reason
