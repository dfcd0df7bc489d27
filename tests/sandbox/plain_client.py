"""A plain HTTP client of a sandbox, which never retries, and the date on which the tests take place."""

import gzip
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from gapless.sandbox import Sandbox


def utc(text: str) -> int:
    """An ISO time (UTC unless it says otherwise) as Unix milliseconds."""
    moment = datetime.fromisoformat(text if "+" in text[10:] or "-" in text[10:] else text + "+00:00")
    return int(moment.timestamp()) * 1000


NOW = utc("2026-11-24T00:00")
"""Monday 23 November 2026, 19:00 in New York."""


@dataclass(frozen=True)
class Reply:
    """One answer as a plain client sees it."""

    status: int
    headers: Mapping[str, str]
    wire: bytes

    @property
    def raw(self) -> bytes:
        """The body, unpacked."""
        return gzip.decompress(self.wire) if self.headers.get("Content-Encoding") == "gzip" else self.wire

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body, decoded."""
        return json.loads(self.raw)


class Client:
    """Asks a sandbox, with the key `sandbox` unless told otherwise; never retries."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self.url = session, url

    async def get(self, path: str, key: str = "sandbox", **headers: str) -> Reply:
        """One attempt; `path` may be a whole URL."""
        url = path if path.startswith("http") else self.url + path
        auth = {"Authorization": f"Bearer {key}"} if key else {}
        async with self._session.get(url, headers=auth | headers) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def chain(self, path: str, key: str = "sandbox") -> list[Any]:
        """Every page from `path` on."""
        pages = [(await self.get(path, key)).json]
        while following := pages[-1].get("next_url"):
            pages.append((await self.get(following, key)).json)
        return pages


@asynccontextmanager
async def client_of(sandbox: Sandbox) -> AsyncIterator[Client]:
    """A client of a running sandbox."""
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
        yield Client(session, sandbox.url)
