"""Long lives of stores, held against a model."""

from collections.abc import Iterable

import pytest

from gapless.stores import segments
from gapless.stores.segments import Segment
from gapless.vocabulary.batch import Batch
from stores.test_against_a_model import Machine
from torture.model import HARNESS, MACHINES, measure

PACKED, PLAIN = MACHINES


@pytest.mark.parametrize("machine", MACHINES)
def test_any_order_of_calls_leaves_what_the_model_has(machine: type[Machine]) -> None:
    """Writes, corrections, withdrawals, reopenings and every way of reading, in either kind of store."""
    figure = measure(HARNESS.small, 1, (machine,))
    assert (figure.tried, figure.broken) == (HARNESS.small, 0), figure.detail


def test_a_log_that_is_read_backwards_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where bars were corrected, the first numbers would be served."""

    def backwards(found: Iterable[Segment]) -> Batch:
        return segments.laid(list(found)[::-1])

    monkeypatch.setattr("gapless.stores.packed.laid", backwards)
    assert measure(20, 1, (PACKED,)).broken > 0


def test_earlier_numbers_that_are_not_kept_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could read what was there before a correction."""
    monkeypatch.setattr("gapless.stores.plain.keep_revisions", lambda *_: None)
    assert measure(20, 1, (PLAIN,)).broken > 0
