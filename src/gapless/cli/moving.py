"""export, import: bars to files, and back."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gapless.cli.session import (
    Session,
    end_option,
    start_option,
    timeframes_option,
    view_options,
    with_session,
)
from gapless.errors import BarsMissing, UsageError
from gapless.vocabulary.timeframe import Timeframe

if TYPE_CHECKING:
    from gapless.transfer import ImportReceipt, Layout

_NAMED = 10
"""So many gaps are named, the others counted."""


@click.command()
@click.argument("symbols", nargs=-1)
@timeframes_option
@start_option
@end_option
@view_options
@click.option(
    "--format",
    "fmt",
    default="csv",
    metavar="NAME",
    help="A folder of csv, parquet or arrow files, or one sqlite file (table market_data).  [csv]",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The folder or file to write.",
)
@with_session()
def export(
    session: Session,
    symbols: tuple[str, ...],
    timeframes: tuple[str, ...],
    start: str | None,
    end: str | None,
    part: str,
    adjust: str | None,
    fmt: str,
    out: Path,
) -> int:
    """Write final bars of SYMBOLS, or of everything asked for, to files.

    \b
    gapless export --format parquet --out bars/

    A folder has a file for each timeframe, symbol and year. The same command
    again goes on after a stop, and writes only what is new.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    from gapless.cli.render import gap_words, show_json

    with session.open() as warehouse:
        receipt = warehouse.export(out, fmt, symbols, timeframes, start, end, session=part, adjust=adjust)
    if session.as_json:
        show_json(receipt)
    else:
        session.say(
            f"{receipt.rows:,} bars in {receipt.path}; files: {receipt.files}"
            f" ({receipt.made} written, {receipt.kept} kept)."
        )
    for gap in receipt.gaps[:_NAMED]:
        session.say(f"missing: {gap_words(gap)}")
    if (more := len(receipt.gaps) - _NAMED) > 0:
        session.say(f"missing: {more} more stretches")
    if timeframes and fmt != "sqlite" and all(Timeframe.parse(name).derived for name in timeframes):
        session.say("Only 1m and 1d can be imported again; all else is made of them: add `-t 1m` for that.")
    return BarsMissing.exit_code if receipt.gaps else 0


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path), metavar="PATH")
@click.option("--base", metavar="NAME", help="What the rows of a file are: 1m or 1d.")
@click.option(
    "--symbol", metavar="SYMBOL", help="The symbol of all rows of a file, where no column tells it."
)
@click.option(
    "--columns", metavar="LIST", help="Ours=theirs with commas between: ts=Date,open=Open,close=Last."
)
@click.option(
    "--time",
    metavar="NAME",
    help="How times are written: iso, s, ms, us, ns, or a pattern: %m/%d/%Y %H:%M.  [iso]",
)
@click.option("--zone", metavar="ZONE", help="The zone of times that do not say theirs: America/New_York.")
@click.option("--stamp", metavar="EDGE", help="Which edge of its bar a time is: start or end.  [start]")
@click.option("--replace", is_flag=True, help="Where final bars differ, the file's become the newer version.")
@with_session()
def import_(
    session: Session,
    source: Path,
    base: str | None,
    symbol: str | None,
    columns: str | None,
    time: str | None,
    zone: str | None,
    stamp: str | None,
    replace: bool,
) -> None:
    """Take in an exported folder, or a CSV or Parquet file of your own.

    \b
    gapless import bars/
    gapless import my.csv --symbol AAPL --base 1m --columns ts=Date,close=Last

    A folder brings its proofs along and needs no options. A file proves its
    bars and nothing between them.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    from gapless.cli.render import show_json

    given = {"symbol": symbol, "columns": columns, "time": time, "zone": zone, "stamp": stamp}
    layout = _layout(source, base, {name: text for name, text in given.items() if text is not None})
    # Read before a store is made: a word that is not understood leaves nothing behind.
    with session.open(create=True) as warehouse:
        receipt = warehouse.import_(source, layout, replace=replace)
    if session.as_json:
        show_json(receipt)
    else:
        session.say(_words(receipt))


def _layout(source: Path, base: str | None, given: dict[str, str]) -> "Layout | None":
    """How the rows of a file are to be read; None for a folder, which says so itself.

    Raises:
        UsageError: nothing is there, or options do not fit what is there, or cannot be.
    """
    from gapless.transfer import Layout
    from gapless.vocabulary.timeframe import Base

    if not source.exists():
        raise UsageError(
            f"There is no file or folder `{source}`.",
            hint="Name a folder that `gapless export` made, or a file.",
        )
    if source.is_dir():
        if base or given:
            names = ", ".join(f"--{name}" for name in (["base"] if base else []) + list(given))
            raise UsageError(
                f"`{source}` is a folder, which says itself what it holds; {names} came with it.",
                hint="Leave these options out, or name a file.",
            )
        return None
    if base not in tuple(Base):
        said = f"`--base` was `{base}`." if base else "It is not said what the rows of the file are (--base)."
        raise UsageError(said, hint="Use --base 1m or --base 1d; other timeframes are made from these.")
    columns = _pairs(given.pop("columns", ""))
    return Layout(Base(base), columns, **given)


def _pairs(text: str) -> dict[str, str]:
    """`ts=Date,open=Open` as what our columns are called in the file.

    Raises:
        UsageError: a part that is not like that.
    """
    pairs: dict[str, str] = {}
    for part in text.split(",") if text else []:
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not (ours and equals and theirs) or ours in pairs:
            raise UsageError(
                f"`--columns` has `{part.strip()}`.",
                hint="Write ours=theirs, each once: ts=Date,open=Open,close=Last.",
            )
        pairs[ours] = theirs
    return pairs


def _words(receipt: "ImportReceipt") -> str:
    did = receipt.stored
    return (
        f"{receipt.rows:,} bars of {receipt.series} series read from {receipt.path}: {did.inserted:,} new,"
        f" {did.corrected:,} corrected, {did.withdrawn:,} withdrawn, {did.unchanged:,} as they were."
    )
