"""Bars adjusted for splits and dividends while they are read: what is stored stays as it was traded.

`adjustment` weighs the corporate actions against the raw day bars once; `adjusted` then applies the outcome to
bars. Adjust base bars and derive weeks or months afterwards: a window across a split has two prices for a share.
"""

from gapless.adjust.adjustment import Adjust, Adjustment, adjustment
from gapless.adjust.events import SplitEvent, split_events
from gapless.adjust.factors import Factors, adjusted
from gapless.adjust.verdicts import Judged, Verdict

__all__ = [
    "Adjust",
    "Adjustment",
    "Factors",
    "Judged",
    "SplitEvent",
    "Verdict",
    "adjusted",
    "adjustment",
    "split_events",
]
