"""The completeness matrix: a row for each symbol and timeframe, a mark for each month, or year when many."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from gapless.cli.render import draw, table

if TYPE_CHECKING:
    from rich.text import Text

    from gapless.reports import Mark, SeriesStatus

_MOST_MONTHS = 36
_STYLE = {
    "#": "green",
    "+": "yellow",
    ".": "bold red",
    "~": "cyan",
    "x": "magenta",
    "-": "dim",
    " ": "",
}
_LEGEND = "# complete  + partly  . missing  ~ provisional  x refused by plan  - closed"


def draw_matrix(statuses: Sequence["SeriesStatus"]) -> None:
    """Draw the matrix with its legend; percent is rounded down, so that 100.0 means all."""
    months = _every_month(statuses)
    marks = [{one.month: one.mark for one in status.months} for status in statuses]
    keys = months
    if len(months) > _MOST_MONTHS:
        marks, keys = [_by_year(row) for row in marks], sorted({month[:4] for month in months})
    rows = [
        (
            status.symbol,
            status.timeframe,
            f"{status.percent:.1f}%",
            f"{status.bars:,}",
            _coloured("".join(row[key].value if key in row else " " for key in keys)),
        )
        for status, row in zip(statuses, marks, strict=True)
    ]
    draw(table(("symbol", "tf", "done", "base bars", _ruler(keys)), rows, right="23"), _coloured_legend())


def _every_month(statuses: Sequence["SeriesStatus"]) -> list[str]:
    """From the first month of any series to the last, without a hole."""
    named = sorted({one.month for status in statuses for one in status.months})
    if not named:
        return []
    (first_year, first), (last_year, last) = (map(int, name.split("-")) for name in (named[0], named[-1]))
    span = range(first_year * 12 + first - 1, last_year * 12 + last)
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in span]


def _by_year(marks: dict[str, "Mark"]) -> dict[str, "Mark"]:
    return {
        year: _together([mark for _, mark in group])
        for year, group in groupby(sorted(marks.items()), lambda pair: pair[0][:4])
    }


def _together(marks: Sequence["Mark"]) -> "Mark":
    """One mark for many: what they agree on, where closed time agrees with everything."""
    from gapless.reports import Mark

    said = set(marks) - {Mark.CLOSED, Mark.OUTSIDE}
    if len(said) <= 1:
        return said.pop() if said else Mark.CLOSED
    if said == {Mark.COMPLETE, Mark.PROVISIONAL}:
        return Mark.PROVISIONAL
    return Mark.PARTLY if said & {Mark.COMPLETE, Mark.PARTLY, Mark.PROVISIONAL} else Mark.MISSING


def _ruler(keys: Sequence[str]) -> str:
    """Years above the column in which they begin: each January, or each fifth year where a column is a year.

    The first column is named too, where there is room before the next name.
    """
    line = ""
    for place, key in enumerate(keys):
        if key.endswith("-01") or ("-" not in key and int(key) % 5 == 0):
            line = line.ljust(place) + key[:4]
    if not keys or line[: len(keys[0]) + 1].strip():
        return line
    return keys[0] + line[len(keys[0]) :]


def _coloured(marks: str) -> "Text":
    from rich.text import Text

    return Text.assemble(*(("".join(same), _STYLE[mark]) for mark, same in groupby(marks)))


def _coloured_legend() -> "Text":
    from rich.text import Text

    text = Text(_LEGEND)
    for mark, style in _STYLE.items():
        if mark != " ":
            text.stylize(style, (at := _LEGEND.index(mark)), at + 1)
    return text
