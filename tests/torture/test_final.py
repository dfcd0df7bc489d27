"""No bar is final before it has settled, and none is kept waiting after that."""

import pytest

from torture.final import HARNESSES, live, sweep
from torture.harness import Harness


@pytest.mark.parametrize("harness", HARNESSES, ids=["swept", "live"])
def test_no_bar_is_final_early_or_late(harness: Harness) -> None:
    """Around closes, half days, changes of clocks, weekends and holidays, for every class and base."""
    figure = harness.measure(harness.small, 1)
    assert (figure.tried, figure.broken) == (harness.small, 0), figure.detail


@pytest.mark.parametrize("settle", [0, 59 * 60_000, 61 * 60_000])
def test_another_settle_delay_is_noticed(monkeypatch: pytest.MonkeyPatch, settle: int) -> None:
    """A minute less makes bars final early, a minute more makes them final late."""
    monkeypatch.setattr("gapless.plan.finality.SETTLE", settle)
    assert sweep(4000, 1).broken > 0


def test_bars_frozen_while_they_are_made_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that takes whatever it reads for final serves bars that will not stand."""
    monkeypatch.setattr("gapless.engine.run.final_until", lambda *known: known[-1])
    assert live(2, 1).broken > 0
