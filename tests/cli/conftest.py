"""A made-up vendor for the program to ask, and the program."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.program import Ended, Gapless
from gapless.sandbox import Latency, Rate, Served, SyntheticMarket, serve_in_process

SEED = 3
BACKFILL = ("backfill", "AAPL", "X:BTCUSD", "-t", "5m,1d", "--start", "20d")


@pytest.fixture(scope="session")
def vendor() -> Iterator[Served]:
    """A vendor that answers at once."""
    with serve_in_process(SyntheticMarket(SEED)) as served:
        yield served


@pytest.fixture
def slow_vendor() -> Iterator[Served]:
    """A vendor that takes a second for an answer and allows one each second."""
    with serve_in_process(SyntheticMarket(SEED), latency=Latency(1.0), rate=Rate(1, 1.0)) as served:
        yield served


def asking(folder: Path, served: Served) -> Gapless:
    """The program, set to ask this vendor."""
    return Gapless(
        folder,
        {
            "GAPLESS_MASSIVE_BASE_URL": served.url,
            "GAPLESS_MASSIVE_PLAN": "advanced",
            "GAPLESS_RATE": "unlimited",
            "MASSIVE_API_KEY": "sandbox",
        },
    )


@pytest.fixture
def gapless(tmp_path: Path, vendor: Served) -> Gapless:
    """The program in an empty folder, set to ask the vendor that answers at once."""
    return asking(tmp_path, vendor)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, vendor: Served) -> tuple[Gapless, Ended]:
    """The program in a folder where a backfill was done, and how that ended. Only to be read."""
    program = asking(tmp_path_factory.mktemp("filled"), vendor)
    return program, program.alone(*BACKFILL, "--report", "report.json")
