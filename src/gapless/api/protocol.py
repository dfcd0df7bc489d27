"""Connections with limits that the web server lacks: of time to ask and to take, of size and of number."""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gapless.api.problems import Problem, wrong

_LOOK = 2.0
_TO_ASK = 10.0
"""Seconds in which a request has to be there, all of it."""
_TO_TAKE = 30.0
"""Seconds without a byte taken of an answer that waits, after which the connection is cut."""
_MOST_CONNECTIONS = 256
_LARGEST_REQUEST, _MOST_DROPPED = 1 << 20, 64 << 20
"""Bytes of one request, headers and body, before anybody has looked at it; and after it was answered."""

_LATE = Problem(
    408, "too-slow", "The request came too slowly", f"It was not complete after {_TO_ASK:.0f} seconds."
)


class Patient(HttpToolsProtocol):
    """One connection. Every two seconds it is looked whether the other side does its part."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, unless there are too many."""
        super().connection_made(transport)
        self._asking_since: float | None = self.loop.time()
        self._received = 0
        self._waits, self._waits_since = 0, self.loop.time()
        self._timer = self.loop.call_later(_LOOK, self._look)
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as it is not too much."""
        if self._asking_since is None:
            self._asking_since, self._received = self.loop.time(), 0
        self._received += len(data)
        # What comes after the answer is dropped, so that a caller who sends too much can read why.
        answered = bool(self.cycle) and self.cycle.response_complete
        if self._received > (_MOST_DROPPED if answered else _LARGEST_REQUEST):
            self.transport.abort()
            return
        super().data_received(data)

    def on_message_complete(self) -> None:
        """The request is there."""
        self._asking_since, self._received = None, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so, as any other problem."""
        self._end_with(wrong(msg))

    def _end_with(self, problem: Problem) -> None:
        body, media = problem.body("")
        head = (
            f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\ncontent-type: {media}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _look(self) -> None:
        now, waits = self.loop.time(), self.transport.get_write_buffer_size()
        if waits == 0 or waits != self._waits:
            self._waits, self._waits_since = waits, now
        if waits and now - self._waits_since > _TO_TAKE:
            self.transport.abort()
        elif self._asking_since is not None and now - self._asking_since > _TO_ASK:
            self._end_with(_LATE)
        else:
            self._timer = self.loop.call_later(_LOOK, self._look)
