"""Bars on their way out: one value for what was read, and the frames of other libraries made of it."""

from gapless.frames.bars import Piece, Read, SymbolBars

__all__ = ["Piece", "Read", "SymbolBars"]
