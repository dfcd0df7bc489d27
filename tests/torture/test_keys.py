"""The key stays where it belongs, whatever goes wrong and wherever the vendor points. And: the harness can fail."""

import pytest

from torture import keys

EVERYWHERE, ELSEWHERE = keys.HARNESSES


def test_the_key_is_nowhere() -> None:
    """Not in logs, errors, reports, stores, arguments, nor in the environment of a child."""
    figure = EVERYWHERE.measure(EVERYWHERE.small, 1)
    assert figure.broken == 0, str(figure)
    assert figure.tried > 10


def test_nothing_is_asked_elsewhere() -> None:
    """Fifty hostile addresses: as a next page, as a request, and as a redirect."""
    figure = ELSEWHERE.measure(ELSEWHERE.small, 1)
    assert figure.broken == 0, str(figure)
    assert figure.tried >= 150


@pytest.mark.parametrize("planted", ["in a log", "in an error", "in the environment"])
def test_a_key_that_is_planted_is_found(planted: str) -> None:
    """Each at a place of its own."""
    assert keys.look_for_it(1, 1, planted).broken > 0


def test_a_door_that_is_left_open_is_found() -> None:
    """Without the check of addresses the trap is sprung."""
    assert keys.lead_astray(1, 1, "anywhere").broken > 0
