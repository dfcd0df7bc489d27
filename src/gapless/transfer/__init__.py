"""Bars to files and back: exports with their proofs, and imports that claim no more than they know."""

from gapless.transfer.database import export_database
from gapless.transfer.export import ExportReceipt, export
from gapless.transfer.folder import import_folder
from gapless.transfer.formats import FORMATS
from gapless.transfer.intake import ImportReceipt
from gapless.transfer.layout import Layout
from gapless.transfer.table import import_table

__all__ = [
    "FORMATS",
    "ExportReceipt",
    "ImportReceipt",
    "Layout",
    "export",
    "export_database",
    "import_folder",
    "import_table",
]
