"""Processes that die at a named step: every step is tried, and each one is safe to die at."""

import signal
from pathlib import Path

import pytest

from cli.program import Gapless
from engine.living import NOW, living
from gapless.crash import POINTS, Point
from gapless.sandbox import Pinned, SyntheticMarket
from torture import planted
from torture.crash_points import HARNESS, measure
from torture.lives import Plant


def test_every_step_is_safe_to_die_at() -> None:
    """Each step is reached, and after each death the store is sound and the work goes on where it was."""
    figure = HARNESS.measure(HARNESS.small, 1)
    assert figure.broken == 0, figure.detail
    assert figure.tried > len(POINTS)


@pytest.mark.parametrize("plant", [planted.ledger_before_bars, planted.told_before_written])
def test_a_planted_bug_is_caught(plant: Plant) -> None:
    """A ledger that is written before the bars, and pages that are told before they are written."""
    steps: dict[str, tuple[Point, ...]] = {
        "packed": ("entries-written", "bars-written", "told"),
        "plain": ("bars-written",),
    }
    assert measure(2, 1, plant, steps).broken > 0


@pytest.mark.parametrize(("step", "pages"), [("fetched:1", 0), ("written:2", 2)])
def test_the_variable_ends_the_program_at_its_step(tmp_path: Path, step: str, pages: int) -> None:
    """`GAPLESS_CRASH_AT` is what tests outside of the package set; without it the same command goes on."""
    with living(SyntheticMarket(seed=5), now=Pinned(NOW)) as sandbox:
        env = {"MASSIVE_API_KEY": "sandbox", "GAPLESS_MASSIVE_BASE_URL": sandbox.url, "GAPLESS_WORKERS": "1"}
        gapless = Gapless(tmp_path, env)
        words = ("backfill", "AAPL", "SPY", "-t", "1d", "--start", "2026-11-02", "--end", "2026-11-07")
        died = gapless.alone(*words, "--plan", "advanced", GAPLESS_CRASH_AT=step)
        assert died.code == -signal.SIGKILL, died.err
        again = gapless.alone(*words, "--plan", "advanced", "--json")
        assert again.code == 0, again.err
        assert again.json()["requests"] == 2 - pages
