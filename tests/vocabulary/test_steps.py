"""The values that flow."""

from dataclasses import replace

from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Job, Outcome, Receipt
from gapless.vocabulary.timeframe import Base

SPY = Job(Instrument.parse("SPY"), Base.MINUTE, Span(1_704_204_000_000, 1_704_240_000_000), bars=600)


def test_a_job_is_named_by_what_it_asks() -> None:
    """`printf 'SPY|1m|1704204000000|1704240000000' | sha256sum` begins with this name, here and everywhere."""
    assert SPY.id == "1aa2adc530b2e271"


def test_an_estimate_does_not_rename_a_job() -> None:
    """The same work planned with other estimates is the same work; other work is not."""
    assert replace(SPY, bars=1, requests=9).id == SPY.id
    assert len({SPY.id, replace(SPY, base=Base.DAY).id, replace(SPY, span=Span(0, 1)).id}) == 3


def test_three_outcomes_need_no_more_asking() -> None:
    """Everything else is asked for again."""
    assert [outcome.value for outcome in Outcome if outcome.covers] == ["bars", "empty", "closed"]


def test_receipts_add_up() -> None:
    """What two writes did, in one receipt."""
    assert Receipt(1, 2, 3, 4, 5) + Receipt(10, 20, 30, 40, 50) == Receipt(11, 22, 33, 44, 55)
