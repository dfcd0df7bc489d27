"""A made-up vendor and a store that was filled from it, for real servers to serve."""

from collections.abc import Iterator

import pytest

from cli.conftest import SEED, asking
from cli.program import Gapless
from gapless.sandbox import Served, SyntheticMarket, serve_in_process


@pytest.fixture(scope="session")
def vendor() -> Iterator[Served]:
    """A vendor that answers at once."""
    with serve_in_process(SyntheticMarket(SEED)) as served:
        yield served


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, vendor: Served) -> Gapless:
    """The program in a folder where a backfill was done. Only to be read."""
    program = asking(tmp_path_factory.mktemp("filled"), vendor)
    assert program.alone("backfill", "AAPL", "X:BTCUSD", "-t", "5m,1d", "--start", "20d").code == 0
    return program
