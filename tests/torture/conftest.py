"""Harnesses take a minute each, more on a machine that has much else to do: longer than other tests may."""

from pathlib import Path

import pytest

_LONGEST = 900
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Seconds after which a harness hangs."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.timeout(_LONGEST))
