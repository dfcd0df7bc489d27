"""Many processes on one store."""

from torture import planted
from torture.crowd import HARNESS, measure


def test_eight_processes_and_a_kill_every_second_cost_nothing() -> None:
    """No bar is lost or there twice, no window has more requests than allowed, the next run asks for nothing."""
    figure = HARNESS.measure(HARNESS.small, 1)
    assert (figure.tried > HARNESS.small // 2, figure.broken) == (True, 0), figure.detail


def test_a_limiter_that_is_off_by_one_is_noticed() -> None:
    """One request more in a window than the vendor allows."""
    assert measure(12, 1, planted.one_turn_too_many).broken > 0
