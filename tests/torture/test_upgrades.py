"""Stores of released versions, brought up to date by processes that are killed."""

import pytest

from torture import broken_storage
from torture.lives import Plant
from torture.upgrades import HARNESS, STEPS, measure


def test_an_upgrade_that_is_killed_costs_nothing() -> None:
    """The file as it was is kept first; whatever is left is the old store or the new one, and all bars are there."""
    figure = HARNESS.measure(HARNESS.small, 1)
    assert figure.broken == 0, figure.detail
    assert figure.tried > len(STEPS)


@pytest.mark.parametrize("plant", [broken_storage.nothing_kept, broken_storage.upgraded_in_pieces])
def test_a_planted_bug_is_caught(plant: Plant) -> None:
    """No copy before the work, and work that is written down half done."""
    assert measure(6, 1, plant).broken > 0
