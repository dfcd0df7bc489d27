"""The key stays where it belongs, whatever goes wrong and wherever the vendor points. And: the harness can fail."""

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


def test_a_key_that_is_planted_is_found() -> None:
    """In a log, in an error and in the environment of a child: each shows where it was put."""
    detail = keys.look_for_it(1, 1, "in a log,in an error,in the environment").detail
    for place in ("standard error", "events", "environment of a child"):
        assert f"the key is in {place}" in detail


def test_a_door_that_is_left_open_is_found() -> None:
    """Without the check of addresses the trap is sprung."""
    assert keys.lead_astray(1, 1, "anywhere").broken > 0
