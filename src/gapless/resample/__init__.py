"""From sorted base bars to the bars of a timeframe, on one fixed grid."""

from gapless.resample.derive import derive
from gapless.resample.grid import aligned, window_ends, window_starts

__all__ = ["aligned", "derive", "window_ends", "window_starts"]
