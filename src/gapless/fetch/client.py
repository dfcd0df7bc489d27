"""The way to the vendor: one connection pool, one attempt a call, the key in one header and nowhere else."""

import ipaddress
import re
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from types import MappingProxyType, SimpleNamespace

import aiohttp
from yarl import URL

from gapless.errors import BadAnswer, GaplessError, KeyRefused, NetworkError, RateLimited, UsageError
from gapless.fetch.answers import HINT_KEY, error_for
from gapless.fetch.body import MOST_WIRE_BYTES, inflate
from gapless.fetch.limiter import Limiter, Rate, Turns
from gapless.ports import Clock
from gapless.vocabulary.events import Tell
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import Answer, Request


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds: to connect, without a byte while reading, and for the whole request (None: no bound)."""

    connect: float = 10.0
    idle: float = 30.0
    total: float | None = 300.0


TIMEOUTS: Mapping[AssetClass, Timeouts] = MappingProxyType(
    {asset_class: Timeouts() for asset_class in AssetClass}
    | {AssetClass.CRYPTO: Timeouts(idle=60.0, total=60.0)}
)
_IDLE_CONNECTION = 30.0
"""Seconds that an unused connection is kept; servers close theirs after a minute or more."""


@asynccontextmanager
async def open_http(
    *,
    key: str,
    base_url: str,
    rates: Mapping[AssetClass, Rate | None],
    turns: Turns,
    clock: Clock,
    tell: Tell,
    profile: Callable[[AssetClass], str] = "massive:{}".format,
    timeouts: Mapping[AssetClass, Timeouts] = TIMEOUTS,
    connections: int = 64,
    most_wire_bytes: int = MOST_WIRE_BYTES,
) -> AsyncIterator["Client"]:
    """Open the connection pool of one run; it is closed on leaving.

    The key goes to the scheme, host and port of `base_url` and nowhere else. A class without a rate is not
    limited; classes with the same `profile` share one rate. `connections` should not be less than the requests
    made at a time: one that waits for a connection after its turn reaches the vendor too late.
    `most_wire_bytes` bounds one answer, as compressed.

    Raises:
        UsageError: an address that is not safe for a key.
        KeyRefused: no key, or something that cannot be one.
    """
    origin = _origin(base_url)
    if not re.fullmatch(r"[!-~]+", key):
        raise KeyRefused(
            "There is no key." if not key else "The key is not one: it holds odd characters.", hint=HINT_KEY
        )
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"gapless/{version('gapless')}",
    }
    with ThreadPoolExecutor(1, thread_name_prefix="gapless-turns") as counter:
        make = partial(Limiter, turns, clock=clock, tell=tell, counter=counter)
        named = {profile(one): make(profile=profile(one), rate=rates.get(one)) for one in AssetClass}
        limiters = {one: named[profile(one)] for one in AssetClass}
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=_IDLE_CONNECTION),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trace_configs=[_told_when_sent()],
            read_bufsize=1 << 18,
        ) as session:
            session._retry_connection = False  # noqa: SLF001 - a request sent twice unseen would break the rate
            yield Client(session, origin, key, limiters, clock, timeouts, most_wire_bytes)


class Client:
    """`ports.Http` over one session; made by `open_http`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        origin: URL,
        key: str,
        limiters: Mapping[AssetClass, Limiter],
        clock: Clock,
        timeouts: Mapping[AssetClass, Timeouts],
        most_wire_bytes: int,
    ) -> None:
        self._session, self._origin, self._key = session, origin, key
        self._limiters, self._clock, self._timeouts = limiters, clock, timeouts
        self._most_wire = most_wire_bytes

    async def turn(self, asset_class: AssetClass) -> None:
        """Wait until the shared rate of this class allows one more request; it is then taken."""
        await self._limiters[asset_class].turn()

    async def fetch(self, request: Request) -> Answer:
        """Ask once and read the whole answer. The caller has taken a turn.

        Raises:
            NetworkError: no answer, or part of one.
            RateLimited: 429; the turns of this class are held back already.
            BadAnswer: too large, a redirect, an address elsewhere.
            ServerError, Rejected, Refused, KeyRefused: by status.
        """
        leaving = _Leaving(self._limiters[request.asset_class])
        started = self._clock.monotonic()
        try:
            url = self._safe(request.url)
            status, headers, wire = await self._exchange(url, request.asset_class, leaving)
        finally:
            leaving.now()  # if it never left, it counts from here
        request_id = _request_id(headers.get("X-Request-Id", ""))
        encoding = headers.get("Content-Encoding", "").strip().lower().removeprefix("x-")
        if status != HTTPStatus.OK:
            raise await self._failure(request, status, headers, wire, encoding, request_id)
        self._limiters[request.asset_class].eased()
        seconds, dated = self._clock.monotonic() - started, _dated(headers.get("Date", ""))
        return Answer(request, wire, encoding, request_id, self._clock.now(), seconds, dated)

    def _safe(self, text: str) -> URL:
        """The address, if the key may go there."""
        try:
            url = URL(text, encoded=True) if re.fullmatch(r"[!-~]+", text) else URL()
            sound = url.scheme in ("http", "https") and url.user is None and bool(url.host and url.port)
        except ValueError:
            sound = False
        if not sound:
            raise BadAnswer("The address to ask is not one.")
        if url.origin() != self._origin:
            raise BadAnswer(f"The address to ask is on {url.origin()}; the key is for {self._origin} only.")
        if any(name.lower() == "apikey" or value == self._key for name, value in url.query.items()):
            raise BadAnswer("The address to ask carries a key; keys are sent in a header only.")
        return url

    async def _exchange(
        self, url: URL, asset_class: AssetClass, leaving: "_Leaving"
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body; the limiter of the class hears whether the vendor is there at all."""
        timeouts, limiter = self._timeouts.get(asset_class, Timeouts()), self._limiters[asset_class]
        bounds = aiohttp.ClientTimeout(
            total=timeouts.total, sock_connect=timeouts.connect, sock_read=timeouts.idle
        )
        began = self._clock.monotonic()
        try:
            async with self._session.get(
                url, allow_redirects=False, timeout=bounds, trace_request_ctx=leaving
            ) as response:
                seconds = self._clock.monotonic() - began
                wire = await self._read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = NetworkError(f"{url.host}: {what_happened(error, timeouts)}.")
        else:
            if response.status in _OUT_OF_ORDER:
                limiter.failed()
            elif response.status != HTTPStatus.TOO_MANY_REQUESTS:
                limiter.eased(seconds)
            return response.status, response.headers, wire
        limiter.failed()
        raise failure  # out here, so that it does not carry the client's own error, which knows the headers

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts: list[bytes] = []
        room = self._most_wire
        async for part in response.content.iter_any():
            room -= len(part)
            if room < 0:
                raise BadAnswer(f"The answer is larger than {self._most_wire >> 20} MB; it is not read.")
            parts.append(part)
        return b"".join(parts)

    async def _failure(
        self,
        request: Request,
        status: int,
        headers: Mapping[str, str],
        wire: bytes,
        encoding: str,
        request_id: str,
    ) -> GaplessError:
        try:
            body = bytes(inflate(wire, encoding, _MOST_ERROR_BYTES))
        except (NetworkError, BadAnswer):  # the status says enough
            body = b""
        body = body.replace(self._key.encode(), b"***")
        error = error_for(status, headers, body, request_id=request_id, now=self._clock.now())
        if isinstance(error, RateLimited):
            await self._limiters[request.asset_class].hold(error.retry_after)
        return error


@dataclass(slots=True)
class _Leaving:
    """Tells the limiter once when a request leaves, which is after a connection was made for it."""

    limiter: Limiter
    told: bool = False

    def now(self) -> None:
        if not self.told:
            self.told = True
            self.limiter.sent()


def _told_when_sent() -> aiohttp.TraceConfig:
    tracing = aiohttp.TraceConfig()

    async def sent(_session: object, context: SimpleNamespace, _what: object) -> None:
        context.trace_request_ctx.now()

    tracing.on_request_headers_sent.append(sent)
    return tracing


_MOST_ERROR_BYTES = 1 << 20
_OUT_OF_ORDER = frozenset({HTTPStatus.REQUEST_TIMEOUT, *range(500, 600)})
"""What a server answers that cannot do its work now."""


def _origin(base_url: str) -> URL:
    """Scheme, host and port; without TLS only on this machine."""
    try:
        origin = URL(base_url).origin()
    except ValueError:
        raise UsageError(
            f"`{base_url}` is not the address of a vendor.",
            hint="It is a scheme, a host and perhaps a port, for example http://127.0.0.1:8700.",
        ) from None
    if origin.scheme == "https" or (origin.scheme == "http" and _is_loopback(origin.host or "")):
        return origin
    raise UsageError(
        f"`{base_url}` would carry the key in the clear.",
        hint="Use https; plain http is for this machine only.",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _request_id(text: str) -> str:
    """The vendor sends it twice, with a comma between, when two of its servers add theirs."""
    first = text.partition(",")[0].strip()
    return first if re.fullmatch(r"[\w.:-]{1,64}", first) else ""


def _dated(text: str) -> int | None:
    """A `Date` header in Unix ms; None where it cannot be read."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) * 1000


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "no connection within {0.connect:g} s"),
    (aiohttp.SocketTimeoutError, "not a byte for {0.idle:g} s"),
    (TimeoutError, "the answer took longer than {0.total:g} s"),
    (aiohttp.ClientConnectorDNSError, "the name is not known, or there is no network"),
    (aiohttp.ClientSSLError, "the TLS connection cannot be trusted"),
    (aiohttp.ServerDisconnectedError, "the connection was closed without an answer"),
    (aiohttp.ClientPayloadError, "the answer broke off"),
    (OSError, "the connection failed"),
)
"""From the special to the general. Words of our own: the client's may hold the request with its headers."""


def what_happened(error: Exception, timeouts: Timeouts) -> str:
    """What a failed exchange comes down to, in a few words without any address."""
    for kind, words in _WORDS:
        if isinstance(error, kind):
            cause = error.strerror if kind is OSError and isinstance(error, OSError) else None
            return words.format(timeouts) + (f" ({cause})" if cause else "")
    return f"the answer is not HTTP that can be read ({type(error).__name__})"
