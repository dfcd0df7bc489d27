"""The key: where it is found, and that it is never shown."""

import pickle
from pathlib import Path

import pytest

from gapless.errors import KeyRefused, UsageError
from gapless.settings import Secret, Settings, load

KEY = "s3cretKey"


def with_env(folder: Path, **env: str) -> Settings:
    """Settings with these variables."""
    return load({}, env=env, folder=folder, user_file=None)


@pytest.mark.parametrize("name", ["GAPLESS_MASSIVE_KEY", "MASSIVE_API_KEY", "POLYGON_API_KEY"])
def test_the_key_comes_from_the_environment(tmp_path: Path, name: str) -> None:
    """Under our name, the vendor's, and the vendor's old one."""
    found = with_env(tmp_path, **{name: KEY})
    assert found.key.reveal() == KEY
    assert found.origin("massive.key") == name


def test_the_vendors_new_name_goes_before_its_old_one(tmp_path: Path) -> None:
    """Where both are set."""
    found = with_env(tmp_path, MASSIVE_API_KEY=KEY, POLYGON_API_KEY="other")
    assert found.origin("massive.key") == "MASSIVE_API_KEY"


def test_the_key_is_shown_nowhere(tmp_path: Path) -> None:
    """Not by the settings, nor by the secret, nor in a pickle."""
    found = with_env(tmp_path, MASSIVE_API_KEY=KEY)
    assert found.get("massive.key") == "set"
    for text in (repr(found), str(found), repr(found.key), str(found.key), f"{found.key}"):
        assert KEY not in text
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))


def test_a_key_file_is_read(tmp_path: Path) -> None:
    """Relative to the folder, without the line end; the environment goes before it."""
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o600)
    found = with_env(tmp_path, GAPLESS_MASSIVE_KEY_FILE="key")
    assert found.key.reveal() == KEY
    assert found.origin("massive.key") == str(file)
    both = with_env(tmp_path, GAPLESS_MASSIVE_KEY_FILE="key", MASSIVE_API_KEY="other")
    assert both.key.reveal() == "other"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The hint is the command that mends it."""
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(mode)
    with pytest.raises(UsageError, match="can be read by others") as caught:
        _ = with_env(tmp_path, GAPLESS_MASSIVE_KEY_FILE=str(file)).key
    assert caught.value.hint == f"Run `chmod 600 {file}`."
    assert KEY not in str(caught.value)


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """It is not passed over for the next place."""
    with pytest.raises(UsageError, match="cannot be read"):
        _ = with_env(tmp_path, GAPLESS_MASSIVE_KEY_FILE="nowhere").key


def test_a_key_with_a_line_break_is_refused_without_showing_it(tmp_path: Path) -> None:
    """A header cannot carry it, and the error of a header would repeat it."""
    with pytest.raises(UsageError, match="unprintable") as caught:
        _ = with_env(tmp_path, MASSIVE_API_KEY=f"{KEY}\nHost: elsewhere").key
    assert KEY not in str(caught.value)


def test_no_key_is_told_when_one_is_needed(tmp_path: Path) -> None:
    """Settings without a key load: reading what is stored needs none."""
    found = with_env(tmp_path)
    assert found.get("massive.key") == "not set"
    with pytest.raises(KeyRefused) as caught:
        _ = found.key
    assert caught.value.exit_code == 4
    assert "MASSIVE_API_KEY" in caught.value.hint
