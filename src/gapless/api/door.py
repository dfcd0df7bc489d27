"""The outermost of the server: who may come in, how many, how each answer looks; the last stop of every error."""

import hmac
import ipaddress
import logging
import time
from collections.abc import Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gapless.api.answers import Headers, header_lines
from gapless.api.metrics import Requests
from gapless.api.problems import Problem, fault
from gapless.errors import GaplessError

_LOG = logging.getLogger("gapless.api")
_MOST_AT_A_TIME = 128
_OPEN_TO_ALL = ("/healthz", "/readyz")
_GUARDED = ("/v1/", "/v2/", "/v3/", "/metrics", "/openapi.json")
_EVERY_ANSWER = header_lines(
    {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "content-security-policy": (
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        ),
    }
)


class Door:
    """Checks every request before anything else sees it.

    `names` are the hosts that it answers for. With `guarded`, reading needs the token too.
    """

    def __init__(self, inside: ASGIApp, *, names: Iterable[str], token: str, guarded: bool) -> None:
        self.requests = Requests()
        self._inside = inside
        self._names = {name.lower().strip("[]") for name in names}
        self._token = token.encode()
        self._guarded = guarded
        self._at_a_time = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        began, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_EVERY_ANSWER]
            await send(message)

        self._at_a_time += 1
        # Starlette tells its own errors as exceptions where it knows of an app, and notes which endpoint it found.
        inner = {**scope, "app": self}
        try:
            self._check(scope)
            await self._inside(inner, receive, sending)
        except Exception as error:  # the door: whatever got here is answered, and a fault is logged
            if status:
                raise  # half an answer is out already: the connection is cut
            await self._refuse(scope, sending, _problem_of(error))
        finally:
            self._at_a_time -= 1
            endpoint = getattr(inner.get("endpoint"), "name", "other")
            if endpoint != "events":
                self.requests.heard(_method(scope), endpoint, status, time.perf_counter() - began)

    def _check(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        host = _host_name(headers.get(b"host", b"").decode("latin-1"))
        if host not in self._names and not _is_address(host):
            raise Problem(
                421,
                "wrong-host",
                "This server does not go by that name",
                f"It was asked for `{host}`.",
                hint="Start it with --allow-host and that name.",
            )
        path = scope["path"]
        if self._at_a_time > _MOST_AT_A_TIME and path not in _OPEN_TO_ALL:
            raise Problem(
                503,
                "busy",
                "Too much is asked at once",
                f"{_MOST_AT_A_TIME} requests are under way.",
                headers={"retry-after": "1"},
            )
        if scope["method"] not in ("GET", "HEAD") or (self._guarded and path.startswith(_GUARDED)):
            self._admit(headers)

    def _admit(self, headers: dict[bytes, bytes]) -> None:
        """Let in who shows the token. Where there is none, nothing is there that could be written."""
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        if self._token and not (
            scheme.lower() == b"bearer" and hmac.compare_digest(shown.strip(), self._token)
        ):
            raise Problem(
                401,
                "token-needed",
                "A token is needed",
                "The token is missing or wrong.",
                hint="Send `Authorization: Bearer ...` with the token that the server was started with.",
                headers={"www-authenticate": "Bearer"},
            )

    async def _refuse(self, scope: Scope, send: Send, problem: Problem) -> None:
        body, media = problem.body(scope["path"])
        headers: Headers = header_lines(
            {
                "content-type": media,
                "content-length": len(body),
                "cache-control": "no-store",
                **problem.headers,
            }
        )
        await send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, GaplessError):
        return Problem.of(error)
    if isinstance(error, HTTPException) and error.status_code == 405:  # noqa: PLR2004 - the status is its own name
        allow = (error.headers or {}).get("Allow", "")
        return Problem(
            405,
            "wrong-method",
            "Not with this method",
            f"This address knows {allow}.",
            headers={"allow": allow},
        )
    _LOG.error("a fault while answering", exc_info=error)
    return fault()


def _method(scope: dict[str, Any] | Scope) -> str:
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"


def _is_address(host: str) -> bool:
    """Whether it is a bare IP address: nobody can make one of their own point here, as they can a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host_name(header: str) -> str:
    """The name in a `Host` header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
