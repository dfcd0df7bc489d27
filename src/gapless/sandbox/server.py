"""The sandbox itself: a market behind the vendor's REST API, on loopback, with keys, rates and faults."""

import asyncio
import json
import os
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from gapless.errors import KeyRefused, RateLimited, Refused, Rejected, UsageError
from gapless.sandbox import days, lists
from gapless.sandbox.aggs import NOT_ENTITLED
from gapless.sandbox.answers import Answer, Call, refusal
from gapless.sandbox.desk import Desk, late_revision
from gapless.sandbox.faults import SPOIL, Fault, FaultPlan, applicable, garble, parse_faults
from gapless.sandbox.market import Market
from gapless.sandbox.profiles import PROFILES, Profile, Rate, Window
from gapless.sandbox.revisions import RevisedMarket
from gapless.sandbox.wire import Parcel, send
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base

_TOO_MANY = (
    "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue. "
    "https://polygon.io/pricing"
)
_HTML = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n"
    "<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_GATEWAY = {502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable", 504: "504 Gateway Time-out"}
_JSON = "application/json"

Handler = Callable[[Desk, Call], Answer]

_AGGS = "/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{from}/{to}"
ENDPOINTS: dict[str, Handler] = {
    _AGGS: Desk.aggs,
    "/v2/aggs/ticker/{ticker}/prev": days.prev,
    "/v2/aggs/grouped/locale/{locale}/market/{market}/{date}": days.grouped,
    "/v1/open-close/{ticker}/{date}": days.open_close,
    "/stocks/v1/splits": lists.splits,
    "/stocks/v1/dividends": lists.dividends,
    "/v3/reference/splits": lists.splits,
    "/v3/reference/dividends": lists.dividends,
    "/v3/reference/tickers": lists.tickers,
    "/v3/reference/tickers/{ticker}": lists.ticker,
    "/v1/marketstatus/upcoming": lists.upcoming,
    "/v1/marketstatus/now": lists.market_now,
}
"""Every path that is served, and what answers it."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long an answer takes: `base` seconds and `per_mb` for each million bytes of JSON."""

    base: float = 0.0
    per_mb: float = 0.0


REALISTIC = Latency(base=0.2, per_mb=0.15)
"""As slow as the vendor was seen to be: 0.2 s for a small answer, 0.9 s for a full page."""


def wall_clock() -> int:
    """The time of day in Unix milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Pinned:
    """A clock that stands still; `at` in Unix milliseconds."""

    at: int

    def __call__(self) -> int:
        """The instant at which it stands."""
        return self.at


class Sandbox:
    """Serves `market` on loopback as the vendor would.

    `now` gives the date (Unix ms). `keys` maps key strings to plans; `rate` overrides the rate of them all.
    `faults` is `"20%"`, `{"reset": 0.1}` or nothing; `stall` is how long, in seconds, a stalled answer hangs.
    `retry_after` (seconds) is sent with a 429 where it is given. `keep` bytes of rendered pages are remembered.
    `monotonic` gives the seconds that rates are counted in.
    """

    def __init__(
        self,
        market: Market,
        *,
        now: Callable[[], int] = wall_clock,
        keys: Mapping[str, Profile] | None = None,
        rate: Rate | None = None,
        latency: Latency | None = None,
        faults: str | Mapping[str, float] | None = None,
        seed: int = 0,
        stall: float = 60.0,
        retry_after: str = "",
        keep: int = 256 * 2**20,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.market = RevisedMarket(market)
        self.faults = FaultPlan(parse_faults(faults), seed=seed)
        self.url = ""
        self._now, self._monotonic = now, monotonic
        self._keys = dict(PROFILES if keys is None else keys)
        self._rate = rate
        self._latency = latency or Latency()
        self._stall, self._retry_after = stall, retry_after
        self._desk = Desk(self.market, seed=seed, keep=keep)
        # One worker: pages are made one at a time, and the loop stays free to answer others.
        self._worker = ThreadPoolExecutor(1, "sandbox")
        self._windows: dict[str, Window] = {}
        self._asked: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._sent = 0
        self._runner: web.AppRunner | None = None

    # -- what tests ask

    def truth(self, instrument: Instrument, base: Base, span: Span) -> Batch:
        """The raw bars inside `span` that the API delivers now to a key that may see everything."""
        return self._desk.visible(instrument, base, span, self._now())

    def fail_next(self, fault: str, *, times: int = 1, where: str = "") -> None:
        """The next `times` answers whose address contains `where` go wrong in this way."""
        if fault not in tuple(Fault):
            raise UsageError(f"`{fault}` is not a fault.", hint=f"Faults are: {', '.join(Fault)}.")
        self.faults.fail_next(Fault(fault), times=times, where=where)

    @property
    def stats(self) -> dict[str, Any]:
        """Counters since the start: requests by endpoint and status, faults made, the busiest window."""
        return {
            "requests": {endpoint: dict(counter) for endpoint, counter in self._asked.items()},
            "total": sum(counter.total() for counter in self._asked.values()),
            "rate_limited": sum(counter["429"] for counter in self._asked.values())
            - self.faults.made[Fault.RATE_LIMIT],
            "faults": dict(self.faults.made),
            "max_in_window": max((window.busiest for window in self._windows.values()), default=0),
            "pages_rendered": self._desk.rendered,
            "pages_remembered": self._desk.remembered,
            "bytes_sent": self._sent,
        }

    # -- life

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> str:
        """Listen; returns the base URL. Port 0 takes a free one.

        Raises:
            UsageError: the port cannot be listened on.
        """
        app = web.Application()
        app.router.add_get("/sandbox/stats", self._show_stats)
        for path, handler in ENDPOINTS.items():
            app.router.add_get(path, self._endpoint(path, handler), allow_head=False)
        app.router.add_route("*", "/{rest:.*}", self._nowhere)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            # asyncio puts a sentence of its own around the system's, but not around that of a name it cannot find.
            why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
            raise UsageError(
                f"The sandbox cannot listen on {host}:{port}: {why}.",
                hint="Use another port, or 0.",
            ) from error
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._worker.shutdown()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # -- one request

    def _endpoint(self, path: str, handler: Handler) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            answer = await self._answer(request, handler)
            if answer.status in (401, 429):  # turned away at the door: nothing else can go wrong with it
                return await self._send(path, request, answer, None)
            fault = self.faults.draw(request.path_qs, applicable(answer.rows))
            answer = await self._on_worker(lambda: self._spoiled(answer, fault)) if fault else answer
            return await self._send(path, request, answer, fault)

        return handle

    async def _answer(self, request: web.Request, handler: Handler) -> Answer:
        try:
            profile = self._admitted(request)
            call = Call(
                path=request.match_info,
                query=request.query,
                url_path=request.path,
                host=f"{request.scheme}://{request.host}",
                profile=profile,
                now=self._now(),
            )
            return await self._on_worker(lambda: handler(self._desk, call))
        except KeyRefused as error:
            return self._error(401, error.message)
        except RateLimited as error:
            return self._error(429, error.message)
        except Rejected as error:
            return self._error(400, error.message)
        except Refused as error:
            return refusal(
                403, self._desk.request_id(), {"status": "NOT_AUTHORIZED", "message": error.message}
            )

    async def _on_worker(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _admitted(self, request: web.Request) -> Profile:
        """The plan of the key that came with the request, if it may ask now."""
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        key = bearer if scheme == "Bearer" else request.query.get("apiKey", "")
        if not key:
            raise KeyRefused("API Key was not provided")
        profile = self._keys.get(key)
        if profile is None:
            raise KeyRefused("Unknown API Key")
        window = self._windows.setdefault(key, Window(self._rate or profile.rate, self._monotonic))
        if wait := window.admit():
            raise RateLimited(_TOO_MANY, retry_after=wait)
        return profile

    def _error(self, status: int, text: str) -> Answer:
        return refusal(status, self._desk.request_id(), {"status": "ERROR", "error": text})

    def _spoiled(self, answer: Answer, fault: Fault) -> Answer:
        """The answer with a fault that is in what it says; the other faults happen when it is sent."""
        if fault in (Fault.RATE_LIMIT, Fault.BAD_GATEWAY, Fault.NOT_AUTHORIZED_200):
            return self._instead(answer, fault)
        if fault in (Fault.INVALID_JSON, Fault.NAN_PRICE):
            return replace(answer, body=garble(fault, answer.plain()), packed=b"")
        if answer.page is None or answer.question is None:
            return answer
        if fault is Fault.LATE_REVISION:
            late_revision(self.market, answer.question, answer.page())
        if fault in SPOIL:
            return replace(answer, body=SPOIL[fault](answer.page(), answer.question).encode(), packed=b"")
        return answer

    def _instead(self, answer: Answer, fault: Fault) -> Answer:
        """Another answer than the one that was asked for."""
        if fault is Fault.RATE_LIMIT:
            return self._error(429, _TOO_MANY)
        if fault is Fault.NOT_AUTHORIZED_200:
            return refusal(200, answer.request_id, {"status": "NOT_AUTHORIZED", "message": NOT_ENTITLED})
        status = 502 + self.faults.made[fault] % len(_GATEWAY)
        body = _HTML.format(_GATEWAY[status]).encode()
        return Answer(body, answer.request_id, status=status, content_type="text/html")

    async def _send(
        self, path: str, request: web.Request, answer: Answer, fault: Fault | None
    ) -> web.StreamResponse:
        self._asked[path][str(answer.status)] += 1
        parcel = Parcel(answer.status, answer.request_id, answer.content_type, answer.body, answer.packed)
        self._sent += len(parcel.packed or parcel.body)
        if pause := self._latency.base + self._latency.per_mb * parcel.size() / 1e6:
            await asyncio.sleep(pause)
        response = await send(parcel, request, fault, stall=self._stall)
        response.headers["Date"] = formatdate(self._now() / 1000, usegmt=True)
        if answer.status == 429 and self._retry_after:  # noqa: PLR2004 - the status is its own name
            response.headers["Retry-After"] = self._retry_after
        return response

    # -- outside the API

    async def _show_stats(self, _: web.Request) -> web.Response:
        return web.Response(text=json.dumps(self.stats, indent=1), content_type=_JSON)

    async def _nowhere(self, _: web.Request) -> web.Response:
        self._asked["elsewhere"]["404"] += 1
        return web.Response(
            status=404, text="404 page not found\n", headers={"X-Request-Id": self._desk.request_id()}
        )
