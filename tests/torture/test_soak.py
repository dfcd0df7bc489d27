"""The soak's own arithmetic, and a minute's fraction of it."""

import pytest

from torture import soak


def test_a_short_soak_does_its_rounds() -> None:
    """A few nights over each kind of store."""
    for kind in ("packed", "plain"):
        figure = soak.measure(0.03, 1, kind)
        assert "open files" in figure.detail


@pytest.mark.parametrize(("growth", "surely"), [(0.0, False), (0.002, False), (0.05, True)])
def test_growth_is_told_from_noise(growth: float, surely: bool) -> None:
    """Memory that wavers by a tenth of a percent: more than 1 % an hour is seen after an hour, less is not."""
    hours = [minute / 60 for minute in range(120)]
    record = soak.Record(
        hours, [int(200e6 * (1 + growth * h + 0.001 * (-1) ** n)) for n, h in enumerate(hours)]
    )
    slope, spread = record.growth()
    assert (slope - spread > soak.MOST_GROWTH) is surely
    assert abs(slope - growth) < 0.1 * growth + 0.001


@pytest.mark.parametrize(
    ("files", "leaks"), [([15] * 20, False), ([15, 17] * 10, False), (list(range(20)), True)]
)
def test_open_files_that_only_rise_are_a_leak(files: list[int], leaks: bool) -> None:
    """They may go up and down."""
    assert soak.Record(files=files).leaks() is leaks
