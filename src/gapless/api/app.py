"""The server's application: each declared address bound to what answers it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from gapless.api import bars, metrics, vendor
from gapless.api.answers import Encoded, Made, header_lines, in_json
from gapless.api.asking import Asked, asked_of, read_all
from gapless.api.declared import ARROW, EVENTS, JSON, TEXT, Endpoint
from gapless.api.door import Door
from gapless.api.endpoints import ENDPOINTS
from gapless.api.events import MOST, Events
from gapless.api.keeping import Keeper
from gapless.api.openapi import document
from gapless.api.problems import Problem, wrong
from gapless.api.questions import QUESTIONS, store
from gapless.api.starting import WORKS, Starter
from gapless.api.static import Static
from gapless.api.stock import Stock
from gapless.ports import Clock
from gapless.settings import Settings

_THREADS = 4
_PATIENCE = 30.0
"""Seconds that an answer may take."""
_REMEMBERED = 1000
_LARGEST_BODY = 64 << 10


BarsAsked = tuple[Asked, str, str | None]
"""What is asked for, in which kind, and the ticker that the answer holds on to."""


class Api:
    """One server's state, and how it answers each address."""

    def __init__(self, settings: Settings, clock: Clock, *, writes: bool) -> None:
        self.settings = settings
        self.writes = writes
        self._pool = ThreadPoolExecutor(_THREADS, "gapless-api")
        self.stock = Stock(settings, clock)
        self._keeper = Keeper(self.stock, self._pool)
        self._events = Events(self.stock, self._pool)
        self._starter = Starter(settings, clock)
        self.static = Static()
        self.door: Door | None = None
        self._settled: dict[tuple[bytes, bytes, bytes], BarsAsked] = {}

    def routes(self) -> list[Route]:
        """Every declared address that this server has."""
        return [
            Route(e.path, _Bound(e, self._answerer(e)), methods=[e.method])
            for e in ENDPOINTS
            if self.writes or not e.writes
        ]

    async def close(self) -> None:
        """End streams and runs, and let go of the store."""
        await self._events.close()
        await asyncio.to_thread(self._starter.close)
        self._pool.shutdown()
        self.stock.close()

    # -- how each address is answered

    def _answerer(self, endpoint: Endpoint) -> "Answerer":
        special: dict[str, Answerer] = {
            "bars": self._bars,
            "aggs": self._aggs,
            "store": self._store,
            "events": self._stream,
            "healthz": self._healthz,
            "readyz": self._readyz,
            "metrics": self._metrics,
            "openapi": self._openapi,
            "stop": self._stop,
        }
        if endpoint.name in WORKS:
            return self._start
        return special.get(endpoint.name, self._question)

    async def _question(self, call: "Call") -> None:
        asked = call.asked()
        open_ = self.stock.any_warehouse if call.endpoint.name == "plan" else self.stock.warehouse
        ask = QUESTIONS[call.endpoint.name]
        await call.keep(self._keeper, asked, lambda: in_json(ask(open_(), asked)))

    async def _bars(self, call: "Call") -> None:
        asked, media, hold = self._settled.get(call.fingerprint) or self._read_bars(call)
        clock = self.stock.clock
        await call.keep(
            self._keeper,
            asked,
            lambda: bars.bars(self.stock.warehouse(), asked, media, clock.now()),
            media,
            hold=hold,
        )

    def _read_bars(self, call: "Call") -> "BarsAsked":
        asked, media = call.asked(), call.media()
        hold = bars.hold_of(asked, self.stock.clock.now())
        if hold:  # what has settled stays so: the same words mean the same for ever
            if len(self._settled) >= _REMEMBERED:
                self._settled.clear()
            self._settled[call.fingerprint] = asked, media, hold
        return asked, media, hold

    async def _aggs(self, call: "Call") -> None:
        asked, host = call.asked(), call.request.headers["host"]
        on_gap = self.settings.get("serve.on_gap")
        await call.keep(
            self._keeper,
            asked | {"host": host},
            lambda: vendor.aggs(self.stock.warehouse(), call.endpoint, asked, host, on_gap),
        )

    async def _store(self, call: "Call") -> None:
        asked = call.asked()
        await call.keep(self._keeper, asked, lambda: in_json(store(self.stock, writes=self.writes)))

    async def _openapi(self, call: "Call") -> None:
        asked = call.asked()
        await call.keep(self._keeper, asked, lambda: in_json(document(writes=self.writes)))

    async def _healthz(self, call: "Call") -> None:
        call.asked()
        await call.text("ok\n")

    async def _readyz(self, call: "Call") -> None:
        call.asked()
        await self._on_thread(self._stamps)
        await call.text("ok\n")

    def _stamps(self) -> None:
        self.stock.warehouse().store.stamps()

    async def _metrics(self, call: "Call") -> None:
        call.asked()
        of_store = await self._on_thread(lambda: list(metrics.store_lines(self.stock)))
        own = self.door.requests.lines() if self.door else ()
        await call.text("\n".join([*of_store, *own]) + "\n", f"{TEXT}; version=0.0.4; charset=utf-8")

    async def _stream(self, call: "Call") -> None:
        call.asked()
        if self._events.listening >= MOST:
            raise Problem(503, "busy", "Too many listen", f"{MOST} streams are open already.")
        await call.stream(self._events)

    async def _start(self, call: "Call") -> None:
        asked = await call.body()
        run_id = await self._on_thread(lambda: self._starter.start(call.endpoint.name, asked))
        await call.json({"run_id": run_id, "url": f"/v1/runs/{run_id}"}, status=202)

    async def _stop(self, call: "Call") -> None:
        await call.body()
        await call.json({"run_id": self._starter.stop()}, status=202)

    async def _on_thread(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the work gives
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


class Call:
    """One request to one endpoint, and the ways to answer it."""

    def __init__(self, endpoint: Endpoint, request: Request, send: Send) -> None:
        self.endpoint, self.request, self._send = endpoint, request, send

    @property
    def fingerprint(self) -> tuple[bytes, bytes, bytes]:
        """All that decides what is asked for, unread."""
        scope = self.request.scope
        accept = next((text for name, text in scope["headers"] if name == b"accept"), b"")
        return scope["raw_path"], scope["query_string"], accept

    def asked(self) -> Asked:
        """Its parameters; asking for a kind that there is not is refused as well."""
        self.media()
        return asked_of(self.endpoint, self.request.path_params, self.request.scope["query_string"])

    def media(self) -> str:
        """The best of the kinds that this endpoint has, by what `Accept` says."""
        offered = [m for m in self.endpoint.media if m != ARROW or find_spec("pyarrow")]
        accept = self.request.headers.get("accept", "*/*")
        if found := _best(accept, offered):
            return found
        extra = ' Arrow needs `pip install "gapless[arrow]"`.' if ARROW in self.endpoint.media else ""
        raise Problem(
            406,
            "no-such-kind",
            "Not in that form",
            f"This address has {', '.join(offered)}; `Accept` was `{accept[:200]}`.",
            hint=f"Ask for one of them.{extra}" if ARROW not in offered else "Ask for one of them.",
        )

    async def body(self) -> Asked:
        """The parameters of a POST, from a JSON object; no body is an empty one."""
        if self.request.scope["query_string"]:
            raise wrong("A POST takes its parameters in the body.", "Send a JSON object.")
        self.media()
        data = b""
        if int(self.request.headers.get("content-length", "0")) > _LARGEST_BODY:
            raise _too_large()
        async for part in self.request.stream():
            data += part
            if len(data) > _LARGEST_BODY:
                raise _too_large()
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if data and kind != JSON:
            raise Problem(
                415, "not-json", "The body is not JSON", f"It says it is `{kind}`.", hint=f"Send {JSON}."
            )
        try:
            given = msgspec.json.decode(data or b"{}")
        except (msgspec.DecodeError, RecursionError):
            raise wrong("The body is not JSON.") from None
        if not isinstance(given, dict):
            raise wrong("The body is JSON, but no object.", 'For example {"symbols": ["AAPL"]}.')
        return read_all(self.endpoint, given)

    async def keep(
        self,
        keeper: Keeper,
        asked: Asked,
        make: Callable[[], Made],
        media: str = "",
        *,
        hold: str | None = None,
    ) -> None:
        """Answer what is kept, or is made now; or that it is still what the caller has."""
        gzipped = "gzip" in self.request.headers.get("accept-encoding", "")
        key = self.endpoint.name, media, gzipped, *(_hashable(value) for value in asked.values())
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await keeper.get(key, make, gzipped=gzipped, hold=hold)
        except TimeoutError:
            raise Problem(
                503,
                "too-slow",
                "It takes too long",
                f"After {_PATIENCE:.0f} seconds there was no answer.",
                hint="Ask for fewer symbols or days.",
            ) from None
        await self._encoded(found)

    async def text(self, body: str, media: str = f"{TEXT}; charset=utf-8") -> None:
        """Plain text, never kept."""
        await self._plain(body.encode(), media, 200)

    async def json(self, value: object, *, status: int) -> None:
        """Data, never kept."""
        await self._plain(msgspec.json.encode(value), JSON, status)

    async def stream(self, events: Events) -> None:
        """Events until the other side goes."""
        headers = {"content-type": EVENTS, "cache-control": "no-store"}
        await self._head(200, headers)
        if self.request.method == "HEAD":
            await self._send({"type": "http.response.body", "body": b""})
            return
        gone = asyncio.ensure_future(self._gone())
        messages = events.stream()
        try:
            while True:
                coming = asyncio.ensure_future(anext(messages, None))
                await asyncio.wait([coming, gone], return_when=asyncio.FIRST_COMPLETED)
                message = coming.result() if coming.done() else None
                if message is None:
                    coming.cancel()
                    with suppress(asyncio.CancelledError):
                        await coming
                    break
                await self._send({"type": "http.response.body", "body": message, "more_body": True})
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            await messages.aclose()

    # -- inside

    async def _gone(self) -> None:
        while (await self.request.receive())["type"] != "http.disconnect":
            pass

    async def _encoded(self, found: Encoded) -> None:
        for message in found.messages(self.request.headers.get("if-none-match")):
            await self._send(message)

    async def _plain(self, body: bytes, media: str, status: int) -> None:
        headers = {"content-type": media, "content-length": len(body), "cache-control": "no-store"}
        await self._head(status, headers)
        await self._send({"type": "http.response.body", "body": body})

    async def _head(self, status: int, headers: dict[str, Any]) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": header_lines(headers)})


Answerer = Callable[[Call], Any]


class _Bound:
    """An endpoint as Starlette routes to it."""

    def __init__(self, endpoint: Endpoint, answerer: Answerer) -> None:
        self.name = endpoint.name
        self._endpoint, self._answerer = endpoint, answerer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._answerer(Call(self._endpoint, Request(scope, receive), send))


def build(settings: Settings, clock: Clock, *, host: str, guarded: bool) -> tuple[Api, Door]:
    """The application of a server that listens on `host`, and the door before it."""
    token = settings.serve_token.reveal()
    api = Api(settings, clock, writes=bool(token) and settings.serve_writes)
    router = Router(api.routes(), redirect_slashes=False, default=api.static)
    names = {host, "127.0.0.1", "localhost", "::1", *settings.serve_names}
    api.door = Door(router, names=names, token=token, guarded=guarded)
    return api, api.door


def _best(accept: str, offered: list[str]) -> str | None:
    """The offered kind that is wanted most; of several wanted equally, the one that is offered first."""
    wanted: dict[str, float] = {}
    for part in accept.split(","):
        kind, *options = (piece.strip().lower() for piece in part.split(";"))
        quality = next((option[2:] for option in options if option.startswith("q=")), "1")
        with suppress(ValueError):
            wanted[kind or "*/*"] = float(quality)
    best = max(offered, key=partial(_quality, wanted))
    return best if _quality(wanted, best) > 0 else None


def _quality(wanted: dict[str, float], kind: str) -> float:
    group = kind.partition("/")[0] + "/*"
    return next((wanted[name] for name in (kind, group, "*/*") if name in wanted), 0.0)


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _too_large() -> Problem:
    return Problem(413, "too-large", "The body is too large", f"At most {_LARGEST_BODY >> 10} KB are read.")
