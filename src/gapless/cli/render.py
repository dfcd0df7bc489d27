"""From the library's values to what people and programs read. Drawing itself is imported when it is done."""

import sys
from collections.abc import Container, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import click

from gapless.reports.plain import as_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from gapless.vocabulary.steps import Gap

_WIDTH = 80
"""Columns of output that no terminal tells the width of."""

_APART = 2
"""Blanks between the columns of a table."""

_LEAST = (len("2024-01-31T14:30:00Z"), len("X:BTCUSD"))
"""Characters of text that a column keeps where room is short; the second where it is shorter still."""


def minute(instant: int) -> str:
    """Unix milliseconds as people read them: UTC, to the minute."""
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def seconds(count: float) -> str:
    """A length of time as people say it."""
    if count < 90:  # noqa: PLR2004 - a minute and a half is still said in seconds
        return f"{count:.0f} s"
    minutes = round(count / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - two hours


def number(cell: object) -> str:
    """A number as people read it, to eight digits; `-` where there is none, other things as they are."""
    if isinstance(cell, float):
        return "-" if cell != cell else f"{cell:,.8g}"  # noqa: PLR0124 - NaN alone is not itself
    return "-" if cell is None else str(cell)


def gap_words(gap: "Gap") -> str:
    """What is missing and why, in a line."""
    return f"{gap.symbol} {gap.base} {minute(gap.start)} to {minute(gap.end)} UTC: {gap_why(gap)}"


def gap_why(gap: "Gap") -> str:
    """Why it is missing, and when it is asked for again."""
    why = f"{gap.outcome}: {gap.reason}" if gap.reason else gap.outcome
    return f"{why}; due {minute(gap.due)}" if gap.due else why


def write_csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as CSV, each as it comes; what is missing is empty."""
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)


def show_json(value: object) -> None:
    """Print data as JSON."""
    click.echo(as_json(value))


def console(*, stderr: bool = False) -> "Console":
    """Where to draw: coloured on a terminal, plain text of 80 columns elsewhere. NO_COLOR is respected."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        file=stream,
        width=None if stream.isatty() else _WIDTH,
        force_terminal=stream.isatty(),
        highlight=False,
        emoji=False,
        markup=False,
    )


def draw(*things: "RenderableType") -> None:
    """Draw on standard output."""
    where = console()
    for thing in things:
        where.print(thing)


def table(
    heads: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Container[str] = ""
) -> "RenderableType":
    """Rows under their heads, without lines; columns whose place is in `right` (`"13"`) end flush right.

    Those hold numbers. Long text wraps where room is short, and in the end everything does; nothing is cut.
    """
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _APART, 0, 0))
    widths, room = _widths(heads, rows), console().width
    least = next((one for one in _LEAST if _needs(widths, right, one) <= room), None)
    for place, head in enumerate(heads):
        flush: Literal["left", "right"] = "right" if str(place) in right else "left"
        whole = least is not None and (flush == "right" or widths[place] <= least)
        drawn.add_column(Text(head), justify=flush, no_wrap=whole, overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return drawn


def draw_fitting(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Container[str], spare: Iterable[int]
) -> str:
    """Draw a table without the columns that find no room, of `spare` in this order; returns a line about them."""
    widths, kept, room = _widths(heads, rows), list(range(len(heads))), console().width
    for place in spare:
        numbers = [str(at) for at, column in enumerate(kept) if str(column) in right]
        if _needs([widths[column] for column in kept], numbers, _LEAST[0]) <= room:
            break
        kept.remove(place)
    numbers = [str(at) for at, column in enumerate(kept) if str(column) in right]
    draw(table([heads[at] for at in kept], [[row[at] for at in kept] for row in rows], right=numbers))
    out = ", ".join(head for place, head in enumerate(heads) if place not in kept)
    return f"No room for {out}: a wider terminal shows all, so do --csv and --json." if out else ""


def _widths(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """The characters of the longest cell of each column."""
    return [max(len(str(cell)) for cell in column) for column in zip(heads, *rows, strict=True)]


def _needs(widths: Sequence[int], numbers: Container[str], least: int) -> int:
    """Columns of output for a table whose text wraps at `least` characters, and its numbers never."""
    parts = [width if str(place) in numbers else min(width, least) for place, width in enumerate(widths)]
    return sum(parts) + _APART * (len(parts) - 1)
