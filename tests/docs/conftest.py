"""A sandbox for the pages, and commands that talk to it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.prepared import NAME, quarter
from engine.living import living
from gapless.sandbox import SyntheticMarket


@pytest.fixture(scope="session")
def vendor() -> Iterator[str]:
    """The address of a sandbox."""
    with living(SyntheticMarket()) as sandbox:
        yield sandbox.url


@pytest.fixture
def desk(vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, where gapless talks to the sandbox and has no other settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GAPLESS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GAPLESS_MASSIVE_BASE_URL", vendor)
    monkeypatch.setenv("MASSIVE_API_KEY", "sandbox")
    monkeypatch.setenv("GAPLESS_MASSIVE_PLAN", "advanced")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture(scope="session")
def quarter_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store that most pages go on with, made once; work on a copy."""
    store = tmp_path_factory.mktemp("quarter") / NAME
    quarter(store)
    return store
