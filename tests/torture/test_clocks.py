"""Clocks that are wrong, jump or stop."""

import pytest

from gapless.vocabulary.steps import Page
from torture.clocks import HARNESSES, jumping, skewed, suspended
from torture.harness import Harness


@pytest.mark.parametrize("harness", HARNESSES, ids=["skewed", "jumping", "suspended"])
def test_no_clock_makes_a_bar_final_early_or_loses_one(harness: Harness) -> None:
    """A wrong clock is told of, who slept is fenced off; all is whole in the end."""
    figure = harness.measure(harness.small, 1)
    assert (figure.tried, figure.broken) == (harness.small, 0), figure.detail


def test_finals_by_ones_own_clock_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a look at the vendor's date a clock that is ahead freezes bars that are still being made."""

    def received(page: Page) -> int:
        return page.received

    monkeypatch.setattr("gapless.engine.run.made_at", received)
    assert skewed(5, 1).broken > 0


def test_a_wrong_clock_that_nobody_tells_of_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same clocks, and not a word."""
    monkeypatch.setattr("gapless.engine.skew.WORTH_TELLING", 2**60)
    assert skewed(3, 1).broken > 0


def test_a_run_that_waits_for_ever_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn that never comes ends with a stop, and counts."""
    monkeypatch.setattr("gapless.stores.turns.Turns.take_turn", lambda *_, **__: 60.0)
    assert jumping(1, 1).broken > 0


def test_a_fence_that_holds_nobody_off_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that slept goes on writing what the other one has written already."""
    for kind in ("packed", "plain"):
        monkeypatch.setattr(f"gapless.stores.{kind}.check_fence", lambda *_: None)
    assert suspended(1, 1).broken > 0
