"""Opening, backing up and taking out, as people write it."""

from pathlib import Path

import pytest

import gapless
from gapless.errors import UsageError


def test_a_setting_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A plan that is misspelt would be the free plan without a word."""
    with pytest.raises(UsageError, match="`massive_plna` is not a setting") as refused:
        gapless.open(tmp_path / "a.gapless", massive_plna="starter")
    assert refused.value.hint == "Did you mean `massive.plan`?"
    assert list(tmp_path.iterdir()) == []


def test_places_are_paths_or_text_and_numbers_are_numbers(tmp_path: Path) -> None:
    """A store, a backup and an export may be named either way; a setting may be a number."""
    for number, kind in enumerate((str, Path)):
        store, backup, out = (kind(tmp_path / f"{name}{number}") for name in ("a.gapless", "b", "c"))
        with gapless.open(store, workers=3) as house:
            assert house.settings.get("workers") == "3"
            assert house.backup(backup) > 0
            house.export(out, "csv")
            house.import_(out)
        assert gapless.restore(backup, kind(tmp_path / f"again{number}.gapless")) > 0
