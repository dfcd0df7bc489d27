"""plan, backfill, update, repair: what asks the vendor, or tells what it would ask."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gapless.cli.presets import Preset, chosen
from gapless.cli.session import Command, Session, end_option, start_option, timeframes_option, with_session

if TYPE_CHECKING:
    from gapless.app import Warehouse
    from gapless.plan import Plan
    from gapless.reports import RunReport
    from gapless.vocabulary.events import Tell


def _wish_options(command: Command) -> Command:
    for option in reversed(
        (
            click.argument("symbols", nargs=-1),
            timeframes_option,
            start_option,
            end_option,
            click.option(
                "--preset", metavar="NAME", help="A list with a name: baseline (25 symbols) or quick (5)."
            ),
        )
    ):
        command = option(command)
    return command


_report_option = click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.json",
    help="Write the run's report to a file.",
)


@click.command()
@_wish_options
@with_session(fetches=True)
def plan(
    session: Session,
    symbols: tuple[str, ...],
    timeframes: tuple[str, ...],
    start: str | None,
    end: str | None,
    preset: str | None,
) -> None:
    """Tell what a backfill of SYMBOLS would ask for, without asking.

    It is the plan that `backfill` carries out: what is stored already is not in it.
    """
    from gapless.cli.render import show_json

    asked = chosen(symbols, timeframes, start, preset)
    with session.open(required=False) as warehouse:
        made = warehouse.plan(asked.symbols, asked.timeframes, asked.start, end)
    if session.as_json:
        show_json(made.as_dict())
    else:
        _draw(session, made)


def _draw(session: Session, made: "Plan") -> None:
    from gapless.cli.render import draw, minute, table
    from gapless.cli.runs import show_plan

    rows = [
        (
            series.instrument,
            series.base,
            minute(series.span.start),
            minute(series.span.end),
            sum(job.requests for job in series.jobs),
            f"{sum(job.bars for job in series.jobs):,}",
            _remarks(series.refused.length, series.waiting.length),
        )
        for series in made.series
    ]
    draw(table(("symbol", "base", "from (UTC)", "to (UTC)", "asks", "bars", ""), rows, right="45"))
    show_plan(session, made)


def _remarks(refused: int, waiting: int) -> str:
    said = (("before your plan's history", refused), ("not due yet", waiting))
    return ", ".join(words for words, length in said if length)


@click.command()
@_wish_options
@_report_option
@with_session(fetches=True)
def backfill(
    session: Session,
    symbols: tuple[str, ...],
    timeframes: tuple[str, ...],
    start: str | None,
    end: str | None,
    preset: str | None,
    report_file: Path | None,
) -> int:
    """Fetch what is missing of SYMBOLS; run the same command again to go on.

    \b
    gapless backfill AAPL X:BTCUSD -t 5m,1d --start 2024-01-01
    gapless backfill --preset quick

    Without --end it goes up to the last day whose bars are final. The first
    Ctrl-C finishes the page in hand, the second stops at once; both keep what
    was read.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    from gapless.cli.runs import show_plan

    asked = chosen(symbols, timeframes, start, preset)
    # Planned before a store is made: a word that is not understood, or no key, leaves nothing behind.
    with session.open(required=False) as before:
        made = before.plan(asked.symbols, asked.timeframes, asked.start, end)
    show_plan(session, made)
    if made.jobs:
        session.settings.key  # noqa: B018 - to look is the check: without a key there would be an empty store
    with session.open(create=True) as warehouse:
        return _run(
            session,
            warehouse,
            lambda tell: warehouse.backfill(asked.symbols, asked.timeframes, asked.start, end, tell=tell),
            asked,
            report_file,
        )


@click.command()
@click.argument("symbols", nargs=-1)
@_report_option
@with_session(fetches=True)
def update(session: Session, symbols: tuple[str, ...], report_file: Path | None) -> int:
    """Bring SYMBOLS, or everything that was ever asked for, up to now.

    The last few sessions are read again for late corrections; bars of a day
    that is not over are stored as provisional.
    """
    with session.open() as warehouse:
        return _run(
            session,
            warehouse,
            lambda tell: warehouse.update(symbols, tell=tell),
            Preset(symbols, (), ""),
            report_file,
        )


@click.command()
@click.argument("symbols", nargs=-1)
@_report_option
@with_session(fetches=True)
def repair(session: Session, symbols: tuple[str, ...], report_file: Path | None) -> int:
    """Ask again, now, for everything that is missing of SYMBOLS or of all."""
    with session.open() as warehouse:
        return _run(
            session,
            warehouse,
            lambda tell: warehouse.repair(symbols, tell=tell),
            Preset(symbols, (), ""),
            report_file,
        )


def _run(
    session: Session,
    warehouse: "Warehouse",
    work: Callable[["Tell"], "RunReport"],
    asked: Preset,
    report_file: Path | None,
) -> int:
    from gapless.cli.runs import carry_out, show_report, write_report

    report, code = carry_out(session, warehouse, work)
    try:
        show_report(session, report, warehouse.status(asked.symbols, asked.timeframes))
    finally:  # also where nobody reads what is shown
        if report_file:
            write_report(report, report_file)
    return code
