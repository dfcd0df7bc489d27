"""sandbox: the made-up vendor in the foreground."""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gapless.cli.session import Session, with_session
from gapless.errors import UsageError

if TYPE_CHECKING:
    from gapless.sandbox import Market, Rate, Sandbox

KEY = "sandbox"
"""The key that may see everything."""


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Where to listen; 0: a free port."
)
@click.option("--seed", type=int, default=0, metavar="N", help="Another seed, another market.")
@click.option(
    "--replay", type=click.Path(path_type=Path), metavar="FOLDER", help="Serve the CSV files of a folder."
)
@click.option("--rate", "pace", metavar="RATE", help="Answer 429 above this rate, for example 2.5/s.")
@click.option("--latency", default="0", metavar="NAME", help="`realistic`, or 0.  [0]")
@click.option("--faults", metavar="SHARE", help="Spoil this share of the answers, for example 20%.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop after a while.")
@with_session()
def sandbox(
    session: Session,
    port: int,
    seed: int,
    replay: Path | None,
    pace: str | None,
    latency: str,
    faults: str | None,
    seconds: float | None,
) -> None:
    """Run a server that speaks the vendor's API over a made-up market.

    It listens on this machine only, and stops with Ctrl-C.
    """
    from gapless.sandbox import REALISTIC, Sandbox

    if latency not in ("0", "realistic"):
        raise UsageError(f"`{latency}` is not a latency.", hint="Use `realistic` or 0.")
    server = Sandbox(
        _market(seed, replay),
        rate=served_rate(pace) if pace else None,
        latency=REALISTIC if latency == "realistic" else None,
        faults=faults,
        seed=seed,
    )
    asyncio.run(_serve(session, server, port, seconds))


def _market(seed: int, replay: Path | None) -> "Market":
    from gapless.sandbox import ReplayMarket, SyntheticMarket

    return ReplayMarket.from_folder(replay) if replay else SyntheticMarket(seed)


def served_rate(text: str) -> "Rate | None":
    """A rate as the rest of the program writes it, for the server; None for no limit."""
    from gapless.fetch import Rate as Asked
    from gapless.sandbox import Rate

    asked = Asked.parse(text)
    return Rate(asked.calls, asked.per) if asked else None


async def _serve(session: Session, server: "Sandbox", port: int, seconds: float | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await server.start(port)
    try:
        _tell_address(session, server.url)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), seconds)
    finally:
        await server.stop()


def _tell_address(session: Session, url: str) -> None:
    if session.as_json:
        from gapless.cli.render import show_json

        show_json({"url": url, "key": KEY})
    else:
        click.echo(f"export GAPLESS_MASSIVE_BASE_URL={url}")
        click.echo(f"export MASSIVE_API_KEY={KEY} GAPLESS_MASSIVE_PLAN=advanced")
    # Read by scripts that wait for the address.
    sys.stdout.flush()
    session.say(f"The sandbox listens on {url}. Paste the export lines elsewhere; Ctrl-C stops it.")
