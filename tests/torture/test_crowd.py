"""Many processes on one store."""

import pytest

from gapless.stores.turns import Turns
from torture.crowd import HARNESS, measure


def test_eight_processes_and_a_kill_every_second_cost_nothing() -> None:
    """No bar is lost or there twice, no window has more requests than allowed, the next run asks for nothing."""
    figure = HARNESS.measure(HARNESS.small, 1)
    assert (figure.tried > HARNESS.small // 2, figure.broken) == (True, 0), figure.detail


def one_too_many() -> None:
    """Plant a limiter that counts one turn less than there are."""
    take = Turns.take_turn

    def generous(self: Turns, profile: str, *, calls: int, per: float, now: float) -> float:
        return take(self, profile, calls=calls + 1, per=per, now=now)

    pytest.MonkeyPatch().setattr(Turns, "take_turn", generous)


def test_a_limiter_that_is_off_by_one_is_noticed() -> None:
    """One request more in a window than the vendor allows."""
    assert measure(12, 1, one_too_many).broken > 0
