"""System calls that fail: said in plain words, nothing lost, and the next run goes on."""

import pytest

from torture import broken_storage
from torture.syscalls import HARNESS, Plant, measure, possible

PARTS = 4
"""Of all the faults there are, for as many workers."""

pytestmark = pytest.mark.skipif(bool(why := possible()), reason=why or "it can be tried here")


@pytest.mark.parametrize("part", range(PARTS))
def test_a_system_call_that_fails_costs_nothing(part: int) -> None:
    """Every n: exit code 7 or none at all, one line and a hint, a sound store, and the truth after the next run."""
    figure = measure(HARNESS.small, 1, share=(part, PARTS))
    assert figure.broken == 0, figure.detail
    assert figure.tried > 50, "a run makes more calls than that"


@pytest.mark.parametrize(
    ("plant", "calls"),
    [(broken_storage.failures_untold, ["pwrite64"]), (broken_storage.synced_again, ["fdatasync"])],
)
def test_a_planted_bug_is_caught(plant: Plant, calls: list[str]) -> None:
    """Errors that are nobody's, and a journal that is trusted after a sync of it failed."""
    assert measure(8, 1, plant=plant, calls=calls).broken > 0
