"""bars, export: the stored bars on their way out."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gapless.cli.session import Session, end_option, start_option, timeframes_option, with_session

if TYPE_CHECKING:
    from gapless.app import Bars

_ON_A_TERMINAL = 20
_SHOWN = ("open", "high", "low", "close", "volume")


@click.command()
@click.argument("symbol")
@click.option("-t", "--timeframe", default="1d", metavar="NAME", help="Timeframe of the bars.  [1d]")
@start_option
@end_option
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="The last N bars; 0: all.  [20 on a terminal, else all]",
)
@click.option("--provisional", is_flag=True, help="Also bars that can still change.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV on a terminal too.")
@with_session()
def bars(
    session: Session,
    symbol: str,
    timeframe: str,
    start: str | None,
    end: str | None,
    limit: int | None,
    provisional: bool,
    as_csv: bool,
) -> None:
    """Print bars of SYMBOL: a table on a terminal, CSV into a pipe.

    Times are starts of bars, in UTC. Bars that can still change are left out.
    """
    from gapless.cli.render import show_json

    with session.open() as warehouse:
        found = warehouse.bars(symbol, timeframe, start, end, provisional=provisional)
    drawn = sys.stdout.isatty() and not as_csv and not session.as_json
    wanted = limit if limit is not None else _ON_A_TERMINAL if drawn else 0
    first = max(0, len(found.batch) - wanted) if wanted else 0
    if first:
        session.say(f"The last {wanted} of {len(found.batch):,} bars; --limit 0 shows all.")
    if session.as_json:
        show_json([dict(zip(_heads(found), row, strict=True)) for row in _rows(found, first)])
    elif drawn:
        _draw(found, first)
    else:
        _write_csv(found, first)


def _heads(found: "Bars") -> list[str]:
    return ["time", *found.batch.columns, "final"]


def _rows(found: "Bars", first: int) -> Iterator[list[object]]:
    """Bars from position `first` on as rows of text and numbers; None is a number that the vendor did not give."""
    from gapless.cli.render import iso
    from gapless.vocabulary.batch import NO_TRADES

    columns = [column[first:].tolist() for column in found.batch.columns.values()]
    for *numbers, trades, final in zip(*columns, found.final[first:].tolist(), strict=True):
        given = (None if number != number else number for number in numbers)  # noqa: PLR0124 - NaN alone is not itself
        yield [iso(numbers[0]), *given, None if trades == NO_TRADES else trades, final]


def _write_csv(found: "Bars", first: int) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_heads(found))
    writer.writerows(_rows(found, first))


def _draw(found: "Bars", first: int) -> None:
    from gapless.cli.render import draw, minute, table

    heads = _heads(found)
    rows = []
    for values in _rows(found, first):
        row = dict(zip(heads, values, strict=True))
        mark = "" if row["final"] else "~"
        numbers = ("-" if row[name] is None else f"{row[name]:,.8g}" for name in _SHOWN)
        rows.append(
            (minute(int(str(row["ts"]))) + mark, *numbers, "-" if row["trades"] is None else row["trades"])
        )
    draw(table(("time (UTC)", *_SHOWN, "trades"), rows, right="123456"))


@click.command()
@click.argument("symbols", nargs=-1)
@timeframes_option
@start_option
@end_option
@click.option(
    "--format", "fmt", default="csv", metavar="NAME", help="csv, or sqlite (table market_data).  [csv]"
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="PATH", help="The new file to write."
)
@with_session()
def export(
    session: Session,
    symbols: tuple[str, ...],
    timeframes: tuple[str, ...],
    start: str | None,
    end: str | None,
    fmt: str,
    out: Path,
) -> None:
    """Write final bars of SYMBOLS, or of everything asked for, to a new file."""
    from gapless.cli.render import show_json

    with session.open() as warehouse:
        receipt = warehouse.export(out, fmt, symbols, timeframes, start, end)
    if session.as_json:
        show_json(receipt)
    else:
        session.say(f"{receipt.rows:,} bars of {receipt.series} series written to {receipt.path}.")
