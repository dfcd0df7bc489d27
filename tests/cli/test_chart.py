"""Candles in the terminal: readable at 80 columns, without colour, and in a pipe."""

import sys

import numpy as np
import pytest

from cli.program import Ended, Gapless
from gapless.cli.chart import draw_charts
from gapless.cli.session import Session
from gapless.errors import UsageError
from gapless.frames import Bars
from gapless.frames.bars import SymbolBars
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.steps import Gap
from gapless.vocabulary.timeframe import Base

_FIRST = 1_704_205_800_000  # 2024-01-02 14:30 UTC
_FIVE = 300_000
_AXIS = 18
QUIET = Session(as_json=False, quiet=True)


def bars_of(closes: list[float], *, final: list[bool] | None = None, gaps: tuple[Gap, ...] = ()) -> Bars:
    """Five-minute bars, each from the close before to its own, a tenth above and below."""
    close = np.array(closes[1:])
    opened = np.array(closes[:-1])
    ts = _FIRST + _FIVE * np.arange(len(close), dtype=np.int64)
    high, low = np.maximum(opened, close) + 0.1, np.minimum(opened, close) - 0.1
    many = np.full(len(close), 1000.0)
    batch = Batch(ts, opened, high, low, close, many, close, np.full(len(close), 10))
    is_final = np.array(final if final is not None else [True] * len(close), np.bool_)
    return Bars("5m", (SymbolBars("AAPL", batch, is_final),), gaps=gaps)


def drawn(capsys: pytest.CaptureFixture[str], bars: Bars, limit: int | None = None) -> list[str]:
    """The chart as lines, without what pads them."""
    draw_charts(QUIET, bars, limit)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_candle_is_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    """Prices up the left, times below, a `+` or `-` under each candle; a rise in a straight line goes up."""
    lines = drawn(capsys, bars_of([float(price) for price in range(100, 120)]))
    assert lines[0] == "AAPL 5m  119 (+19.00%)  2024-01-02 14:30 to 2024-01-02 16:00 UTC"
    assert lines[-2] == " " * _AXIS + "└01-02 14:30  └15:40"
    assert lines[-1] == "+ up  - down".ljust(_AXIS) + "+" * 19
    rows = lines[1:-2]
    assert all(row[13] in "│┤" for row in rows)
    tops = [next(y for y, row in enumerate(rows) if row[x : x + 1].strip()) for x in range(_AXIS, _AXIS + 19)]
    assert tops == sorted(tops, reverse=True)
    assert tops[0] - tops[-1] >= len(rows) // 2
    assert max(map(len, rows)) == _AXIS + 19


def test_prices_on_the_axis_are_those_of_the_bars(capsys: pytest.CaptureFixture[str]) -> None:
    """A currency pair that moves by a thousandth has digits enough to tell its rows apart."""
    lines = drawn(capsys, bars_of([1.1 + step / 5e4 for step in range(40)]))
    told = [float(line.split()[0]) for line in lines[1:-2] if "┤" in line]
    assert len(told) == 3
    assert told == sorted({*told}, reverse=True)
    assert all(0.99 < price < 1.21 for price in told)


def test_the_last_that_fit_are_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """Sixty at 80 columns, or fewer if so many are asked for."""
    walk = [100 + step % 7 for step in range(201)]
    for limit, count in ((None, 60), (500, 60), (0, 60), (12, 12)):
        lines = drawn(capsys, bars_of([float(price) for price in walk]), limit)
        assert len(lines[-1]) == _AXIS + count
        assert max(map(len, lines)) <= 80
        assert len(lines) <= 22


def test_gaps_and_what_is_not_final_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    """A `!` under the bar after a gap, a `~` under one that can change, and the gaps in words."""
    gaps = tuple(
        Gap(
            "AAPL",
            Base.MINUTE,
            _FIRST + at * _FIVE + 60_000,
            _FIRST + at * _FIVE + 90_000,
            "failed",
            why,
            None,
        )
        for at, why in enumerate(("no answer", "timed out", "no answer", "no answer"))
    )
    walk = [100.0, 101.0, 100.0, 101.0, 100.0, 101.0, 101.0]
    lines = drawn(capsys, bars_of(walk, final=[True] * 5 + [False], gaps=gaps))
    marks = lines.index("! gap  ~ not final".ljust(_AXIS) + " !!!!~")
    assert lines[marks - 1].endswith("+-+-+=")
    assert lines[marks + 1] == "missing 2024-01-02 14:31 to 2024-01-02 14:31: failed: no answer"
    assert lines[-1] == "and 1 more"
    assert len(lines) <= 22


def test_without_volumes_there_is_only_the_price(capsys: pytest.CaptureFixture[str]) -> None:
    """An index has none, and its candles get the room."""
    whole = bars_of([float(price) for price in range(100, 120)])
    batch = whole.parts[0].batch
    silent = Batch(*(np.full(len(batch), np.nan) if n == "volume" else c for n, c in batch.columns.items()))
    lines = drawn(capsys, Bars("5m", (SymbolBars("I:SPX", silent, whole.parts[0].final),)))
    assert lines[-3].split("│")[1].strip() != ""
    assert len(lines) == len(drawn(capsys, whole))
    assert lines != drawn(capsys, whole)


@pytest.mark.parametrize("price", [100.0, 0.000012345])
def test_a_price_that_stands_still_can_be_drawn(capsys: pytest.CaptureFixture[str], price: float) -> None:
    """Neither rise nor fall, and no division by nought."""
    still = np.full(3, price)
    ts = _FIRST + _FIVE * np.arange(3, dtype=np.int64)
    batch = Batch(ts, still, still, still, still, np.zeros(3), still, np.full(3, 1))
    lines = drawn(capsys, Bars("5m", (SymbolBars("X:SHIBUSD", batch, np.ones(3, np.bool_)),)))
    assert lines[-1].endswith("===")


@pytest.mark.parametrize(
    ("bars", "said"),
    [(bars_of([100.0]), "no bars of AAPL"), (bars_of([100.0, 101.0, 0.0]), "price of 0 or less")],
)
def test_what_cannot_be_drawn_is_told(bars: Bars, said: str) -> None:
    """No bars, or none that a price axis has room for."""
    with pytest.raises(UsageError, match=said) as told:
        draw_charts(QUIET, bars, None)
    assert told.value.hint


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, in so many words."""
    monkeypatch.setitem(sys.modules, "candlestick_chart", None)
    with pytest.raises(UsageError, match="candlestick_chart") as told:
        draw_charts(QUIET, bars_of([100.0, 101.0]), None)
    assert told.value.hint == 'Run: pip install "gapless[chart]"'


def test_in_a_pipe_it_is_plain(filled: tuple[Gapless, Ended]) -> None:
    """No escape codes, no line over 80 columns, no more than a screen; a chart for each symbol."""
    program, _ = filled
    done = program("bars", "X:BTCUSD", "-t", "1h", "--chart", "--end", "5d")
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert 15 < len(done.out.splitlines()) <= 23
    two = program("bars", "X:BTCUSD", "AAPL", "-t", "1d", "--chart", "--end", "5d")
    assert [line.split()[0] for line in two.out.splitlines() if " to " in line] == ["X:BTCUSD", "AAPL"]


@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_terminal_it_has_colours_unless_told_otherwise(
    filled: tuple[Gapless, Ended], no_color: str
) -> None:
    """As wide and high as the terminal; with NO_COLOR the marks alone tell rise from fall."""
    program, _ = filled
    words = ("bars", "X:BTCUSD", "-t", "1h", "--chart", "--end", "5d")
    done = program.on_terminal(*words, columns=100, lines=30, NO_COLOR=no_color)
    assert done.code == 0, done.err
    assert ("\x1b[38;" in done.out) == (not no_color)
    assert "+ up  - down" in done.out
    assert 24 < len(done.out.splitlines()) <= 29


def test_a_terminal_that_is_too_narrow_is_told(filled: tuple[Gapless, Ended]) -> None:
    """Exit 2 and how wide it must be."""
    program, _ = filled
    done = program.on_terminal("bars", "AAPL", "--chart", "--end", "5d", columns=25)
    assert (done.code, done.out) == (2, "")
    assert "30 columns" in done.error
