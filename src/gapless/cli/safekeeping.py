"""backup, restore: the store as one file, proved before it counts."""

from pathlib import Path

import click

from gapless.cli.session import Session, with_session

_replace_option = click.option("--replace", is_flag=True, help="Replace what is there.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@_replace_option
@with_session()
def backup(session: Session, file: Path, replace: bool) -> None:
    """Copy the store, as it is at this moment, into FILE.

    Others may go on writing. The copy is synced and every bar in it is read
    before it gets its name: FILE is what it was, or a whole store.
    """
    with session.open() as warehouse:
        size = warehouse.backup(file, replace=replace)
    _tell(session, file, size, f"{session.settings.store} is in {file}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@_replace_option
@with_session()
def restore(session: Session, file: Path, replace: bool) -> None:
    """Put FILE, which `gapless backup` made, back as the store.

    \b
    gapless restore nightly.gapless --store market.gapless --replace

    Every bar in it is read before it takes the store's place.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    from gapless.app.opening import restored

    size = restored(file, session.settings.store, replace=replace)
    _tell(session, file, size, f"{session.settings.store} is what {file} was")


def _tell(session: Session, file: Path, size: int, words: str) -> None:
    from gapless.cli.render import show_json

    if session.as_json:
        show_json({"file": str(file), "store": session.settings.store, "bytes": size})
    else:
        session.say(f"{words}: {size:,} bytes, every bar of it read and sound.")
