"""From sorted base bars to the bars of a timeframe, on one fixed grid."""

from gapless.resample.derive import derive, derive_many
from gapless.resample.grid import aligned, window_ends, window_starts
from gapless.resample.hours import Hours, SessionPart, base_of

__all__ = [
    "Hours",
    "SessionPart",
    "aligned",
    "base_of",
    "derive",
    "derive_many",
    "window_ends",
    "window_starts",
]
