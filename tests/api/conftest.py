"""One made-up market, one store that was filled from it, and one server over that, for all tests that only read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.served import Client, serving
from engine.living import OwnedClock, living, store_url, warehouse
from gapless.sandbox import Sandbox, SyntheticMarket

START, END = "2026-11-02", "2026-11-21"


@pytest.fixture(scope="session")
def clock() -> OwnedClock:
    """The time of all of them: its date stands, and its seconds are real, so that nobody loses patience early."""
    return OwnedClock(speed=1.0)


@pytest.fixture(scope="session")
def vendor(clock: OwnedClock) -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=5), now=clock) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def stored(vendor: Sandbox, clock: OwnedClock, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with three weeks of a stock and a coin, and another stock of which two days were never asked for."""
    url = store_url(tmp_path_factory.mktemp("served"), "packed")
    with warehouse(vendor.url, url, clock) as house:
        house.backfill(["AAPL", "X:BTCUSD"], ["1m", "5m", "1d"], START, END)
        house.backfill(["MSFT"], ["1m"], START, "2026-11-10")
        house.backfill(["MSFT"], ["1m"], "2026-11-12", END)
    return url


@pytest.fixture(scope="session")
def client(stored: str, clock: OwnedClock) -> Iterator[Client]:
    """A server over it that nobody writes."""
    with serving(stored, clock) as found:
        yield found


@pytest.fixture
def nowhere(tmp_path: Path) -> str:
    """Where there is no store yet."""
    return store_url(tmp_path, "packed")
