"""How many bars, and so how many requests, a span will cost. Pure; the report shows how right it was."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, Base

TYPICAL_MINUTES = {
    AssetClass.STOCKS: 780,
    AssetClass.INDICES: 391,
    AssetClass.CRYPTO: 1440,
    AssetClass.FOREX: 1430,
}
"""Minute bars in a session of a liquid instrument, where the store cannot tell yet."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimates for one series. `density` is bars per minute of trading, at most 1."""

    base: Base
    sessions: Sessions
    density: float
    page_bars: int

    def bars(self, span: Span) -> int:
        """The base bars that `span` probably holds."""
        s = self.sessions
        if self.base is Base.DAY:
            return int(np.count_nonzero((s.day >= span.start) & (s.day < span.end)))
        open_time = np.minimum(s.post, span.end) - np.maximum(s.pre, span.start)
        return ceil(int(open_time.clip(min=0).sum()) / MINUTE * self.density)

    def requests(self, span: Span) -> int:
        """The pages that one chain over `span` needs; an empty one costs a page too."""
        return max(1, ceil(self.bars(span) / self.page_bars))


def typical_density(asset_class: AssetClass, sessions: Sessions) -> float:
    """Bars per minute of trading for a liquid instrument of the class."""
    if not len(sessions):
        return 1.0
    minutes = float((sessions.post - sessions.pre).mean()) / MINUTE
    return min(1.0, TYPICAL_MINUTES[asset_class] / minutes)
