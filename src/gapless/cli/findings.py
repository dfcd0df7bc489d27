"""quality, revisions: what is odd about stored bars, and what the vendor changed of them."""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from gapless.cli.session import (
    Session,
    end_option,
    split_names,
    start_option,
    with_session,
)
from gapless.errors import UsageError

if TYPE_CHECKING:
    from gapless.vocabulary.steps import Revision

_ON_A_TERMINAL = 50
_NUMBERS = ("open", "high", "low", "close", "volume", "vwap", "trades")


@click.command()
@click.argument("symbols", nargs=-1)
@start_option
@end_option
@click.option(
    "--rule", "rules", multiple=True, metavar="LIST", callback=split_names, help="Only what these rules find."
)
@click.option("--list", "as_list", is_flag=True, help="List the rules, and look at nothing.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="The first N flags; 0: all.  [50 on a terminal, else all]",
)
@with_session()
def quality(
    session: Session,
    symbols: tuple[str, ...],
    start: str | None,
    end: str | None,
    rules: tuple[str, ...],
    as_list: bool,
    limit: int | None,
) -> None:
    """Flag what is odd about stored bars of SYMBOLS or of all, with the reason.

    A flag is no verdict: no bar is hidden or changed for it.
    """
    from gapless.cli.render import draw, minute, show_json, table
    from gapless.quality import RULES

    if as_list:
        _show_rules(session, RULES)
        return
    if strangers := [rule for rule in rules if rule not in RULES]:
        raise UsageError(f"`{strangers[0]}` is not a rule.", hint=f"Use some of: {', '.join(RULES)}.")
    with session.open() as warehouse:
        found = warehouse.quality(symbols, start, end)
    flags = [flag for flag in found if not rules or flag.rule in rules]
    usual = _ON_A_TERMINAL if sys.stdout.isatty() and not session.as_json else 0
    shown = flags[: usual if limit is None else limit] if (usual if limit is None else limit) else flags
    if session.as_json:
        show_json(shown)
    elif shown:
        rows = [(flag.symbol, flag.base, minute(flag.start), flag.rule, flag.reason) for flag in shown]
        draw(table(("symbol", "base", "from (UTC)", "rule", "what is odd"), rows))
    if len(shown) < len(flags):
        session.say(f"The first {len(shown):,} of {len(flags):,} flags; --limit 0 shows all.")
    counts = Counter(flag.rule for flag in flags)
    session.say(", ".join(f"{rule}: {counts[rule]:,}" for rule in RULES if rule in counts) or "No flags.")


def _show_rules(session: Session, rules: dict[str, str]) -> None:
    from gapless.cli.render import draw, show_json, table

    if session.as_json:
        show_json(rules)
    else:
        draw(table(("rule", "what it finds"), list(rules.items())))


@click.command()
@click.argument("symbol")
@click.option(
    "-t", "--timeframe", default="1d", metavar="NAME", help="Whose base bars: 1m, or 1d and above.  [1d]"
)
@start_option
@end_option
@with_session()
def revisions(session: Session, symbol: str, timeframe: str, start: str | None, end: str | None) -> None:
    """List what the vendor changed of SYMBOL after it was stored, and by how much.

    Base bars, by start and by when the change was written; both in UTC. The old
    numbers can still be read: `gapless bars --as-of`.
    """
    from gapless.cli.render import draw, show_json, table

    with session.open() as warehouse:
        found = warehouse.revisions(symbol, timeframe, start, end)
    if session.as_json:
        show_json([_plain(one) for one in found])
    elif found:
        heads = ("bar (UTC)", "written (UTC)", "what", "old", "new", "change")
        draw(table(heads, [row for one in found for row in _rows(one)], right="345"))
    if not found:
        session.say("Nothing was changed afterwards.")


def _rows(one: "Revision") -> Iterator[tuple[str, ...]]:
    """A row for each number that changed; one for a bar that came late or went."""
    from gapless.cli.render import minute, number

    when = minute(one.ts), minute(one.written)
    if one.old is None or one.new is None:
        bar = one.new or one.old
        close = number(bar.close) if bar else ""
        yield (
            (*when, "came late, close", "", close, "")
            if one.new
            else (*when, "withdrawn, close", close, "", "")
        )
        return
    for name, (old, new, change) in _changes(one).items():
        yield *when, name, number(old), number(new), "" if change is None else f"{change:+.2%}"


def _changes(one: "Revision") -> dict[str, tuple[float | None, float | None, float | None]]:
    """Old, new and the relative change of every number that is another one now."""
    pairs = {name: (getattr(one.old, name), getattr(one.new, name)) for name in _NUMBERS}
    return {
        name: (old, new, new / old - 1 if old and new is not None else None)
        for name, (old, new) in pairs.items()
        if old != new
    }


def _plain(one: "Revision") -> dict[str, object]:
    from gapless.reports.plain import iso

    changes = _changes(one) if one.old and one.new else {}
    return {
        "time": iso(one.ts),
        "ts": one.ts,
        "written": iso(one.written),
        "final": one.final,
        "old": one.old,
        "new": one.new,
        "change": {name: change for name, (_, _, change) in changes.items()},
    }
