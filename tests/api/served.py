"""A server for tests: the real program's own application in a thread of this process, and a client."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gapless.api.serving import Serving
from gapless.ports import Clock
from gapless.settings import load

TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Got:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        """The body as data."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Asks one server."""

    url: str
    api: Any

    def __call__(
        self,
        path: str,
        method: str = "GET",
        body: object = None,
        **headers: str,
    ) -> Got:
        """One request on a connection of its own; `accept_encoding="gzip"` becomes that header."""
        where = urlsplit(self.url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=30)
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            named = {"Content-Type": "application/json"} | named
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Got(answer.status, {n.lower(): t for n, t in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def data(self, path: str) -> Any:  # noqa: ANN401 - whatever was sent
        """The data of an answer that has to be a success."""
        got = self(path)
        assert got.status == 200, (path, got.status, got.body)
        return got.json()


@contextmanager
def serving(
    store: str,
    clock: Clock,
    *,
    vendor: str = "http://127.0.0.1:9",
    env: Mapping[str, str] | None = None,
    **flags: str,
) -> Iterator[Client]:
    """Serve a store on a free port until the block ends."""
    given = {"store": store, "massive.base_url": vendor, "massive.plan": "advanced", "rate": "unlimited"}
    given |= {"serve.port": "0"} | {name.replace("_", ".", 1): text for name, text in flags.items()}
    secrets = {"MASSIVE_API_KEY": "sandbox"} | dict(env or {})
    settings = load(given, env=secrets, folder=Path("/nowhere"), user_file=None)
    ready, urls = threading.Event(), list[str]()

    def tell(url: str) -> None:
        urls.append(url)
        ready.set()

    server = Serving(settings, clock, tell)
    thread = threading.Thread(target=lambda: asyncio.run(server.run()))
    thread.start()
    try:
        assert ready.wait(20)
        yield Client(urls[0], server.api)
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()
