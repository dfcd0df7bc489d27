"""Recorded prices with recorded splits: what is true is applied, what is a trap is recognised."""

import numpy as np
import pytest

from adjust.making import (
    LATE,
    aapl_splits,
    already_adjusted_aapl,
    daily,
    dividend,
    msft_splits,
    raw_2000_to_2013,
    shop_splits,
    wiki_2014,
    wiki_dividends,
    yahoo_aapl,
)
from gapless.adjust import Adjust, Adjustment, Verdict, adjusted, adjustment
from hand_made_market import ny

pytestmark = pytest.mark.shared
END_OF_2014 = ny("2015-01-01")


def verdicts(outcome: Adjustment) -> dict[str, Verdict]:
    """The verdict of each date."""
    return {judged.date: judged.verdict for judged in outcome.judged}


def test_volume_before_the_split_of_2014_is_sevenfold() -> None:
    """AAPL: 108 days times 7 to the last bit, 144 as they were, all as the file has them."""
    rows = wiki_2014("AAPL")
    raw = daily(rows)

    out = adjusted(raw, adjustment(aapl_splits(), raw, Adjust.SPLITS, now=END_OF_2014).factors)

    assert out.volume.tolist() == [float(row["adj_volume"]) for row in rows]
    assert (out.volume / raw.volume).tolist() == [7.0] * 108 + [1.0] * 144


def test_prices_before_the_split_of_2014_are_a_seventh() -> None:
    """AAPL against another source, adjusted for splits only and kept in single precision (2**-24).

    The sources disagree on the raw close of a few days by some cents; the typical day is all rounding.
    """
    raw, yahoo = daily(wiki_2014("AAPL")), yahoo_aapl()
    theirs = np.array([float(yahoo[row["date"]]["Close"]) for row in wiki_2014("AAPL")])

    out = adjusted(raw, adjustment(aapl_splits(), raw, Adjust.SPLITS, now=END_OF_2014).factors)
    off = np.abs(out.close / theirs - 1)

    assert np.median(off) < 2**-24
    assert off.max() < 1e-4


@pytest.mark.parametrize("ticker", ["AAPL", "MSFT"])
def test_prices_adjusted_for_everything_agree_with_the_file(ticker: str) -> None:
    """Within what the two formulas differ by, and no more.

    The file takes a dividend off as close / (close + cash) of the ex date, where gapless takes 1 - cash / close
    before. The difference is known for each of the four dividends; it is all that is allowed. The file's
    prices are scaled to their last day, because later dividends are in them.
    """
    rows = wiki_2014(ticker)
    raw = daily(rows)
    theirs = np.array([float(row["adj_close"]) for row in rows])
    theirs *= raw.close[-1] / theirs[-1]
    ex = [at for at, row in enumerate(rows) if float(row["ex-dividend"])]
    cash = np.array([float(rows[at]["ex-dividend"]) for at in ex])
    before, after = raw.close[[at - 1 for at in ex]], raw.close[ex]
    allowed = float(np.abs((1 - cash / before) / (after / (after + cash)) - 1).sum())

    actions = [*aapl_splits(), *wiki_dividends(rows)] if ticker == "AAPL" else wiki_dividends(rows)
    outcome = adjustment(actions, raw, Adjust.ALL, now=END_OF_2014)
    off = np.abs(adjusted(raw, outcome.factors).close / theirs - 1)

    assert len(ex) == 4
    assert off.max() < allowed * 1.01 + 1e-12
    assert off[ex[-1] :].max() < 1e-12
    assert outcome.doubts(int(raw.ts[0])) == ()


def test_dividend_factors_agree_with_a_source_of_the_same_formula() -> None:
    """AAPL 2014: within the single precision of four prices; another formula would be 2e-5 off."""
    rows, yahoo = wiki_2014("AAPL"), yahoo_aapl()
    raw = daily(rows)
    theirs = np.array([float(d["Adj Close"]) / float(d["Close"]) for d in (yahoo[r["date"]] for r in rows)])

    factors = adjustment([*aapl_splits(), *wiki_dividends(rows)], raw, Adjust.ALL, now=END_OF_2014).factors
    only_splits = adjustment(aapl_splits(), raw, Adjust.SPLITS, now=END_OF_2014).factors
    ours = adjusted(raw, factors).close / adjusted(raw, only_splits).close

    assert ours == pytest.approx(theirs / theirs[-1], rel=1e-6)


def test_bars_that_are_adjusted_already_are_not_adjusted_again() -> None:
    """The file lists 7 for 1 on 2014-06-09 beside prices that did not move: recognised, not applied."""
    days = already_adjusted_aapl()
    actions = [*aapl_splits(), dividend("2014-05-08", "3.29")]

    outcome = adjustment(actions, days, Adjust.ALL, now=END_OF_2014)

    assert verdicts(outcome)["2014-06-09"] is Verdict.CONTRADICTED
    assert [doubt.date for doubt in outcome.doubts(int(days.ts[0]))] == ["2014-05-08", "2014-06-09"]
    assert "adjusted already" in outcome.judged[-2].reason
    assert adjusted(days, adjustment(aapl_splits(), days, Adjust.SPLITS, now=END_OF_2014).factors) is days


def test_halvings_in_raw_prices_are_confirmed() -> None:
    """AAPL 2000 and 2005, MSFT 2003; splits before the first bar or after the last have nothing against them."""
    aapl = adjustment(aapl_splits(), raw_2000_to_2013("AAPL"), Adjust.SPLITS, now=LATE)
    msft = adjustment(msft_splits(), raw_2000_to_2013("MSFT"), Adjust.SPLITS, now=LATE)

    assert verdicts(aapl) == {
        "1987-06-16": Verdict.TAKEN,
        "2000-06-21": Verdict.CONFIRMED,
        "2005-02-28": Verdict.CONFIRMED,
        "2014-06-09": Verdict.TAKEN,
        "2020-08-31": Verdict.TAKEN,
    }
    assert verdicts(msft)["2003-02-18"] is Verdict.CONFIRMED
    assert set(verdicts(msft).values()) == {Verdict.CONFIRMED, Verdict.TAKEN}


def test_a_fall_that_looks_like_a_split_is_none() -> None:
    """AAPL opened at 0.527 of the close before on 2000-09-29; no action says so, and the fall stays."""
    raw = raw_2000_to_2013("AAPL")
    out = adjusted(raw, adjustment(aapl_splits(), raw, Adjust.SPLITS, now=LATE).factors)
    fall, halving = (int(raw.ts.searchsorted(ny(date))) for date in ("2000-09-29", "2005-02-28"))

    assert out.open[fall] / out.close[fall - 1] == pytest.approx(28.19 / 53.5, rel=1e-15)
    assert raw.open[halving] / raw.close[halving - 1] == pytest.approx(44.68 / 88.99)
    assert out.open[halving] / out.close[halving - 1] == pytest.approx(2 * 44.68 / 88.99, rel=1e-15)


def test_one_split_that_is_listed_for_two_days_is_applied_once() -> None:
    """SHOP 10 for 1, 2022-06-22 and 2022-06-29: the vendor's rows multiplied would make it 100."""
    outcome = adjustment(shop_splits(), raw_2000_to_2013("AAPL"), Adjust.SPLITS, now=LATE)

    assert verdicts(outcome) == {"2022-06-22": Verdict.DUPLICATE, "2022-06-29": Verdict.TAKEN}
    assert [step.new for step in outcome.factors.steps] == [10.0, 1.0]
