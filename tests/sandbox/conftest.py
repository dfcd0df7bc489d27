"""A running sandbox on a pinned date, and a client of it."""

from collections.abc import AsyncIterator

import pytest

from gapless.sandbox import Pinned, Sandbox, SyntheticMarket
from sandbox.plain_client import NOW, Client, client_of


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A synthetic market, seen on the evening of 23 November 2026."""
    async with Sandbox(SyntheticMarket(seed=7), now=Pinned(NOW), stall=0.05) as running:
        yield running


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Client]:
    """A client of the synthetic market."""
    async with client_of(sandbox) as one:
        yield one
