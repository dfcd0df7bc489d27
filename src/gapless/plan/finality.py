"""From when on a bar can no longer change. Pure."""

import numpy as np

from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.timeframe import MINUTE, Base

SETTLE = 60 * MINUTE
"""How long the vendor is given after the close to book late trades, in milliseconds."""

_CONTINUOUS = (AssetClass.CRYPTO, AssetClass.FOREX)


def final_until(asset_class: AssetClass, base: Base, sessions: Sessions, now: int) -> int:
    """Bars that start before this instant and are read at `now` or later are final.

    Where a market closes each day, a session settles as a whole: none of its bars is final before its
    extended close + `SETTLE`. Minutes of markets that do not close settle one by one.

    Args:
        asset_class: decides between the two.
        base: minute or day bars.
        sessions: those around `now` at least.
        now: Unix ms.
    """
    if base is Base.MINUTE and asset_class in _CONTINUOUS:
        return (now - SETTLE) // MINUTE * MINUTE
    unsettled = np.flatnonzero(sessions.post + SETTLE > now)
    return min(now, int(sessions.day[unsettled[0]])) if len(unsettled) else now
