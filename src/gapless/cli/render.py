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

    The last column takes what is left of the width, and wraps.
    """
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        flush: Literal["left", "right"] = "right" if str(place) in right else "left"
        last = place == len(heads) - 1
        drawn.add_column(Text(head), justify=flush, no_wrap=not last, overflow="fold" if last else "ellipsis")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return drawn
