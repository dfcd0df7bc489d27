"""Splits against prices written by hand: which are believed, which are not, and why."""

from fractions import Fraction

import pytest

from adjust.making import LATE, days_of, split
from gapless.adjust import Adjust, Judged, Verdict, adjusted, adjustment
from gapless.errors import UsageError
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.steps import CorporateAction
from hand_made_market import bars, ny
from shared_data import batch_of

EVE, DAY = "2024-06-07", "2024-06-10"


def judged(actions: list[CorporateAction], days: Batch) -> tuple[Judged, ...]:
    """The verdicts on splits."""
    return adjustment(actions, days, Adjust.SPLITS, now=LATE).judged


@pytest.mark.parametrize(
    ("before", "after", "opened", "verdict"),
    [
        ("1", "4", 25.5, Verdict.CONFIRMED),
        ("1", "4", 30.0, Verdict.CONFIRMED),  # and good news
        ("1", "4", 101.0, Verdict.CONTRADICTED),  # unmoved
        ("1", "4", 400.0, Verdict.CONTRADICTED),  # moved the other way: the numbers are exchanged
        ("1", "4", 10.0, Verdict.DOUBTFUL),  # moved, and by far more
        ("1", "4", 60.0, Verdict.DOUBTFUL),  # moved by a third of the way
        ("2", "3", 86.0, Verdict.DOUBTFUL),  # moved by a little more than a third of the way
        ("20", "1", 1400.0, Verdict.CONFIRMED),  # a reverse split that nobody liked
        ("20", "1", 1300.0, Verdict.DOUBTFUL),  # a fall by a third besides
        ("20", "1", 98.0, Verdict.CONTRADICTED),
        ("3", "4", 76.0, Verdict.CONFIRMED),
        ("3", "4", 100.0, Verdict.CONTRADICTED),
        ("1", "1.05", 100.0, Verdict.TAKEN),  # a night moves as much
        ("1", "1.05", 40.0, Verdict.DOUBTFUL),  # no night does
    ],
)
def test_a_split_is_held_against_the_night(before: str, after: str, opened: float, verdict: Verdict) -> None:
    """The close before was 100."""
    (found,) = judged([split(DAY, before, after)], days_of({EVE: 100.0, DAY: opened}))

    assert found.verdict is verdict
    assert found.ratio == Fraction(after) / Fraction(before)
    assert found.verdict.applied is (verdict is not Verdict.CONTRADICTED)


def test_what_the_prices_contradict_changes_no_bar() -> None:
    """Until a person decides that it should, and then it does."""
    days = days_of({EVE: 100.0, DAY: 101.0})
    action = split(DAY, "1", "4")

    doubted = adjustment([action], days, Adjust.SPLITS, now=LATE)
    chosen = adjustment([action], days, Adjust.SPLITS, now=LATE, decisions={DAY: True})
    declined = adjustment(
        [action], days_of({EVE: 100.0, DAY: 25.0}), Adjust.SPLITS, now=LATE, decisions={DAY: False}
    )

    assert adjusted(days, doubted.factors) is days
    assert adjusted(days, chosen.factors).close.tolist() == [25.0, 101.0]
    assert adjusted(days, declined.factors) is days
    assert [len(outcome.doubts(0)) for outcome in (doubted, chosen, declined)] == [1, 0, 0]


def test_a_doubt_about_later_bars_only_is_no_doubt() -> None:
    """A read that starts on or after the day of an action does not depend on it."""
    outcome = adjustment([split(DAY, "1", "4")], days_of({EVE: 100.0, DAY: 101.0}), Adjust.SPLITS, now=LATE)

    assert len(outcome.doubts(ny(DAY) - 1)) == 1
    assert outcome.doubts(ny(DAY)) == ()


def test_one_row_under_two_ids_is_one_split() -> None:
    """Written 1 to 4 in one listing and 2.0 to 8 in another."""
    (found,) = judged([split(DAY, "1", "4", "old"), split(DAY, "2.0", "8", "new")], Batch.empty())

    assert (found.ratio, found.ids) == (Fraction(4), ("old", "new"))


def test_a_reverse_split_that_is_undone_the_same_day_nets_out() -> None:
    """1 for 100, then 100 for 1, to pay out small holders: no bar changes."""
    days = days_of({EVE: 100.0, DAY: 99.0})

    outcome = adjustment([split(DAY, "100", "1"), split(DAY, "1", "100")], days, Adjust.SPLITS, now=LATE)

    assert [(j.ratio, j.verdict) for j in outcome.judged] == [(Fraction(1), Verdict.TAKEN)]
    assert adjusted(days, outcome.factors) is days


def test_a_row_with_its_numbers_exchanged_does_not_undo_the_right_one() -> None:
    """The price says which of the two happened."""
    (found,) = judged([split(DAY, "1", "4"), split(DAY, "4", "1")], days_of({EVE: 100.0, DAY: 25.0}))

    assert (found.ratio, found.verdict) == (Fraction(4), Verdict.DOUBTFUL)


def test_of_two_ratios_for_one_split_the_nearer_is_applied() -> None:
    """1 to 4 in one listing and 1 to 5 in another, and not 1 to 20."""
    (found,) = judged([split(DAY, "1", "5"), split(DAY, "1", "4")], days_of({EVE: 100.0, DAY: 24.5}))

    assert (found.ratio, found.verdict) == (Fraction(4), Verdict.DOUBTFUL)


def test_it_is_the_open_that_tells() -> None:
    """What happens during the day has nothing to do with the split."""
    days = batch_of([(ny(EVE), 90.0, 110.0, 90.0, 100.0, 1e3), (ny(DAY), 25.0, 99.0, 24.0, 98.0, 1e3)])

    (found,) = judged([split(DAY, "1", "4")], days)

    assert found.verdict is Verdict.CONFIRMED


@pytest.mark.parametrize(
    ("before", "after"),
    [("0", "4"), ("1", "0"), ("1", "-4"), ("", "4"), ("one", "4"), ("NaN", "4"), ("1", "1e400")],
)
def test_what_is_no_ratio_is_not_applied(before: str, after: str) -> None:
    """It is flagged with what it says; the right row of the same day counts."""
    odd, right = judged([split(DAY, before, after, "odd"), split(DAY, "1", "4")], Batch.empty())

    assert (odd.verdict, odd.ids) == (Verdict.UNUSABLE, ("odd",))
    assert after in odd.reason
    assert (right.verdict, right.ratio) == (Verdict.TAKEN, Fraction(4))


def test_a_split_that_is_announced_is_not_applied_before_its_day() -> None:
    """At midnight in New York it is."""
    days = days_of({EVE: 100.0})

    def close(now: int) -> float:
        outcome = adjustment([split(DAY, "1", "4")], days, Adjust.SPLITS, now=now)
        return float(adjusted(days, outcome.factors).close[0])

    assert close(ny(DAY) - 1) == 100.0
    assert close(ny(DAY)) == 25.0


def test_day_bars_too_far_apart_prove_nothing() -> None:
    """Eleven days without a bar can hold any move; ten are a night after a long closing."""
    (apart,) = judged([split("2024-06-12", "1", "4")], days_of({"2024-06-01": 100.0, "2024-06-12": 100.0}))
    (near,) = judged([split("2024-06-12", "1", "4")], days_of({"2024-06-02": 100.0, "2024-06-12": 100.0}))

    assert (apart.verdict, near.verdict) == (Verdict.TAKEN, Verdict.CONTRADICTED)


@pytest.mark.parametrize(
    ("first_day", "second_day", "verdicts"),
    [
        (50.0, 25.0, [Verdict.CONFIRMED, Verdict.CONFIRMED]),
        (50.0, 50.0, [Verdict.CONFIRMED, Verdict.DUPLICATE]),
        (100.0, 50.0, [Verdict.DUPLICATE, Verdict.CONFIRMED]),
        (100.0, 100.0, [Verdict.CONTRADICTED, Verdict.CONTRADICTED]),
        (100.0, None, [Verdict.DUPLICATE, Verdict.TAKEN]),
        (50.0, None, [Verdict.CONFIRMED, Verdict.DUPLICATE]),
        (None, None, [Verdict.DUPLICATE, Verdict.TAKEN]),
    ],
)
def test_the_same_ratio_within_days(
    first_day: float | None, second_day: float | None, verdicts: list[Verdict]
) -> None:
    """The prices tell which of two equal rows are true; where they are silent it is one split."""
    closes = {"2024-06-07": 100.0, "2024-06-10": first_day, "2024-06-14": first_day, "2024-06-17": second_day}
    days = days_of({date: close for date, close in closes.items() if close is not None})

    found = judged([split("2024-06-10", "1", "2"), split("2024-06-17", "1", "2")], days)

    assert [j.verdict for j in found] == verdicts


def test_a_person_decides_which_of_two_listings_is_the_split() -> None:
    """The other one is then the duplicate."""
    rows = [split("2024-06-10", "1", "2"), split("2024-06-17", "1", "2")]

    outcome = adjustment(rows, Batch.empty(), Adjust.SPLITS, now=LATE, decisions={"2024-06-10": True})

    assert [j.verdict for j in outcome.judged] == [Verdict.CHOSEN, Verdict.DUPLICATE]


def test_a_decision_about_no_split_is_refused() -> None:
    """A mistyped date would otherwise decide nothing."""
    with pytest.raises(UsageError, match="no split on 2024-06-11") as caught:
        adjustment(
            [split(DAY, "1", "4")], Batch.empty(), Adjust.SPLITS, now=LATE, decisions={"2024-06-11": True}
        )
    assert DAY in caught.value.hint


def test_the_same_ratio_much_later_is_another_split() -> None:
    """Sixteen days are enough."""
    found = judged([split("2024-06-01", "1", "2"), split("2024-06-17", "1", "2")], Batch.empty())

    assert [j.verdict for j in found] == [Verdict.TAKEN, Verdict.TAKEN]


@pytest.mark.parametrize("date", ["2024-01-10", "2024-07-10"])
def test_a_split_begins_at_midnight_in_new_york(date: str) -> None:
    """Winter and summer: the last minute before is on the old basis, the day bar of the date on the new one."""
    midnight = ny(date)
    factors = adjustment([split(date, "1", "10")], Batch.empty(), Adjust.SPLITS, now=LATE).factors

    out = adjusted(bars([midnight - 60_000, midnight]), factors)

    assert out.close.tolist() == [0.1, 1.0]
    assert out.volume.tolist() == [10.0, 1.0]
    assert out.trades.tolist() == [1, 1]


def test_a_long_row_of_odd_ratios_does_not_overflow() -> None:
    """A hundred stock dividends of 3.45678 %: exact as a fraction, and still a number at the end."""
    actions = [split(f"{1900 + year}-06-10", "1", "1.0345678") for year in range(100)]
    factors = adjustment(actions, Batch.empty(), Adjust.SPLITS, now=LATE).factors

    out = adjusted(bars([ny("1899-01-03")]), factors)

    assert out.volume[0] == pytest.approx(1.0345678**100, rel=1e-12)


def test_what_to_adjust_for_is_one_of_two_words() -> None:
    """Another one is refused with the words that are known."""
    assert Adjust.parse("splits") is Adjust.SPLITS
    assert Adjust.parse("all") is Adjust.ALL
    with pytest.raises(UsageError, match="`dividends`") as caught:
        Adjust.parse("dividends")
    assert "splits, all" in caught.value.hint
