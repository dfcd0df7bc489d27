"""Prices that jump away from their neighbours for one bar and come back.

A bar's high is compared with the higher, its low with the lower of two levels: the median close of the three
bars before and of the three after. So a move that stays is none (one of the levels went with it), nor is one of
several bars, which is more likely a real panic than a wrong print.

How far is too far: four times what nine in ten of the bars around it move, and at least 1 % in a minute or 10 %
in a day. Recorded minutes of SPY, EURUSD and the S&P 500 do not come back from 1 % even at twice the usual move;
of the 293,230 minutes of BTCUSD in 2016 on one exchange 49 did at twice, 24 at three times and 12 at four: prints
away from the market, or single orders that swept a thin book. A bad print of 3 % is found as long as the tape
itself moves less than 0.75 % a minute.
The first and last three bars of a series have neighbours on one side only and are not judged.
"""

from collections.abc import Iterator

import numpy as np

from gapless.quality.findings import Flag, Rule, Subject, price, sound
from gapless.quality.robust import SIDE, enough, levels, true_range, usual
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.timeframe import Base

_TIMES = 4.0
_LEAST = {Base.MINUTE: 0.01, Base.DAY: 0.10}
_QUIET = 1e-4  # no tape is taken for quieter than this: one tick of a hundred dollars


def _find(subject: Subject) -> Iterator[Flag]:
    for base, batch in subject.series():
        bars = sound(batch)
        if enough(bars):
            yield from _prints(subject, base, bars)


def _prints(subject: Subject, base: Base, bars: Batch) -> Iterator[Flag]:
    before, after = levels(bars.close)
    top, bottom = np.maximum(before, after), np.minimum(before, after)
    inner = slice(SIDE, -SIDE)
    above, below = bars.high[inner] / top, bottom / bars.low[inner]
    at = np.flatnonzero(np.maximum(above, below) >= 1 + _LEAST[base])
    if not len(at):
        return
    away = np.log(np.maximum(above[at], below[at]))
    moves = np.maximum(usual(true_range(bars), at + SIDE), _QUIET)
    for k in np.flatnonzero(away >= _TIMES * moves):
        i = int(at[k])
        start = int(bars.ts[i + SIDE])
        if start not in subject.span:
            continue
        up = above[i] >= below[i]
        extreme, level = (bars.high, top) if up else (bars.low, bottom)
        reason = (
            f"{'high' if up else 'low'} {price(extreme[i + SIDE])} is {abs(extreme[i + SIDE] / level[i] - 1):.1%} "
            f"{'above' if up else 'below'} its neighbours ({price(before[i])} before, {price(after[i])} after); "
            f"nine bars in ten around it move less than {np.expm1(moves[k]):.2%}"
        )
        yield subject.flag(base, start, RULE.name, reason, away[k] / moves[k])


RULE = Rule("bad_print", "a price that jumps away from its neighbours for one bar and comes back", _find)
"""`size`: how many times farther than nine in ten of the bars around it move."""
