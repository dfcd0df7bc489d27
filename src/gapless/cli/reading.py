"""bars: the stored bars as a table, as CSV, as JSON or as candles."""

import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING

import click

from gapless.cli.session import Session, end_option, start_option, view_options, with_session
from gapless.errors import BarsMissing, DoubtfulAdjustmentWarning, NotStored, UsageError

if TYPE_CHECKING:
    from gapless.app import Bars, Warehouse
    from gapless.frames.bars import SymbolBars

_ON_A_TERMINAL = 20
_SHOWN = ("open", "high", "low", "close", "volume", "trades")
_LEFT_OUT = ("trades", "volume", "open", "high", "low")
"""Columns that a table does without where room is short, in this order."""
_MARKS = {"!": "bars are missing before this one", "~": "can still change"}


@click.command()
@click.argument("symbols", nargs=-1, required=True)
@click.option("-t", "--timeframe", default="1d", metavar="NAME", help="Timeframe of the bars.  [1d]")
@start_option
@end_option
@view_options
@click.option("--as-of", metavar="DATE", help="What was known at this moment.")
@click.option(
    "--on-gap",
    default="raise",
    metavar="WORD",
    help="Where bars are missing: raise (an error), warn (name it, exit 3), mark, or fetch them first.  [raise]",
)
@click.option("--provisional", is_flag=True, help="Also bars that can still change.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="The last N bars of a symbol; 0: all.  [20 on a terminal, what fits in a chart, else all]",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV on a terminal too.")
@click.option("--chart", "as_chart", is_flag=True, help="Draw candles.")
@with_session(fetches=True)
def bars(
    session: Session,
    *,
    symbols: tuple[str, ...],
    timeframe: str,
    start: str | None,
    end: str | None,
    part: str,
    adjust: str | None,
    as_of: str | None,
    on_gap: str,
    provisional: bool,
    limit: int | None,
    as_csv: bool,
    as_chart: bool,
) -> int:
    """Print bars of SYMBOLS: a table on a terminal, CSV into a pipe.

    \b
    gapless bars AAPL -t 5m --session regular --adjust splits --start 2026-01-02
    gapless bars X:BTCUSD -t 1h --chart

    Times are starts of bars, in UTC. Bars that can still change are left out,
    and where bars are missing that is an error (--on-gap).
    """  # noqa: D301 - click's mark for lines that are not to be joined
    if session.as_json + as_csv + as_chart > 1:
        raise UsageError("--json, --csv and --chart do not go together.", hint="Choose one of them.")
    with session.open() as warehouse, _typed_hints(session, warehouse, symbols), _notes(session):
        found = warehouse.bars(
            symbols[0] if len(symbols) == 1 else symbols,
            timeframe,
            start,
            end,
            session=part,
            adjust=adjust,
            as_of=as_of,
            on_gap="mark" if on_gap == "warn" else on_gap,
            provisional=provisional,
        )
    if as_chart:
        from gapless.cli.chart import draw_charts

        draw_charts(session, found, limit)
    else:
        _show(session, found, limit, as_table=sys.stdout.isatty() and not (as_csv or session.as_json))
    if on_gap == "warn":
        return _warn(session, found)
    if found.gaps and not as_chart:
        session.say(f"Stretches that are missing: {len(found.gaps)}. `--on-gap warn` names them.")
    return 0


@contextmanager
def _notes(session: Session) -> Iterator[None]:
    """What the library warns of, in the words of this door."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DoubtfulAdjustmentWarning)
        yield
    for warning in caught:
        session.say(f"note: {_with_store(session, str(warning.message))}")


@contextmanager
def _typed_hints(session: Session, warehouse: "Warehouse", symbols: Sequence[str]) -> Iterator[None]:
    """What to do about missing bars, as it is typed here: with our own option, and for this store."""

    def typed(hint: str) -> str:
        shown = hint.replace('on_gap="mark"', "`--on-gap mark`")
        return _meant(warehouse, symbols) + _with_store(session, shown)

    try:
        yield
    except NotStored as error:
        raise NotStored(error.message, hint=typed(error.hint)) from None
    except BarsMissing as error:
        raise BarsMissing(error.message, gaps=error.gaps, hint=typed(error.hint)) from None


def _meant(warehouse: "Warehouse", symbols: Sequence[str]) -> str:
    """What is stored under a name like that of a symbol that is not, as a question; empty where nothing is."""
    from gapless.vocabulary.instrument import Instrument

    stored = {series.instrument.ticker for series in warehouse.store.series() if series.bars}
    tickers = [Instrument.parse(symbol).ticker for symbol in symbols]
    names = [ticker.upper() for ticker in tickers if ticker not in stored]
    likely = [like for name in names for like in (name, f"X:{name}", f"X:{name}USD") if like in stored]
    return f"Did you mean {', '.join(likely)}, which is stored? If not: " if likely else ""


def _with_store(session: Session, words: str) -> str:
    """The commands in these words as they are typed for this store."""
    if store := session.flags.get("store"):
        return re.sub(r"`(gapless [^`]+)`", lambda command: f"`{command[1]} --store {quote(store)}`", words)
    return words


def _warn(session: Session, found: "Bars") -> int:
    """Name what is missing, on standard error; returns the exit code."""
    from gapless.cli.render import gap_words

    for gap in found.gaps:
        session.say(f"missing: {gap_words(gap)}")
    return BarsMissing.exit_code if found.gaps else 0


def _show(session: Session, found: "Bars", limit: int | None, *, as_table: bool) -> None:
    from gapless.cli.render import show_json, write_csv

    parts = last_of(session, found, limit if limit is not None else _ON_A_TERMINAL if as_table else 0)
    heads = ["symbol"] * found.many + ["time", *parts[0].columns]
    if session.as_json:
        show_json([dict(zip(heads, row, strict=True)) for row in _rows(parts, many=found.many)])
    elif as_table:
        _draw(session, found, parts, heads)
    else:
        write_csv(heads, _rows(parts, many=found.many))


def last_of(session: Session, found: "Bars", wanted: int) -> "list[SymbolBars]":
    """The last so many bars of each symbol, 0 for all; what is left out is told."""
    from gapless.frames.bars import SymbolBars

    parts = [
        SymbolBars(part.symbol, part.batch.take(slice(-wanted, None)), part.final[-wanted:])
        for part in found.parts
    ]
    if (shown := sum(len(part.batch) for part in parts)) < len(found):
        session.say(f"The last {shown:,} of {len(found):,} bars.")
    return parts


def _rows(parts: "Iterable[SymbolBars]", *, many: bool) -> Iterator[list[object]]:
    """Bars as rows of text and numbers; None is a number that the vendor did not give."""
    from gapless.reports.plain import iso
    from gapless.vocabulary.batch import NO_TRADES

    for part in parts:
        symbol = [part.symbol] * many
        columns = [column.tolist() for column in part.columns.values()]
        for *numbers, trades, final in zip(*columns, strict=True):
            given = (None if number != number else number for number in numbers)  # noqa: PLR0124 - NaN alone is not itself
            yield [*symbol, iso(numbers[0]), *given, None if trades == NO_TRADES else trades, final]


def _draw(session: Session, found: "Bars", parts: "Sequence[SymbolBars]", heads: list[str]) -> None:
    from gapless.cli.render import draw, draw_fitting, minute, number

    marks = [mark for part in parts for mark in marks_of(found, part)]
    rows = []
    for mark, values in zip(marks, _rows(parts, many=found.many), strict=True):
        row = dict(zip(heads, values, strict=True))
        when = minute(int(str(row["ts"]))) + mark
        rows.append([*map(str, values[: int(found.many)]), when, *(number(row[name]) for name in _SHOWN)])
    shown = (*["symbol"] * int(found.many), "time (UTC)", *_SHOWN)
    left_out = draw_fitting(
        shown,
        rows,
        right=[str(shown.index(name)) for name in _SHOWN],
        spare=[shown.index(name) for name in _LEFT_OUT],
    )
    draw(*(f"{mark} {words}" for mark, words in _MARKS.items() if mark in "".join(marks)))
    if left_out:
        session.say(left_out)


def marks_of(found: "Bars", part: "SymbolBars") -> list[str]:
    """A mark for each bar: `!` after a gap, `~` where it can still change, both, or nothing."""
    after = {
        int(part.batch.ts.searchsorted(gap.start))
        for gap in found.gaps
        if gap.symbol == part.symbol and len(part.batch) and gap.end > part.batch.ts[0]
    }
    finals = part.final.tolist()
    return ["!" * (place in after) + "~" * (not final) for place, final in enumerate(finals)]
