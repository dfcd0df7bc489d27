"""serve: the HTTP door in the foreground."""

import sys
from dataclasses import replace

import click

from gapless.cli.session import Session, with_session


@click.command()
@click.option("--host", metavar="HOST", help="Where to listen.  [127.0.0.1]")
@click.option("--port", metavar="N", help="The port; 0: a free one.  [8720]")
@click.option(
    "--token-file", metavar="FILE", help="A file of mode 600 with the token that callers must show."
)
@click.option("--allow-write", is_flag=True, help="Runs can be started over HTTP, by who has the token.")
@click.option(
    "--update-at", metavar="TIME", help="Update the store every day: 21:30 (New York), 06:00 Europe/Berlin."
)
@click.option(
    "--allow-host", multiple=True, metavar="NAME", help="Another name under which it may be called."
)
@with_session(fetches=True)
def serve(
    session: Session,
    *,
    host: str | None,
    port: str | None,
    token_file: str | None,
    update_at: str | None,
    allow_write: bool,
    allow_host: tuple[str, ...],
) -> None:
    """Answer over HTTP: bars, what is proved of them, and a dashboard.

    \b
    gapless serve
    curl 'http://127.0.0.1:8720/v1/bars/AAPL?timeframe=5m&start=2026-01-02'

    It reads the store beside whatever writes it, also one that is made later,
    and stops with Ctrl-C. Others than this machine get in only with a token
    (GAPLESS_SERVE_TOKEN), and runs are started only with --allow-write.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    from gapless.app.clock import SystemClock
    from gapless.frames.extras import extra

    with extra("server", "starlette", "uvicorn", "httptools", "uvloop"):
        from gapless.api.serving import serve as serve_until_stopped

    typed = {
        "serve.host": host,
        "serve.port": port,
        "serve.token_file": token_file,
        "serve.update_at": update_at,
        "serve.allow_write": "yes" if allow_write else None,
        "serve.allow_host": ",".join(allow_host) or None,
    }
    flags = session.flags | {name: text for name, text in typed.items() if text is not None}
    session = replace(session, flags=flags)
    serve_until_stopped(session.settings, SystemClock(), lambda url: _tell_address(session, url), session.say)


def _tell_address(session: Session, url: str) -> None:
    if session.as_json:
        from gapless.cli.render import show_json

        show_json({"url": url, "store": session.settings.store})
    else:
        click.echo(url)
    # Read by scripts that wait for the address.
    sys.stdout.flush()
    session.say(f"Serving {session.settings.store} on {url}. Ctrl-C stops it.")
