"""The bars of an answer: columns become a Batch only if every row is what a sound answer would hold."""

import numpy as np
from numpy.typing import NDArray

from gapless.errors import BadAnswer
from gapless.providers.columns import Columns
from gapless.providers.days import day_stamps
from gapless.providers.envelope import Envelope
from gapless.vocabulary.batch import NO_TRADES, Batch, Floats, Ints
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

_EXACT = 2.0**53
"""Below it every whole number is a double of its own."""
_NAMES = {"o": "open", "h": "high", "l": "low", "c": "close"}


def check_counts(envelope: Envelope, rows: int) -> None:
    """Hold the vendor's counts against the rows that came.

    Raises:
        BadAnswer: bars were lost on the way, or the answer contradicts itself.
    """
    if not rows and envelope.next_url:
        raise BadAnswer("the answer has no results but points to a next page")
    if not rows and envelope.query_count:
        raise BadAnswer(f"the answer has no results although queryCount is {envelope.query_count}")
    if rows and envelope.results_count is None and envelope.count is None:
        raise BadAnswer("the answer does not say how many results it has")
    for name, count in (("resultsCount", envelope.results_count), ("count", envelope.count)):
        if count is not None and count != rows:
            raise BadAnswer(f"{name} is {count} but there are {rows} results")
    if envelope.query_count is not None and envelope.query_count < rows:
        raise BadAnswer(f"queryCount is {envelope.query_count}, less than the {rows} results")


def bars_of(columns: Columns, base: Base, asset_class: AssetClass, asked: Span) -> Batch:
    """Check every row and make them one Batch, stamped on gapless's grid, inside `asked`.

    Raises:
        BadAnswer: names the row (from 1) and what is wrong with it.
    """
    stamps = _whole(columns["t"], "t")
    if base is Base.DAY:
        ts, moved = day_stamps(stamps, asset_class)
    else:
        ts, moved = stamps, False
        _refuse(ts % MINUTE != 0, "`t` is not on a whole minute")
    _refuse(np.diff(ts, prepend=ts[:1] - 1) <= 0, "`t` does not rise")
    batch = batch_of(columns, ts, asset_class)
    if moved and asked.start - DAY <= int(ts[0]) < asked.start:
        # The vendor snaps `from` to the start of a day in its own zone, west of ours: one date too early.
        batch = batch.take(slice(1, None))
    _refuse(batch.ts < asked.start, "`t` is before what was asked for")
    _refuse(batch.ts >= asked.end, "`t` is after what was asked for")
    return batch


def batch_of(columns: Columns, ts: Ints, asset_class: AssetClass) -> Batch:
    """Check all but the time, and make the rows a Batch with these starts.

    Raises:
        BadAnswer: names the row (from 1) and what is wrong with it.
    """
    nothing = np.full(len(ts), np.nan)
    for name in _NAMES:
        _check_price(columns[name], name, asset_class)
    o, h, low, c = (columns[name] for name in "ohlc")
    _refuse((o < low) | (c < low) | (o > h) | (c > h), "open or close is not between `l` and `h`")
    volume = columns.get("v", nothing)
    if asset_class.has_volume:
        _refuse(np.isnan(volume), "`v` is missing")
    _refuse(volume < 0, "`v` is negative")
    trades = columns.get("n", nothing)
    known = ~np.isnan(trades)
    return Batch(
        ts,
        o,
        h,
        low,
        c,
        volume,
        columns.get("vw", nothing),
        _whole(np.where(known, trades, NO_TRADES), "n", known),
    )


def _check_price(price: Floats, name: str, asset_class: AssetClass) -> None:
    if asset_class is not AssetClass.INDICES:  # an index is a number, not a price
        _refuse(price <= 0, f"`{name}` is not above zero")


def _whole(numbers: Floats, name: str, given: NDArray[np.bool_] | None = None) -> Ints:
    """As integers; where `given` says that the row has one, it may not be negative."""
    bad = (numbers != np.floor(numbers)) | (np.abs(numbers) >= _EXACT)
    _refuse(bad, f"`{name}` is not a whole number")
    if given is not None:
        _refuse(given & (numbers < 0), f"`{name}` is negative")
    return numbers.astype(np.int64)


def _refuse(wrong: NDArray[np.bool_], what: str) -> None:
    if wrong.any():
        raise BadAnswer(f"row {int(wrong.argmax()) + 1}: {what}")
