"""Volumes that are far from every usual one: a misplaced decimal point, a wrong unit, a block trade.

A minute's volume is compared with the larger of two: what nine in ten of the 61 minutes around it stay under,
and the median of the same minute in the five sessions before and after (the auctions are big every day). Regular and
extended hours are judged apart: pre-market volume says nothing about the open. Thirty times both is a finding.
Volumes have heavy tails and no scale that fits every market: recorded stocks reach 26 times, crypto books now
and then more, with real block trades. Where volumes are lumpy, a thousandfold one can hide among them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gapless.quality.findings import Flag, Rule, Subject
from gapless.quality.robust import SIDE, enough, levels, usual
from gapless.vocabulary.batch import Batch, Floats, Ints
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.timeframe import Base

_TIMES = 30.0
_SESSIONS = 5


def _find(subject: Subject) -> Iterator[Flag]:
    if subject.minutes is None:
        return
    regular = _regular(subject.minutes.ts, subject.sessions)
    for part in (regular, ~regular):
        bars = subject.minutes.take(part & (subject.minutes.volume > 0))
        if enough(bars):
            yield from _outliers(subject, bars)


def _outliers(subject: Subject, bars: Batch) -> Iterator[Flag]:
    before, after = levels(bars.volume)
    at = np.flatnonzero(bars.volume[SIDE:-SIDE] > _TIMES * np.minimum(before, after)) + SIDE
    level = usual(bars.volume, at)
    high = bars.volume[at] >= _TIMES * level
    at, level = at[high], level[high]
    for i, around, daily in zip(at, level, _same_minute(bars, at, subject.sessions), strict=True):
        start, volume = int(bars.ts[i]), float(bars.volume[i])
        if volume < _TIMES * daily or start not in subject.span:
            continue
        size = volume / max(around, daily)
        reason = (
            f"volume {volume:.10g} is {size:.0f} times what nine minutes in ten around it have ({around:.4g})"
        )
        yield subject.flag(Base.MINUTE, start, RULE.name, reason, size)


def _regular(minutes: Ints, sessions: Sessions) -> NDArray[np.bool_]:
    """Which minutes are in regular hours."""
    steps = np.zeros(len(minutes) + 1, np.int8)
    steps[np.searchsorted(minutes, sessions.open)] += 1
    steps[np.searchsorted(minutes, sessions.close)] -= 1
    inside: NDArray[np.bool_] = np.cumsum(steps[:-1], dtype=np.int8) > 0
    return inside


def _same_minute(bars: Batch, at: Ints, sessions: Sessions) -> Floats:
    """The median volume of the same minute in the sessions around; 0 where it has no bar in most of them."""
    if not len(sessions) or not len(at):
        return np.zeros(len(at))
    mine = np.clip(np.searchsorted(sessions.pre, bars.ts[at], side="right") - 1, 0, None)
    # Minutes are counted from the nearer of open and close, so that half days line up.
    open_, close = sessions.open[mine], sessions.close[mine]
    late = bars.ts[at] - open_ > close - bars.ts[at]
    volumes = np.zeros((len(at), 2 * _SESSIONS))
    for column, step in enumerate(k for k in range(-_SESSIONS, _SESSIONS + 1) if k):
        other = np.clip(mine + step, 0, len(sessions) - 1)
        anchors = np.where(late, sessions.close[other] - close, sessions.open[other] - open_)
        there = np.minimum(np.searchsorted(bars.ts, bars.ts[at] + anchors), len(bars) - 1)
        same = (bars.ts[there] == bars.ts[at] + anchors) & (other != mine)
        volumes[:, column] = np.where(same, bars.volume[there], 0.0)
    median: Floats = np.median(volumes, axis=1)
    return median


RULE = Rule("volume", "a minute with a volume far from every usual one", _find)
"""`size`: how many times the larger of the two usual volumes."""
