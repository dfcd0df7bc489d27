"""Disks that fill up in the middle of a run."""

import pytest

from gapless.stores.packed import PackedStore
from torture import planted
from torture.disks import HARNESS, measure, possible

pytestmark = pytest.mark.skipif(bool(why := possible()), reason=why or "it can be tried here")


def test_a_full_disk_ends_the_run_in_plain_words_and_costs_nothing() -> None:
    """Ten sizes of disk: exit code 7, what is free and needed, a sound store, and all of it once there is room."""
    figure = measure(HARNESS.small, 1)
    assert (figure.tried, figure.broken) == (HARNESS.small, 0), figure.detail


def test_a_ledger_before_its_bars_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the ledger has its own transaction, the one of the bars may find no room any more."""
    monkeypatch.setattr(PackedStore, "write", planted._twice(PackedStore.write))
    assert measure(2, 1, alone=False).broken > 0
