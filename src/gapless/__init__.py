"""gapless: all the market bars you asked for, and a proof of which of them exist."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gapless.app import Bars, Warehouse, open  # noqa: A004 - `gapless.open` reads well
    from gapless.errors import GaplessError
    from gapless.reports import RunReport

__all__ = ["Bars", "GaplessError", "RunReport", "Warehouse", "open"]

_HOMES = {
    "Bars": "gapless.app",
    "GaplessError": "gapless.errors",
    "RunReport": "gapless.reports",
    "Warehouse": "gapless.app",
    "open": "gapless.app",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: importing gapless costs nothing."""
    if name in _HOMES:
        found: object = getattr(import_module(_HOMES[name]), name)
        return found
    raise AttributeError(f"module `gapless` has no attribute `{name}`")
