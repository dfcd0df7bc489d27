"""verify, doctor, config: whether everything is as it should be."""

from textwrap import fill

import click

from gapless.cli.session import Session, with_session
from gapless.errors import StoreDamaged, UsageError

_GAPS_REMAIN = 3


@click.command()
@click.option(
    "--repair", is_flag=True, help="Take damaged bars out, so that the next run asks for them again."
)
@with_session()
def verify(session: Session, repair: bool) -> int:
    """Read every stored bar and find what is not as it was written."""
    from gapless.cli.render import draw, minute, show_json, table

    with session.open() as warehouse:
        found = warehouse.verify(repair=repair)
    if session.as_json:
        show_json(found)
    elif found:
        rows = [
            (damage.instrument, damage.base, minute(damage.span.start), minute(damage.span.end), damage.what)
            for damage in found
        ]
        draw(table(("symbol", "base", "from (UTC)", "to (UTC)", "damage"), rows))
    if not found:
        session.say("Every stored bar is as it was written.")
        return 0
    if repair:
        session.say(f"{len(found)} damaged stretches were taken out; `gapless repair` asks for them again.")
        return _GAPS_REMAIN
    session.say("Nothing damaged is served. `gapless verify --repair` takes it out, to be asked for again.")
    return StoreDamaged.exit_code


@click.command()
@with_session(fetches=True)
def doctor(session: Session) -> int:
    """Check that key, store, calendar and vendor are as they should be."""
    from gapless.cli.render import draw, show_json, table

    with session.open(required=False) as warehouse:
        found = warehouse.doctor()
    if session.as_json:
        show_json(found)
    else:
        rows = [
            (
                "ok" if finding.ok else "NOT OK",
                finding.what,
                f"{finding.detail} {'' if finding.ok else finding.hint}".strip(),
            )
            for finding in found
        ]
        draw(table(("", "what", "found"), rows))
    return 0 if all(finding.ok for finding in found) else UsageError.exit_code


@click.command()
@click.option("--origin", is_flag=True, help="Also where each one comes from, and what it is for.")
@with_session(fetches=True)
def config(session: Session, origin: bool) -> None:
    """Show the settings; the key itself is never shown.

    A flag goes before the environment (GAPLESS_STORE, ...), that before
    ./gapless.toml, that before your own file, and that before the default.
    """
    from gapless.cli.render import draw, show_json, table
    from gapless.settings import SETTINGS, user_file

    settings = session.settings
    if session.as_json:
        show_json(
            {s.name: {"value": settings.shown(s.name), "origin": settings.origin(s.name)} for s in SETTINGS}
        )
    elif origin:
        for s in SETTINGS:
            click.echo(f"{s.name} = {settings.shown(s.name) or '-'}  (from {settings.origin(s.name)})")
            click.echo(fill(s.help, 80, initial_indent="    ", subsequent_indent="    "))
        session.say(f"Your own file is {user_file()}.")
    else:
        draw(
            table(
                ("setting", "value"),
                [
                    (s.name, _shown(settings.shown(s.name), s.secret, settings.origin(s.name)))
                    for s in SETTINGS
                ],
            )
        )


def _shown(value: str, secret: bool, origin: str) -> str:
    if secret and value == "set":
        return f"set ({origin})"
    return value or "-"
