"""Processes that are killed at random moments: nothing is lost, doubled, partial or asked for again."""

import pytest

from torture import planted
from torture.kills import HARNESS, measure
from torture.lives import Plant


def test_kills_at_random_moments_cost_nothing_but_the_pages_in_flight() -> None:
    """After each `kill -9` the store is sound and has what was told; in the end it equals the vendor's bars."""
    figure = HARNESS.measure(HARNESS.small, 1)
    assert (figure.tried, figure.broken) == (HARNESS.small, 0), figure.detail


@pytest.mark.parametrize("plant", [planted.told_before_written, planted.nothing_is_covered])
def test_a_planted_bug_is_caught(plant: Plant) -> None:
    """Pages that are told before they are written, and a ledger that nobody believes."""
    assert measure(3, 1, plant).broken > 0
