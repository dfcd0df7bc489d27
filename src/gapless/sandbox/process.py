"""A sandbox in a process of its own: for benchmarks, and for programs that are tested from outside."""

import asyncio
import json
import multiprocessing
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from gapless.errors import GaplessError, UsageError
from gapless.sandbox.market import Market
from gapless.sandbox.server import Sandbox

_START_WITHIN = 30.0
_STOP_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class Served:
    """A sandbox that runs elsewhere: where it listens, and its process id."""

    url: str
    pid: int

    def stats(self) -> dict[str, Any]:
        """Its counters, asked for over HTTP."""
        with urllib.request.urlopen(f"{self.url}/sandbox/stats", timeout=10) as answer:  # noqa: S310 - our own http URL
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def serve_in_process(market: Market, *, port: int = 0, **options: Any) -> Iterator[Served]:  # noqa: ANN401 - Sandbox's own options
    """Run a `Sandbox(market, **options)` in another process until the block ends.

    It also stops when this process ends in any way: it holds the other end of a pipe. Market and options
    are pickled.

    Raises:
        UsageError: it could not start.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, market, port, options), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Served(_first_word(ours), process.pid or 0)
    finally:
        ours.close()
        process.join(_STOP_WITHIN)
        if process.is_alive():
            process.kill()
            process.join()


def _first_word(pipe: Connection) -> str:
    """The URL that the process tells, or why there is none."""
    try:
        word: str | GaplessError | None = pipe.recv() if pipe.poll(_START_WITHIN) else None
    except EOFError:
        word = None
    if isinstance(word, str):
        return word
    raise word or UsageError(
        "The sandbox's process did not start.", hint="See what it wrote to standard error."
    )


def _serve(pipe: Connection, market: Market, port: int, options: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that asked for it
    asyncio.run(_until_hung_up(pipe, Sandbox(market, **options), port))


async def _until_hung_up(pipe: Connection, sandbox: Sandbox, port: int) -> None:
    hung_up = asyncio.Event()
    try:
        url = await sandbox.start(port)
    except UsageError as error:
        pipe.send(error)
        return
    # Nothing is ever sent this way: the pipe can be read only when its other end is gone.
    asyncio.get_running_loop().add_reader(pipe.fileno(), hung_up.set)
    pipe.send(url)
    try:
        await hung_up.wait()
    finally:
        asyncio.get_running_loop().remove_reader(pipe.fileno())
        await sandbox.stop()
