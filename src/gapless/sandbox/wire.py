"""How answers travel: compressed, and now and then broken on the way."""

import asyncio
import gzip
import zlib
from dataclasses import dataclass

from aiohttp import web

from gapless.sandbox.faults import Fault

_LEVEL = 1
"""zlib's level; at 1 a page is as large as the vendor's."""
_PARTS = 10


def gzipped(body: bytes) -> bytes:
    """The body as a gzip stream, the same bytes every time."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@dataclass(frozen=True, slots=True)
class Parcel:
    """One answer, ready to be sent; exactly one of `body` and `packed` may be empty."""

    status: int
    request_id: str
    content_type: str
    body: bytes
    packed: bytes

    def size(self) -> int:
        """Bytes of the body before compression, about."""
        return len(self.body) or 5 * len(self.packed)

    def fit(self, *, gzip_wanted: bool) -> tuple[bytes, dict[str, str]]:
        """The bytes to send and the headers that go with them."""
        headers = {
            "X-Request-Id": self.request_id,
            "Vary": "Accept-Encoding",
            "Content-Type": self.content_type,
        }
        if gzip_wanted:
            return self.packed or gzipped(self.body), headers | {"Content-Encoding": "gzip"}
        return self.body or gzip.decompress(self.packed), headers


async def send(
    parcel: Parcel, request: web.Request, fault: Fault | None, *, stall: float
) -> web.StreamResponse:
    """Send an answer, or do to it what `fault` says."""
    body, headers = parcel.fit(gzip_wanted="gzip" in request.headers.get("Accept-Encoding", ""))
    if fault is Fault.TRUNCATED_GZIP:
        body = body[: len(body) * 2 // 3]
    if fault in (Fault.RESET, Fault.STALL, Fault.CUT):
        return await _half(request, body, headers, fault, pause=stall if fault is Fault.STALL else 0.0)
    if fault is Fault.LATENCY:
        await asyncio.sleep(stall)
    if fault in (Fault.DRIP, Fault.BANDWIDTH):
        size = 1 if fault is Fault.DRIP else -(-len(body) // _PARTS)
        return await _in_parts(request, body, headers, size=size, pause=stall / _PARTS)
    return web.Response(status=parcel.status, body=body, headers=headers)


async def _half(
    request: web.Request, body: bytes, headers: dict[str, str], fault: Fault, *, pause: float
) -> web.StreamResponse:
    """Promise the whole body, send half of it, and hang up after `pause` seconds."""
    response = web.StreamResponse(headers=headers | {"Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await asyncio.sleep(pause)
    if request.transport is not None:
        if fault is Fault.CUT:
            request.transport.close()
        else:
            request.transport.abort()
    return response


async def _in_parts(
    request: web.Request, body: bytes, headers: dict[str, str], *, size: int, pause: float
) -> web.StreamResponse:
    """Send `size` bytes at a time with pauses between them; after some of those, all the rest."""
    response = web.StreamResponse(headers=headers | {"Content-Length": str(len(body))})
    await response.prepare(request)
    for part in range(_PARTS):
        await response.write(body[part * size : (part + 1) * size])
        await asyncio.sleep(pause)
    await response.write(body[_PARTS * size :])
    return response
