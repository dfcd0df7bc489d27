"""A real browser before the real server, over a real backfill from a made-up vendor."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser.watching import Watched
from cli.program import Gapless, ended
from gapless.sandbox import PlantedMarket, Served, SyntheticMarket, serve_in_process

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SEED = 3
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
"""Where pictures of the views are kept; not in the repository."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; where there is none, all that needs it is skipped before anything is made for it."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator["Browser"]:
    """Chromium without a window, for the tests of one file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def vendor(chromium: str) -> Iterator[Served]:
    """A vendor that answers at once; one minute bar in two thousand has a bad print."""
    assert chromium
    with serve_in_process(PlantedMarket(SyntheticMarket(SEED), SEED, 0.0005)) as served:
        yield served


def asking(folder: Path, served: Served, **more: str) -> Gapless:
    """The program in a folder, set to ask this vendor."""
    env = {
        "GAPLESS_MASSIVE_BASE_URL": served.url,
        "GAPLESS_MASSIVE_PLAN": "advanced",
        "GAPLESS_RATE": "unlimited",
        "MASSIVE_API_KEY": "sandbox",
    }
    return Gapless(folder, env | more)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, vendor: Served) -> Gapless:
    """The program in a folder with a store: two symbols whole, a split, and one symbol that ended early."""
    program = asking(tmp_path_factory.mktemp("filled"), vendor)
    whole = program("backfill", "AAPL", "X:BTCUSD", "-t", "1m,5m,1d", "--start", "20d")
    assert whole.code == 0, whole.err
    assert program("backfill", "NFLX", "-t", "1d", "--start", "2026-05-01").code == 0
    # Two pages of minutes are more than one request brings.
    part = program("backfill", "SPY", "-t", "1m", "--start", "150d", "--max-requests", "1")
    assert part.code == 5, part.err
    # Crypto never closes: what today has brought so far can still change.
    assert program("update", "X:BTCUSD").code == 0
    return program


def address_of(process: subprocess.Popen[bytes]) -> str:
    """Where a server that was just started listens."""
    assert process.stdout is not None
    url = process.stdout.readline().decode().strip()
    assert url.startswith("http://127.0.0.1:"), url
    return url


@contextmanager
def serving(program: Gapless, *words: str, **env: str) -> Iterator[str]:
    """A server of the program's own over its store, until the block ends; its address."""
    with program.started("serve", "--port", "0", *words, **env) as process:
        yield address_of(process)
        process.terminate()
        assert "Traceback" not in ended(process).err


@pytest.fixture(scope="module")
def served(filled: Gapless) -> Iterator[str]:
    """The address of a server over the filled store."""
    with serving(filled) as url:
        yield url


@contextmanager
def watching(
    browser: "Browser", home: str, *, width: int = 1280, height: int = 860, dark: bool = False
) -> Iterator[Watched]:
    """A fresh page of this width, under watch."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    try:
        yield Watched(context.new_page(), home)
    finally:
        context.close()


@pytest.fixture
def watched(browser: "Browser", served: str) -> Iterator[Watched]:
    """A page on the filled store, that may do nothing wrong and must find all it asks for."""
    with watching(browser, served) as page:
        yield page
        assert page.troubles() == []
        assert page.unloaded == []
