"""Bars in pandas. Needs pandas."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gapless.vocabulary.batch import NO_TRADES

if TYPE_CHECKING:
    from gapless.frames.bars import Bars


def frame(bars: "Bars") -> pd.DataFrame:
    """The bars by `ts`, or by `(symbol, ts)` where many symbols were asked for."""
    columns = bars.numpy()
    columns.pop("symbol", None)
    index = pd.DatetimeIndex(columns.pop("ts"), name="ts").tz_localize("UTC")
    trades = columns["trades"]
    columns["trades"] = np.where(trades == NO_TRADES, np.nan, trades)
    return pd.DataFrame(columns, index=_by_symbol(bars, index) if bars.many else index)


def _by_symbol(bars: "Bars", index: pd.DatetimeIndex) -> pd.MultiIndex:
    lengths = [len(part.batch) for part in bars.parts]
    symbols = pd.Categorical.from_codes(np.repeat(np.arange(len(lengths)), lengths), list(bars.symbols))
    both = pd.MultiIndex.from_arrays([symbols, index], names=["symbol", "ts"])
    # The level is plain text: a categorical one goes on into the columns of `unstack`, which then take no new name.
    return both.set_levels(pd.Index(bars.symbols, dtype="str", name="symbol"), level="symbol")
