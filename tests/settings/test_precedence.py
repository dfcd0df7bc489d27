"""Where a setting comes from, and which place wins."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.settings import SETTINGS, Settings, env_name, load

_PLACES = ("flag", "environment", "project", "user")


def read(folder: Path, flags: dict[str, str] | None = None, env: dict[str, str] | None = None) -> Settings:
    """Settings of a folder, without a user file."""
    return load(flags or {}, env=env or {}, folder=folder, user_file=None)


@given(given=st.sets(st.sampled_from(_PLACES)))
def test_the_first_place_that_has_a_setting_wins(
    given: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Flags go before the environment, that before the project's file, that before the user's, then the default."""
    folder = tmp_path_factory.mktemp("place")
    user = folder / "user.toml"
    if "project" in given:
        (folder / "gapless.toml").write_text('store = "project"\n')
    if "user" in given:
        user.write_text('store = "user"\n')
    found = load(
        {"store": "flag"} if "flag" in given else {},
        env={"GAPLESS_STORE": "environment"} if "environment" in given else {},
        folder=folder,
        user_file=user,
    )
    expected = next((place for place in _PLACES if place in given), "market.gapless")
    origins = {
        "flag": "flag",
        "environment": "GAPLESS_STORE",
        "project": "./gapless.toml",
        "user": str(user),
        "market.gapless": "default",
    }
    assert found.store == expected
    assert found.origin("store") == origins[expected]


def test_nested_tables_are_dotted_names(tmp_path: Path) -> None:
    """`[massive] plan` and a quoted `"rate.crypto"` reach their settings, numbers too."""
    (tmp_path / "gapless.toml").write_text(
        'rate = "100/s"\n"rate.crypto" = "1/s"\nworkers = 3\n[massive]\nplan = "starter"\n'
    )
    found = read(tmp_path)
    assert (found.plan, found.rate, found.rate_crypto, found.workers) == ("starter", "100/s", "1/s", 3)


def test_defaults_are_those_of_a_free_key(tmp_path: Path) -> None:
    """Without anything set: the packed store, the vendor's address, the smallest plan, an hour, no limits."""
    found = read(tmp_path)
    assert found.store == "market.gapless"
    assert found.base_url == "https://api.massive.com"
    assert found.plan == "basic"
    assert found.confirm_after == 3_600_000
    assert (found.workers, found.max_requests, found.rate, found.rate_crypto) == (0, 0, "", "")


@pytest.mark.parametrize(
    ("text", "ms"), [("30s", 30_000), ("10m", 600_000), ("1h", 3_600_000), ("2d", 172_800_000)]
)
def test_durations_are_read_as_milliseconds(tmp_path: Path, text: str, ms: int) -> None:
    """Seconds, minutes, hours and days."""
    assert read(tmp_path, {"confirm_after": text}).confirm_after == ms


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    """`GAPLESS_STORE=` does not name an empty store."""
    assert read(tmp_path, env={"GAPLESS_STORE": ""}).origin("store") == "default"


def test_every_setting_has_a_variable_of_its_own() -> None:
    """Dots become underscores, and no two settings share a variable."""
    assert env_name("massive.base_url") == "GAPLESS_MASSIVE_BASE_URL"
    assert len({env_name(setting.name) for setting in SETTINGS}) == len(SETTINGS)
    assert all(setting.help for setting in SETTINGS)
