"""App: the composition root and the library's front door."""

from gapless.app.reading import Bars, ExportReceipt
from gapless.app.warehouse import Warehouse, open_warehouse

__all__ = ["Bars", "ExportReceipt", "Warehouse", "open_warehouse"]
