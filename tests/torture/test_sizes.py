"""Nothing that a vendor answers makes a process grow without end or die. And: the harness can fail."""

import pytest

from torture import sizes


def test_no_answer_is_too_much() -> None:
    """Less than 100 MB of growth and a typed error for each, in a process of its own."""
    figure = sizes.HARNESS.measure(sizes.HARNESS.small, 1)
    assert (figure.tried, figure.broken) == (len(sizes.SUBJECTS), 0), str(figure)


@pytest.mark.parametrize(
    ("plant", "name"),
    [
        ("no bounds", "a bomb that lies about its size"),
        ("no bounds", "a page of 64 MB"),
        ("depth is no fault", "100,000 arrays beside the rows"),
    ],
)
def test_a_planted_bug_is_seen(plant: str, name: str) -> None:
    """Without its bounds the process grows; without its net it falls."""
    assert sizes.judge(name, sizes.meet(name, plant))
