"""mcp: the store as tools for language models."""

import sys

import click

from gapless.cli.session import Session, with_session


@click.command()
@click.option("--allow-write", is_flag=True, help="Also offer the tool `backfill`, which asks the vendor.")
@with_session(fetches=True)
def mcp(session: Session, allow_write: bool) -> None:
    """Serve the store to a language model: MCP over standard input and output.

    A client such as a desktop assistant starts this program itself; how to tell
    it to is in docs/how-to/mcp.md. It ends when the client hangs up.
    """
    from gapless.frames.extras import extra

    with extra("mcp", "mcp", "anyio"):
        from gapless.mcp.server import run
    settings = session.settings
    writes = "reads, and writes through `backfill`" if allow_write else "only reads"
    session.say(f"Serving {settings.store} to an MCP client on standard input; it {writes}.")
    if sys.stdin.isatty():
        session.say("This is a terminal: a client starts this program by itself. Ctrl-D ends it.")
    run(settings, allow_write=allow_write)
