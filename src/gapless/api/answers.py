"""Answers as bytes: encoded once, named by what is in them, packed for who wants that."""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gapless.api.declared import JSON

_WORTH_PACKING = 1024
_LEVEL = 5
_KEPT = (b"etag", b"cache-control", b"vary")
"""The headers that a `304` repeats."""
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Made:
    """One answer, not yet ready to be sent."""

    body: bytes
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def in_json(value: object) -> Made:
    """Plain data as JSON; NaN becomes null."""
    return Made(msgspec.json.encode(value, enc_hook=str))


@dataclass(frozen=True, slots=True)
class Encoded:
    """An answer ready to be sent, plain or gzipped: its bytes, its strong ETag and its headers."""

    body: bytes
    etag: bytes
    headers: Headers

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return len(self.body) + 1000

    def messages(self, if_none_match: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """How it is sent (ASGI): whole, or as `304` without a body to who names its ETag."""
        tags = (tag.strip() for tag in (if_none_match or "").split(","))
        if self.etag.decode() not in tags:
            start = {"type": "http.response.start", "status": 200, "headers": self.headers}
            return start, {"type": "http.response.body", "body": self.body}
        kept = [line for line in self.headers if line[0] in _KEPT]
        start = {"type": "http.response.start", "status": 304, "headers": kept}
        return start, {"type": "http.response.body", "body": b""}


def encoded(made: Made, *, gzipped: bool) -> Encoded:
    """The bytes to send. An ETag is of the bytes: the same answer gzipped has another one."""
    packed = gzipped and len(made.body) >= _WORTH_PACKING
    body = _gzip(made.body) if packed else made.body
    etag = f'"{hashlib.blake2b(made.body, digest_size=12).hexdigest()}{"-gz" if packed else ""}"'.encode()
    headers = {
        "content-type": _with_charset(made.media),
        "content-length": str(len(body)),
        "etag": etag.decode(),
        "cache-control": "no-cache",
        "vary": "Accept, Accept-Encoding",
        **made.headers,
    }
    if packed:
        headers["content-encoding"] = "gzip"
    return Encoded(body, etag, header_lines(headers))


def header_lines(headers: Mapping[str, Any]) -> Headers:
    """Headers as they are sent."""
    return tuple((name.lower().encode(), str(text).encode("latin-1")) for name, text in headers.items())


def _with_charset(media: str) -> str:
    return f"{media}; charset=utf-8" if media.startswith("text/") else media


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()
