"""What a setting cannot be: each says which one, from where, and what to do."""

from pathlib import Path

import pytest

from gapless.errors import UsageError
from gapless.settings import load


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("massive.plan", "gold", "not a plan"),
        ("rate", "fast", "not a rate"),
        ("rate.crypto", "0/s", "not a rate"),
        ("confirm_after", "soon", "not a duration"),
        ("confirm_after", "1.5h", "not a duration"),
        ("workers", "-1", "not a whole number"),
        ("max_requests", "many", "not a whole number"),
        ("massive.base_url", "api.massive.com", "not the address"),
        ("massive.base_url", "http://api.massive.com", "in the clear"),
        ("massive.base_url", "https://host:port", "not the address"),
        ("store", "", "empty"),
        ("on_run_end", "notify 'me", "not a command"),
        ("on_run_end", "''", "not a command"),
        ("webhook", "hooks.example.org/T0", "not a web address"),
        ("webhook", "https://me:hunter2@hooks.example.org/T0", "not a web address"),
        ("webhook", "http://hooks.example.org/T0", "hooks.example.org would get the report in the clear"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_setting(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    """The message holds the setting, its origin and why; the hint says what to write."""
    with pytest.raises(UsageError, match=said) as caught:
        load({name: value}, env={}, folder=tmp_path, user_file=None)
    assert f"`{name}` (from flag)" in caught.value.message
    assert caught.value.hint


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    """What stands before the `@` may be a secret."""
    with pytest.raises(UsageError, match="not the address") as caught:
        load({"massive.base_url": "https://me:hunter2@host"}, env={}, folder=tmp_path, user_file=None)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://hooks.example.org/s3cret", "ftp://hooks.example.org/s3cret"])
def test_the_address_of_a_webhook_is_not_repeated(tmp_path: Path, address: str) -> None:
    """With many services its path is a secret; where it is sound its host is all that is shown."""
    with pytest.raises(UsageError) as caught:
        load({"webhook": address}, env={}, folder=tmp_path, user_file=None)
    assert "s3cret" not in str(caught.value)
    sound = load({"webhook": "https://example.org:8443/s3cret"}, env={}, folder=tmp_path, user_file=None)
    assert (sound.shown("webhook"), sound.shown("rate")) == ("https://example.org:8443/...", "")


@pytest.mark.parametrize("name", ["on_run_end", "webhook", "massive.base_url"])
def test_a_working_folder_does_not_decide_who_gets_the_key_what_runs_or_who_hears(
    tmp_path: Path, name: str
) -> None:
    """A folder that somebody else made could; a person's own file and the environment may."""
    value = "https://hooks.example.org/T0"
    (tmp_path / "gapless.toml").write_text(f'"{name}" = "{value}"')
    with pytest.raises(UsageError, match="not for a working folder") as caught:
        load({}, env={}, folder=tmp_path, user_file=None)
    assert f"GAPLESS_{name.upper().replace('.', '_')}" in caught.value.hint
    (tmp_path / "gapless.toml").rename(tmp_path / "own.toml")
    own = load({}, env={}, folder=tmp_path, user_file=tmp_path / "own.toml")
    assert own.get(name) == value


def test_plain_http_is_for_this_machine(tmp_path: Path) -> None:
    """Loopback addresses by number and by name."""
    for address in ("http://127.0.0.1:8700", "http://localhost:1", "http://[::1]:80"):
        load({"massive.base_url": address}, env={}, folder=tmp_path, user_file=None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('stor = "x"', "sets `stor`"),
        ('[massive]\nplam = "basic"', "sets `massive.plam`"),
        ("store = ", "not a TOML file"),
        ("workers = true", "neither text nor a number"),
        ('[massive]\nkey = "abc"', "holds `massive.key`"),
    ],
)
def test_a_bad_line_in_a_file_names_the_file(tmp_path: Path, text: str, said: str) -> None:
    """Nothing in a settings file is passed over without a word; a key does not belong there."""
    file = tmp_path / "gapless.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        load({}, env={}, folder=tmp_path, user_file=None)
    assert said in caught.value.message
    assert str(file) in caught.value.message
    assert caught.value.hint


def test_a_misspelt_name_gets_the_nearest_one(tmp_path: Path) -> None:
    """`max_request` was meant to be `max_requests`."""
    (tmp_path / "gapless.toml").write_text("max_request = 5")
    with pytest.raises(UsageError) as caught:
        load({}, env={}, folder=tmp_path, user_file=None)
    assert caught.value.hint == "Did you mean `max_requests`?"
