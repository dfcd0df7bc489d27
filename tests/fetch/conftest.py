"""The vendor and a way to ask it, for every test of this folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from fetch.scripted_vendor import Asker, Vendor


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    """A scripted vendor on a free port of this machine."""
    vendor = Vendor()
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    vendor.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield vendor
    server.close()


@pytest.fixture
async def asker(vendor: Vendor) -> AsyncIterator[Asker]:
    """A way to ask the vendor."""
    async with AsyncExitStack() as stack:
        yield Asker(vendor, stack)
