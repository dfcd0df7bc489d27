"""What holds for every series: the order of examining, the scale and the vwap change nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.quality import CONTEXT, Subject, examine
from gapless.sandbox import SyntheticMarket, hours
from gapless.sandbox.plants import PlantedMarket
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from hand_made_market import utc
from quality.subjects import changed, found, starts, subject, walk

YEAR = Span(utc("2025-01-01"), utc("2025-07-01"))
MARKET = PlantedMarket(SyntheticMarket(seed=8), seed=8, rate=0.001)
MINUTES = walk(400)
PRICES = ("open", "high", "low", "close")

numbers = st.floats(0.01, 1000) | st.sampled_from([0.0, -1.0, float("nan"), float("inf")])


def part(instrument: Instrument, span: Span) -> Subject:
    """The bars of a span with the context that its rules ask for."""
    wide = {base: Span(span.start - reach, span.end + reach) for base, reach in CONTEXT.items()}
    minutes, days = (MARKET.bars(instrument, base, wide[base]) for base in (Base.MINUTE, Base.DAY))
    first, last = wide[Base.DAY].start // DAY, wide[Base.DAY].end // DAY
    return Subject(instrument, span, minutes, days, hours.sessions(instrument.asset_class, first, last))


@pytest.mark.parametrize("ticker", ["AAPL", "ASML", "C:EURUSD"])
def test_parts_give_the_same_flags_as_the_whole(ticker: str) -> None:
    """Half a year at once, and cut anywhere into pieces of three weeks, is one list of flags."""
    instrument = Instrument.parse(ticker)

    whole = sorted(examine(part(instrument, YEAR)))
    parts = [flag for span in YEAR.pieces(3 * 7 * DAY + 12_345) for flag in examine(part(instrument, span))]

    assert len(whole) > 30
    assert sorted(parts) == whole


@given(rows=st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=30))
def test_exactly_the_bars_that_contradict_themselves_are_flagged(rows: list[tuple[float, ...]]) -> None:
    """As a plain reading of each row says; no numbers of an import stop the other rules."""
    table = np.array(rows).T
    batch = replace(walk(len(rows)), **dict(zip(PRICES, table, strict=True)))

    def odd(row: tuple[float, ...]) -> bool:
        open_, high, low, close = row
        sane = (
            all(0 < n < float("inf") for n in row) and low <= min(open_, close) <= max(open_, close) <= high
        )
        return not sane

    assert starts(found(subject(batch), "ohlc")) == [
        int(batch.ts[i]) for i, row in enumerate(rows) if odd(row)
    ]


@settings(max_examples=30)
@given(at=st.integers(3, 396), times=st.floats(0.05, 20), scale=st.integers(-8, 8))
def test_no_currency_and_no_vwap_changes_a_flag(at: int, times: float, scale: int) -> None:
    """Prices in cents or in thousands, any vwap: the same bars are flagged, by the same size."""
    level = float(MINUTES.close[at]) * times
    odd = changed(
        MINUTES, at, high=max(level, float(MINUTES.high[at])), low=min(level, float(MINUTES.low[at]))
    )
    scaled = {name: getattr(odd, name) * 2.0**scale for name in PRICES}
    other = replace(odd, **scaled, vwap=np.full(len(odd), level))

    def told(batch: Batch) -> list[tuple[int, str, float]]:
        return [(flag.start, flag.rule, round(flag.size, 6)) for flag in examine(subject(batch))]

    assert told(other) == told(odd)
    assert bool(told(odd)) == (bool(found(subject(odd), "bad_print")))
