"""Minutes that liquid symbols lose together, against holes made by hand."""

from collections.abc import Iterator

import pytest

from gapless.quality import Subject, shared_holes
from gapless.sandbox import SyntheticMarket, hours
from gapless.sandbox.revisions import RevisedMarket
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from hand_made_market import ny

TICKERS = ("AAPL", "MSFT", "SPY", "QQQ", "TSLA", "NVDA")
WEEKS = Span(ny("2026-05-04"), ny("2026-05-23"))
HOLE = Span(ny("2026-05-13 11:00"), ny("2026-05-13 11:07"))


@pytest.fixture
def market() -> RevisedMarket:
    """Three weeks of liquid stocks."""
    return RevisedMarket(SyntheticMarket(seed=4))


def subjects(market: RevisedMarket, *tickers: str) -> Iterator[Subject]:
    """The minutes of each, as an examiner is handed them."""
    sessions = hours.sessions(Instrument.parse("SPY").asset_class, WEEKS.start // DAY, WEEKS.end // DAY)
    for ticker in tickers:
        instrument = Instrument.parse(ticker)
        yield Subject(instrument, WEEKS, market.bars(instrument, Base.MINUTE, WEEKS), None, sessions)


def hide(market: RevisedMarket, span: Span, *tickers: str) -> None:
    """These lose the bars of the span."""
    for ticker in tickers:
        market.hide(Instrument.parse(ticker), Base.MINUTE, span)


def test_quiet_minutes_are_no_hole(market: RevisedMarket) -> None:
    """Symbols that miss a minute now and then do not miss the same one."""
    assert list(shared_holes(subjects(market, *TICKERS))) == []


@pytest.mark.parametrize("silent", [TICKERS, TICKERS[:4]])
def test_a_hole_of_most_symbols_is_found_in_each(market: RevisedMarket, silent: tuple[str, ...]) -> None:
    """One flag for every symbol that is silent, from the first lost minute to the last."""
    hide(market, HOLE, *silent)

    flags = list(shared_holes(subjects(market, *TICKERS)))

    assert {flag.symbol for flag in flags} == set(silent)
    assert {(flag.start, flag.end, flag.rule) for flag in flags} == {(HOLE.start, HOLE.end, "shared_hole")}
    assert {flag.size for flag in flags} == {len(silent)}


def test_one_lost_minute_is_enough(market: RevisedMarket) -> None:
    """Six liquid symbols are never silent in the same minute by chance."""
    minute = Span(HOLE.start, HOLE.start + MINUTE)
    hide(market, minute, *TICKERS)

    assert {(flag.start, flag.end) for flag in shared_holes(subjects(market, *TICKERS))} == {
        (minute.start, minute.end)
    }


def test_two_symbols_prove_nothing(market: RevisedMarket) -> None:
    """Two may be halted; a hole takes three."""
    hide(market, HOLE, "AAPL", "MSFT")

    assert list(shared_holes(subjects(market, *TICKERS))) == []
    assert list(shared_holes(subjects(market, "AAPL", "MSFT"))) == []


def test_what_is_not_stored_yet_is_no_hole(market: RevisedMarket) -> None:
    """Series that all end at noon, and days that nobody has, are for the ledger to say."""
    hide(market, Span(ny("2026-05-22 12:00"), WEEKS.end), *TICKERS)
    hide(market, Span(ny("2026-05-06"), ny("2026-05-07")), *TICKERS)

    assert list(shared_holes(subjects(market, *TICKERS))) == []


def test_thin_symbols_have_no_say(market: RevisedMarket) -> None:
    """A symbol that trades in few minutes neither makes nor hides a hole."""
    hide(market, HOLE, "AAPL", "MSFT", "SPY", "BTC")

    assert {flag.symbol for flag in shared_holes(subjects(market, "AAPL", "MSFT", "SPY", "BTC"))} == {
        "AAPL",
        "MSFT",
        "SPY",
    }
