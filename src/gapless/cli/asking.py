"""sql: one query over what is stored."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from gapless.cli.session import Session, with_session

if TYPE_CHECKING:
    from gapless.sql import SqlResult


@click.command()
@click.argument("query", required=False)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10_000,
    metavar="N",
    help="The most rows that are shown; 0: all.  [10000]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    metavar="SECONDS",
    help="Stop after this time; 0: never.  [60]",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV on a terminal too.")
@with_session()
def sql(session: Session, query: str | None, limit: int, timeout: float, as_csv: bool) -> None:
    """Ask in SQL: a table on a terminal, CSV into a pipe.

    \b
    gapless sql "select symbol, max(close) from bars group by symbol"

    Without QUERY it lists the views and their columns. A query only reads, in
    DuckDB's dialect, and sees nothing but these views. Times are UTC.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    from gapless.sql import Limits

    if query is None:
        _list_views(session)
        return
    limits = Limits(seconds=timeout or None, rows=limit or None)
    with session.open() as warehouse, warehouse.sql(query, limits=limits) as result:
        _show(session, result, as_table=sys.stdout.isatty() and not as_csv)
        if result.cut:
            session.say(f"{result.note[:1].upper()}{result.note[1:]}; `--limit 0` shows all.")


def _list_views(session: Session) -> None:
    from gapless.app.views import BAR_COLUMNS, COLUMNS
    from gapless.cli.render import draw, show_json, table

    views = {"bars": BAR_COLUMNS, **COLUMNS}
    if session.as_json:
        show_json(views)
    else:
        draw(table(("view", "columns"), [(name, ", ".join(kinds)) for name, kinds in views.items()]))


def _show(session: Session, result: "SqlResult", *, as_table: bool) -> None:
    from gapless.cli.render import draw_fitting, number, show_json, write_csv

    if session.as_json:
        show_json([dict(zip(result.columns, row, strict=True)) for row in _rows(result)])
    elif as_table:
        rows = list(_rows(result))
        right = [str(place) for place in range(len(result.columns)) if _numeric(rows, place)]
        shown = [[number(cell) for cell in row] for row in rows]
        spare = range(len(result.columns) - 1, 0, -1)
        if left_out := draw_fitting(result.columns, shown, right=right, spare=spare):
            session.say(left_out)
    else:
        write_csv(result.columns, _rows(result))


def _rows(result: "SqlResult") -> Iterator[list[object]]:
    """The rows as they are read, instants as ISO text in UTC."""
    for batch in result.reader():
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield [_plain(cell) for cell in row]


def _plain(cell: object) -> object:
    if isinstance(cell, datetime):
        if cell.tzinfo is None:
            return cell.isoformat()
        return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return cell.isoformat() if isinstance(cell, date) else cell


def _numeric(rows: Sequence[Sequence[object]], place: int) -> bool:
    cells = [row[place] for row in rows if row[place] is not None]
    return bool(cells) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells)
