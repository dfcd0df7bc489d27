"""What the vendor changes afterwards is found, kept beside what it was, and shown."""

import pytest

from torture.harness import Harness
from torture.revised import HARNESSES, changed_splits, measure


@pytest.mark.parametrize("harness", HARNESSES, ids=["bars", "splits"])
def test_what_changes_afterwards_is_found(harness: Harness) -> None:
    """Corrections of the last three sessions, clipped history, days that fill in later, restated splits."""
    figure = harness.measure(harness.small, 1)
    assert (figure.tried, figure.broken) == (harness.small, 0), figure.detail


def test_an_update_that_does_not_look_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the trailing sessions nothing that was covered is read again."""
    monkeypatch.setattr("gapless.app.warehouse.TRAILING_SESSIONS", 0)
    assert measure(2, 1).broken > 0


def test_silence_that_is_believed_at_once_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a second look a day that was hidden stays empty for ever, and a clipped history clipped."""
    monkeypatch.setattr("gapless.checks.answer._silences", lambda *_: iter(()))
    assert measure(1, 1).broken > 0


def test_splits_that_are_not_read_again_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stated first stays."""
    monkeypatch.setattr("gapless.plan.Plan.stocks", [])
    assert changed_splits(1, 1).broken > 0
