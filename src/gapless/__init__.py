"""gapless: all the market bars you asked for, and a proof of which of them exist."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gapless.adjust import Judged
    from gapless.app import AsyncWarehouse, Warehouse, open, open_async, restore  # noqa: A004 - `gapless.open` reads well
    from gapless.errors import (
        BarsMissing,
        BarsMissingWarning,
        DoubtfulAdjustmentWarning,
        GaplessError,
    )
    from gapless.frames import Bars, Scan
    from gapless.plan import Plan
    from gapless.quality import Flag
    from gapless.reports import Explanation, RunReport, SeriesStatus
    from gapless.sql import Limits, SqlResult
    from gapless.transfer import ExportReceipt, ImportReceipt, Layout
    from gapless.vocabulary.steps import CorporateAction, Damage, Gap, Revision
    from gapless.vocabulary.timeframe import Base

_HOMES = {
    "gapless.adjust": ("Judged",),
    "gapless.app": ("AsyncWarehouse", "Warehouse", "open", "open_async", "restore"),
    "gapless.errors": ("BarsMissing", "BarsMissingWarning", "DoubtfulAdjustmentWarning", "GaplessError"),
    "gapless.frames": ("Bars", "Scan"),
    "gapless.plan": ("Plan",),
    "gapless.quality": ("Flag",),
    "gapless.reports": ("Explanation", "RunReport", "SeriesStatus"),
    "gapless.sql": ("Limits", "SqlResult"),
    "gapless.transfer": ("ExportReceipt", "ImportReceipt", "Layout"),
    "gapless.vocabulary.steps": ("CorporateAction", "Damage", "Gap", "Revision"),
    "gapless.vocabulary.timeframe": ("Base",),
}

__all__ = [
    "AsyncWarehouse",
    "Bars",
    "BarsMissing",
    "BarsMissingWarning",
    "Base",
    "CorporateAction",
    "Damage",
    "DoubtfulAdjustmentWarning",
    "Explanation",
    "ExportReceipt",
    "Flag",
    "Gap",
    "GaplessError",
    "ImportReceipt",
    "Judged",
    "Layout",
    "Limits",
    "Plan",
    "Revision",
    "RunReport",
    "Scan",
    "SeriesStatus",
    "SqlResult",
    "Warehouse",
    "open",
    "open_async",
    "restore",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: importing gapless costs nothing."""
    for home, names in _HOMES.items():
        if name in names:
            found: object = getattr(import_module(home), name)
            return found
    raise AttributeError(f"module `gapless` has no attribute `{name}`")
