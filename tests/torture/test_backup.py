"""Backups of a store that others write to."""

import pytest

from torture import broken_storage
from torture.backup import HARNESS, measure


def test_backups_are_whole_while_others_write() -> None:
    """Each holds a beginning of what was written, all that was acknowledged before it, and nothing damaged."""
    figure = measure(HARNESS.small, 1)
    assert (figure.tried, figure.broken) == (HARNESS.small, 0), figure.detail


def test_a_copy_of_the_file_alone_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the journal would be missing."""
    monkeypatch.setattr("gapless.stores.backup._fill", broken_storage.copied_without_its_journal)
    assert measure(4, 1).broken > 0
