"""Runs the server: takes the port, answers until it is told to stop, and lets go of everything."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from gapless.api.app import Api, build
from gapless.api.protocol import Patient
from gapless.app.keeping_fresh import keep_fresh, last_done, update_once
from gapless.errors import GaplessError, UsageError
from gapless.ports import Clock
from gapless.settings import Settings
from gapless.settings.kinds import is_loopback

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_KEEP_ALIVE = 15
_GOODBYE = 3
"""Seconds that answers under way are given when the server stops."""


class _Server(uvicorn.Server):
    """Ends streams before it waits for what is under way."""

    def __init__(self, config: uvicorn.Config, api: Api, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._api, self._ready = api, ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first signal ends it as it should, and is no error; the second does not wait for anybody."""
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in _SIGNALS:
                loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when it listens."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let everybody go."""
        await self._api.close()
        await super().shutdown(sockets)


class Serving:
    """One server, from taking its port to letting go of it; `tell` hears the address once it listens.

    `say` hears of updates, where the settings want some every day.

    Raises:
        UsageError: another host than this machine without a token, writing without one, or the port is taken.
        KeyRefused: it is to update its store, and there is no key.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        tell: Callable[[str], None],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        _check(settings)
        self._settings, self._clock, self._say = settings, clock, say
        host = settings.serve_host
        self._socket = _listen(host, settings.serve_port)
        self.api, door = build(settings, clock, host=host, guarded=not is_loopback(host))
        self.config = uvicorn.Config(
            door,
            http=Patient,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GOODBYE,
        )
        name = f"[{host}]" if ":" in host else host
        url = f"http://{name}:{self._socket.getsockname()[1]}"
        self._server = _Server(self.config, self.api, lambda: tell(url))

    async def run(self) -> None:
        """Serve until a signal, or `stop`; meanwhile keep the store fresh where the settings say so."""
        keeping = asyncio.create_task(self._keep_fresh())
        try:
            await self._server.serve([self._socket])
        finally:
            keeping.cancel()
            _no_more_patience()
            await asyncio.wait([keeping])

    async def _keep_fresh(self) -> None:
        if daily := self._settings.serve_update_at:
            await keep_fresh(
                lambda: update_once(self._settings, self._clock),
                daily,
                self._clock,
                self._say,
                last=await asyncio.to_thread(self._last_done),
            )

    def _last_done(self) -> int | None:
        try:
            return last_done(self.api.stock.warehouse().store.runs())
        except GaplessError:  # no store yet, or none that can be read: the update will tell
            return None

    def stop(self) -> None:
        """End it; from any thread."""
        self._server.should_exit = True


def serve(settings: Settings, clock: Clock, tell: Callable[[str], None], say: Callable[[str], None]) -> None:
    """Serve on the quickest event loop that there is, until a signal.

    Raises:
        UsageError, KeyRefused: as `Serving`.
    """
    serving = Serving(settings, clock, tell, say)
    with asyncio.Runner(loop_factory=serving.config.get_loop_factory()) as runner:
        runner.run(serving.run())


def _no_more_patience() -> None:
    """From now on a signal ends the program there and then: what was acknowledged is on disk."""
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)


def _check(settings: Settings) -> None:
    host, token = settings.serve_host, settings.serve_token
    if not is_loopback(host) and not token:
        raise UsageError(
            f"`{host}` can be reached by others, and there is no token.",
            hint="Set GAPLESS_SERVE_TOKEN or serve.token_file, or listen on 127.0.0.1.",
        )
    if settings.serve_writes and not token:
        raise UsageError(
            "Runs can be started over HTTP only by who has a token, and there is none.",
            hint="Set GAPLESS_SERVE_TOKEN or serve.token_file (`openssl rand -hex 32` makes one).",
        )
    if settings.serve_update_at:
        settings.key.reveal()  # without one it would fail every night


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise UsageError(
            f"The server cannot listen on {host}:{port}: {error.strerror or error}.",
            hint="Use another --port, or 0 for a free one.",
        ) from error
    return found
