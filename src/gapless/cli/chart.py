"""Candles in a terminal: drawn by candlestick-chart, with a time axis and marks that need no colour."""

from collections.abc import Sequence
from math import ceil, log10
from typing import TYPE_CHECKING

from gapless.cli.reading import last_of, marks_of
from gapless.cli.render import console, gap_why, minute, number
from gapless.errors import UsageError
from gapless.frames.extras import extra
from gapless.vocabulary.timeframe import Base, Timeframe

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from gapless.app import Bars
    from gapless.cli.session import Session
    from gapless.frames.bars import SymbolBars
    from gapless.vocabulary.batch import Batch
    from gapless.vocabulary.steps import Gap

_AXIS = 18
"""Columns that candlestick-chart draws before the first candle."""

_MARGIN = 2
"""Columns that it leaves free after the last."""

_BESIDE = 5
"""Of the height that it is given, rows that it keeps for other things: an empty one comes first."""

_LINES = 24
"""Lines of output that no terminal tells the height of."""

_NEXT_TO_IT = 4
"""Lines of the terminal beside candles and marks: what was left out, title, times, the next prompt."""

_FEWEST = 10
"""Candles, and rows of them, below which a chart shows nothing."""

_DATE, _YEAR = len("2024-01-31"), len("2024-")
"""Characters of a time that are its date, and of a date that are its year."""

_NAMED = 3
"""So many gaps are named below a chart, the others counted."""


def draw_charts(session: "Session", found: "Bars", limit: int | None) -> None:
    """Draw the last bars of each symbol, as many as fit or at most `limit`.

    Raises:
        UsageError: the library for it is not installed, there is nothing to draw, or no room.
    """
    where = console()
    room = where.width - _AXIS - _MARGIN
    if room < _FEWEST:
        raise UsageError(
            f"A chart needs {_AXIS + _MARGIN + _FEWEST} columns; here are {where.width}.",
            hint="Make the terminal wider, or leave out --chart.",
        )
    if empty := [part.symbol for part in found.parts if not len(part.batch)]:
        raise UsageError(
            f"There are no bars of {', '.join(empty)} to draw.", hint="`gapless status` shows what is there."
        )
    for part in last_of(session, found, min(room, limit or room)):
        _draw(where, found, part)


def _draw(where: "Console", found: "Bars", part: "SymbolBars") -> None:
    from rich.text import Text

    batch, marks = part.batch, marks_of(found, part)
    below = [_line("+ up  - down", _directions(batch))]
    if any(marks):
        below.append(_line("! gap  ~ not final", [mark[:1] or " " for mark in marks]))
    below += _missing([gap for gap in found.gaps if gap.symbol == part.symbol])
    height = where.size.height if where.is_terminal else _LINES
    rows = max(_FEWEST, height - _NEXT_TO_IT - len(below))
    days = Timeframe.parse(found.timeframe).base is Base.DAY
    stamps = [minute(ts)[: _DATE if days else None] for ts in batch.ts.tolist()]
    candles = _candles(where, batch, rows)
    where.print(Text(_title(found, part, stamps)))
    where.print(candles, end="")
    for line in [" " * _AXIS + _times(stamps), *below]:
        where.print(Text(line), no_wrap=True, overflow="ellipsis")


def _candles(where: "Console", batch: "Batch", rows: int) -> "RenderableType":
    """So many lines of candles above their volumes, behind a price axis."""
    from rich.segment import SegmentLines

    with extra("chart", "candlestick_chart"):
        from candlestick_chart import Candle, Chart, constants
    if batch.low.min() <= 0:
        raise UsageError(
            "Bars with a price of 0 or less cannot be drawn.", hint="`gapless quality` tells which."
        )
    volumes = batch.volume.tolist()
    known = not any(volume != volume for volume in volumes)  # noqa: PLR0124 - NaN alone is not itself
    prices = zip(*(getattr(batch, name).tolist() for name in ("open", "high", "low", "close")), strict=True)
    candles = [
        Candle(open=opened, high=high, low=low, close=close, volume=volume if known else 0.0)
        for (opened, high, low, close), volume in zip(prices, volumes, strict=True)
    ]
    # Digits are the library's setting for the whole process; two would make one price of all of a currency pair's.
    constants.PRECISION = constants.PRECISION_SMALL = _digits(batch, rows)
    chart = Chart(candles, width=where.width, height=rows + _BESIDE)
    chart.set_volume_pane_enabled(known)
    options = where.options.update_dimensions(where.width, rows + _BESIDE)
    return SegmentLines(where.render_lines(chart, options, pad=False)[1 : rows + 1], new_lines=True)


def _digits(batch: "Batch", rows: int) -> int:
    """Digits after the point that tell each row of the price axis from the next."""
    step = (batch.high.max() - batch.low.min()) / rows
    return min(8, max(2, ceil(-log10(step)))) if step else 2


def _title(found: "Bars", part: "SymbolBars", stamps: Sequence[str]) -> str:
    first, last = float(part.batch.open[0]), float(part.batch.close[-1])
    change = f"{number(last)} ({last / first - 1:+.2%})"
    return f"{part.symbol} {found.timeframe}  {change}  {stamps[0]} to {stamps[-1]} UTC"


def _line(head: str, marks: Sequence[str]) -> str:
    return head.ljust(_AXIS) + "".join(marks)


def _directions(batch: "Batch") -> list[str]:
    return ["+" if rise > 0 else "-" if rise < 0 else "=" for rise in (batch.close - batch.open).tolist()]


def _times(stamps: Sequence[str]) -> str:
    """Times below the candles that they belong to, with room between; the date where it is another one."""
    line, day = "", ""
    for place, stamp in enumerate(stamps):
        date, _, time = stamp.partition(" ")
        label = "└" + (time if date == day else f"{date[_YEAR:]} {time}" if time else date)
        free = place >= len(line) + _MARGIN if line else True
        if free and place + len(label) <= len(stamps) + _MARGIN:
            line, day = line.ljust(place) + label, date
    return line


def _missing(gaps: "Sequence[Gap]") -> list[str]:
    lines = [f"missing {minute(gap.start)} to {minute(gap.end)}: {gap_why(gap)}" for gap in gaps[:_NAMED]]
    return lines + [f"and {len(gaps) - _NAMED} more"] * (len(gaps) > _NAMED)
