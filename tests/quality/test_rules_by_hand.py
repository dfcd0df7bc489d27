"""Each rule on bars made by hand: what it must find, and what it must leave alone."""

from dataclasses import replace
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

from gapless.quality import RULES, examine, shared_holes
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from quality.subjects import MONDAY, changed, found, midnight, starts, subject, walk

MINUTES = walk(600)
DAYS = walk(120, step=DAY, move=0.01)
AT = 300
THERE = int(MINUTES.ts[AT])


def test_every_rule_is_explained_in_one_line() -> None:
    """The list for people names all seven."""
    assert list(RULES) == ["ohlc", "bad_print", "jump", "volume", "day_differs", "flat", "shared_hole"]
    assert all(about and "\n" not in about for about in RULES.values())


def test_sound_bars_raise_no_flag() -> None:
    """A plain walk of minutes and days is nothing to talk about."""
    assert list(examine(subject(MINUTES))) == []
    assert list(examine(subject(None, DAYS))) == []


def test_nothing_stored_raises_no_flag() -> None:
    """Neither absent series nor empty ones are findings."""
    one = subject(MINUTES)

    assert list(examine(replace(one, minutes=None))) == []
    assert list(examine(replace(one, minutes=Batch.empty(), days=Batch.empty()))) == []


def test_an_unknown_calendar_stops_no_rule() -> None:
    """Without sessions, bars are still compared with their neighbours."""
    odd = changed(changed(MINUTES, AT, high=150.0), 100, volume=1e9)
    one = subject(odd, DAYS)
    nowhen = one.sessions.take(slice(0, 0))

    assert [flag.rule for flag in examine(replace(one, sessions=nowhen))] == ["bad_print", "volume"]
    assert list(shared_holes([replace(one, sessions=nowhen)])) == []


# -- ohlc --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "size"),
    [
        ({"open": 90.0, "high": 100.0, "low": 100.0, "close": 100.0}, 0.1),
        ({"open": 100.0, "high": 80.0, "low": 80.0, "close": 80.0}, 0.2),
        ({"open": 100.0, "high": 98.0, "low": 99.0, "close": 98.5}, 0.02),
        ({"low": 0.0}, 1.0),
        ({"close": -3.0}, 1.0),
        ({"open": nan}, 1.0),
        ({"high": inf}, 1.0),
        ({"open": inf, "high": inf, "low": inf, "close": inf}, 1.0),
    ],
)
def test_a_bar_that_contradicts_itself_is_found(numbers: dict[str, float], size: float) -> None:
    """Low above high, open or close outside, no positive number: one flag, by how far it is off."""
    (flag,) = found(subject(changed(MINUTES, AT, **numbers)), "ohlc")

    assert (flag.symbol, flag.base, flag.start, flag.end) == ("X:BTCUSD", Base.MINUTE, THERE, THERE + MINUTE)
    assert flag.size == pytest.approx(size)


def test_a_vwap_outside_the_bar_is_normal() -> None:
    """It counts trades that set no high and no low."""
    outside = replace(MINUTES, vwap=MINUTES.high * 2)

    assert list(examine(subject(outside))) == []


# -- bad prints --------------------------------------------------------------


@pytest.mark.parametrize(
    "numbers",
    [{"high": 103.5}, {"low": 96.0}, {"high": 1000.0, "close": 1000.0}, {"low": 10.0, "open": 10.0}],
)
def test_a_price_that_jumps_and_comes_back_is_found(numbers: dict[str, float]) -> None:
    """Up or down, in the middle of the minute or at its edges."""
    (flag,) = found(subject(changed(MINUTES, AT, **numbers)), "bad_print")

    assert flag.start == THERE
    assert ("above" if "high" in numbers else "below") in flag.reason


def test_a_move_that_stays_is_no_bad_print() -> None:
    """Ten per cent up, and there it remains."""
    after = slice(AT, None)
    columns = {name: getattr(MINUTES, name)[after] * 1.1 for name in ("open", "high", "low", "close")}
    moved = Batch.concat((MINUTES.take(slice(0, AT)), replace(MINUTES.take(after), **columns)))

    assert found(subject(moved), "bad_print") == []


def test_a_panic_of_several_minutes_is_no_bad_print() -> None:
    """Five bars in a row that fall and return traded at those prices."""
    several = slice(AT, AT + 5)

    assert (
        found(subject(changed(MINUTES, several, open=94.0, high=94.2, low=93.8, close=94.0)), "bad_print")
        == []
    )


def test_the_same_wick_on_a_wild_tape_is_no_finding() -> None:
    """Two per cent is nothing where nine minutes in ten move by up to one."""
    wild = walk(600, move=0.005)
    top = float(wild.close[AT - 3 : AT + 4].max())

    assert found(subject(changed(wild, AT, high=top * 1.02)), "bad_print") == []
    assert starts(found(subject(changed(wild, AT, high=top * 1.30)), "bad_print")) == [THERE]


# -- jumps -------------------------------------------------------------------


def halved(days: Batch, at: int) -> Batch:
    """The same days, at half the price from one of them on."""
    columns = {name: getattr(days, name)[at:] / 2 for name in ("open", "high", "low", "close")}
    return Batch.concat((days.take(slice(0, at)), replace(days.take(slice(at, None)), **columns)))


def test_a_halving_with_no_split_is_found_and_with_its_split_is_not() -> None:
    """What the split explains is no jump."""
    days, split = halved(DAYS, 60), int(DAYS.ts[60])

    (flag,) = found(subject(None, days), "jump")

    assert flag.start == split
    assert "no split" in flag.reason
    assert found(subject(None, days, splits=[(split, Fraction(2))]), "jump") == []


def test_a_split_that_left_no_trace_is_found() -> None:
    """Prices that were adjusted before they came, or a split that never was."""
    (flag,) = found(subject(None, DAYS, splits=[(int(DAYS.ts[60]), Fraction(7))]), "jump")

    assert flag.start == DAYS.ts[60]
    assert "a split of 7 for 1" in flag.reason


def test_two_splits_of_one_night_are_one_step() -> None:
    """One for four and eight for one make two for one."""
    night = int(DAYS.ts[60])

    assert (
        found(subject(None, halved(DAYS, 60), splits=[(night, Fraction(1, 4)), (night, Fraction(8))]), "jump")
        == []
    )


def test_prices_on_both_sides_of_a_long_hole_are_not_compared() -> None:
    """Where two weeks are missing, the hole is the finding."""
    days = halved(DAYS, 60).take(np.r_[0:45, 60:120])

    assert found(subject(None, days), "jump") == []


# -- volume ------------------------------------------------------------------


def test_a_thousandfold_volume_is_found() -> None:
    """And its size says how many times the usual it is."""
    others = np.delete(MINUTES.volume[AT - 30 : AT + 31], 30)
    usual = float(np.sort(others)[54])

    (flag,) = found(subject(changed(MINUTES, AT, volume=1000 * usual)), "volume")

    assert flag.start == THERE
    assert flag.size == pytest.approx(1000)


def test_a_volume_that_is_big_every_day_is_no_finding() -> None:
    """An auction is a hundred times a usual minute, each day at the same time; alone it would be a flag."""
    day = walk(390, start=midnight("2026-05-04") + 570 * MINUTE)
    auction = changed(day, 389, volume=1e6)
    week = [replace(auction, ts=auction.ts + k * DAY) for k in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)]
    plain = [changed(one, 389, volume=1000.0) for one in week]

    assert found(subject(Batch.concat(week), ticker="SPY"), "volume") == []
    assert starts(
        found(subject(Batch.concat([*plain[:5], week[5], *plain[6:]]), ticker="SPY"), "volume")
    ) == [int(week[5].ts[389])]


def test_the_open_is_not_compared_with_the_hours_before() -> None:
    """Regular hours begin with a hundred times the volume of the pre-market."""
    day = walk(720, start=midnight("2026-05-04") + 240 * MINUTE)
    volume = np.where(np.arange(720) < 330, 20.0, 5000.0)

    assert found(subject(replace(day, volume=volume), ticker="SPY"), "volume") == []


# -- days and minutes --------------------------------------------------------


def test_a_day_that_disagrees_with_its_minutes_is_found() -> None:
    """Every number has its own flag, on the day bar."""
    minutes = walk(1440)
    right = Batch(
        minutes.ts[:1],
        minutes.open[:1],
        np.array([minutes.high.max()]),
        np.array([minutes.low.min()]),
        minutes.close[-1:],
        np.array([minutes.volume.sum() * 1.1]),
        minutes.vwap[:1],
        minutes.trades[:1],
    )

    assert found(subject(minutes, right), "day_differs") == []
    assert found(subject(minutes, changed(right, 0, close=minutes.close[-1] * 1.009)), "day_differs") == []
    for numbers in ({"low": 15.0}, {"high": 150.0}, {"open": 50.0}, {"close": 200.0}):
        (flag,) = found(subject(minutes, changed(right, 0, **numbers)), "day_differs")
        assert (flag.base, flag.start, flag.end) == (Base.DAY, MONDAY, MONDAY + DAY)
        assert flag.reason.split()[0] in numbers
    for factor in (0.5, 10.0):
        (flag,) = found(
            subject(minutes, changed(right, 0, volume=minutes.volume.sum() * factor)), "day_differs"
        )
        assert flag.reason.startswith("volume")


def test_what_is_not_stored_is_not_compared() -> None:
    """A day without minutes and minutes without a day are for the ledger."""
    day = walk(1, start=MONDAY + DAY, step=DAY)

    assert found(subject(walk(1440), day), "day_differs") == []


# -- flat stretches ----------------------------------------------------------


def test_a_price_that_stands_still_with_volume_is_found() -> None:
    """Forty minutes at one price are one flag from the first of them to the last."""
    still = slice(AT, AT + 40)
    flat = changed(MINUTES, still, open=100.0, high=100.0, low=100.0, close=100.0)

    (flag,) = found(subject(flat), "flat")

    assert (flag.start, flag.end, flag.size) == (THERE, THERE + 40 * MINUTE, 40)


def test_stretches_that_are_short_or_filled_are_no_finding() -> None:
    """Under half an hour happens; a volume of nought is somebody's filling."""
    prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)

    assert found(subject(changed(MINUTES, slice(AT, AT + 29), **prices)), "flat") == []
    assert found(subject(changed(MINUTES, slice(AT, AT + 40), volume=0.0, **prices)), "flat") == []


def test_a_cheap_instrument_may_stand_still() -> None:
    """Where most minutes repeat the price, forty in a row prove nothing."""
    dice = np.random.default_rng(5)
    edges = np.float64(0.02) + 0.0001 * np.cumsum(dice.random(3000) < 0.05).astype(np.float64)
    cheap = walk(3000)
    cheap = replace(cheap, open=edges, high=edges, low=edges, close=edges)

    assert found(subject(cheap), "flat") == []


# -- the span ----------------------------------------------------------------


def test_bars_around_the_span_are_context_only() -> None:
    """A flag starts inside the span that was asked for."""
    odd = changed(changed(MINUTES, AT, high=150.0, volume=1e9), 100, low=1.0, open=0.5)
    span = Span(THERE, THERE + MINUTE)

    assert {flag.start for flag in examine(subject(odd, span=span))} == {THERE}
