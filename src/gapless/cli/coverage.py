"""status, gaps, explain, forget: what is there, what is missing and why, and what is wanted no longer."""

from typing import TYPE_CHECKING

import click

from gapless.cli.session import Session, timeframes_option, with_session
from gapless.errors import NotStored

if TYPE_CHECKING:
    from gapless.vocabulary.steps import Gap


@click.command()
@click.argument("symbols", nargs=-1)
@timeframes_option
@with_session()
def status(session: Session, symbols: tuple[str, ...], timeframes: tuple[str, ...]) -> None:
    """Show how complete SYMBOLS, or everything asked for, is: a mark a month.

    The percentage is of the time that the market was open, rounded down.
    """
    from gapless.cli.matrix import draw_matrix
    from gapless.cli.render import show_json

    with session.open() as warehouse:
        found = warehouse.status(symbols, timeframes)
        if timeframes and not found and (others := warehouse.status(symbols)):
            raise NotStored(
                f"Nothing was ever asked for in {', '.join(timeframes)}.",
                hint=f"There is {', '.join(dict.fromkeys(one.timeframe for one in others))}.",
            )
    if session.as_json:
        show_json(found)
    elif found:
        draw_matrix(found)
    else:
        session.say("Nothing was asked for yet: `gapless backfill` does.")


@click.command()
@click.argument("symbols", nargs=-1)
@with_session()
def gaps(session: Session, symbols: tuple[str, ...]) -> None:
    """List what is missing of SYMBOLS or of all: why, and when it is tried again."""
    from gapless.cli.render import draw, show_json, table

    with session.open() as warehouse:
        found = warehouse.gaps(symbols)
    if session.as_json:
        show_json(found)
    elif found:
        draw(table(("symbol", "base", "from (UTC)", "to (UTC)", "why"), [_row(gap) for gap in found]))
    else:
        session.say("No gaps.")


def _row(gap: "Gap") -> tuple[str, ...]:
    from gapless.cli.render import gap_why, minute

    return gap.symbol, gap.base, minute(gap.start), minute(gap.end), gap_why(gap)


@click.command()
@click.argument("symbol")
@click.argument("instant")
@click.option("-t", "--timeframe", default="1m", metavar="NAME", help="Which bar is meant.  [1m]")
@with_session()
def explain(session: Session, symbol: str, instant: str, timeframe: str) -> None:
    """Say what is known of the bar of SYMBOL around INSTANT.

    INSTANT is like 2024-01-31T14:30, in the exchange's zone unless it names one
    (2024-01-31T14:30Z).
    """
    from gapless.cli.render import minute, show_json

    with session.open() as warehouse:
        said = warehouse.explain(symbol, timeframe, instant)
    if session.as_json:
        show_json(said)
        return
    click.echo(f"{said.symbol} {said.timeframe} {minute(said.instant)} UTC: {said.verdict}")
    for sentence in said.sentences:
        click.echo(sentence)


@click.command()
@click.argument("symbols", nargs=-1, required=True)
@timeframes_option
@with_session()
def forget(session: Session, symbols: tuple[str, ...], timeframes: tuple[str, ...]) -> None:
    """Want SYMBOLS no longer: a mistyped one, or one that is gone.

    \b
    gapless forget NOSUCH
    gapless forget AAPL -t 5m

    Updates ask for them no more, and they are no gaps. Bars that are stored
    stay, and can be read; a backfill wants them again.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    from gapless.cli.render import show_json

    with session.open() as warehouse:
        count = warehouse.forget(symbols, timeframes)
    if session.as_json:
        show_json({"forgotten": count})
    session.say(f"Wanted no longer: {count} of what was asked for. Bars that are stored stay.")
