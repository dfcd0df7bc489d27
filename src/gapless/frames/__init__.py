"""Bars on their way out: one value for what was read, and the frames of other libraries made of it."""

from gapless.frames.bars import Bars, Piece, Read, SymbolBars
from gapless.frames.scans import Scan, scan

__all__ = ["Bars", "Piece", "Read", "Scan", "SymbolBars", "scan"]
