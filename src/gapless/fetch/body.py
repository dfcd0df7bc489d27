"""Bodies: bytes from the wire to the text that was meant, whole and bounded, with its digest."""

import hashlib
import zlib

import deflate

from gapless.errors import BadAnswer, NetworkError
from gapless.vocabulary.steps import Answer, Octets, Page

MOST_WIRE_BYTES, MOST_BYTES = 12 << 20, 24 << 20
"""What one answer may hold on the wire and unpacked; a full page of 50,000 bars has 1 and 5 to 8 million bytes."""
_TRAILER = 8
_GZIP = 31
"""What zlib calls a gzip member."""


def unpack(answer: Answer, most: int = MOST_BYTES) -> Page:
    """The page that an answer holds. Costs milliseconds, most of them without the interpreter.

    Raises:
        NetworkError: the compressed body is cut off or damaged.
        BadAnswer: it is compressed in an unknown way, or holds more than `most` bytes.
    """
    return Page(
        answer.request,
        inflate(answer.wire, answer.encoding, most),
        hashlib.sha256(answer.wire).hexdigest(),
        answer.request_id,
        answer.received,
        wire_bytes=len(answer.wire),
        dated=answer.dated,
    )


def inflate(wire: bytes, encoding: str, most: int) -> Octets:
    """The bytes that these were before compression.

    Raises:
        NetworkError, BadAnswer: as `unpack`.
    """
    if encoding in ("", "identity"):
        return wire
    if encoding == "gzip":
        return _gunzip(wire, most)
    raise BadAnswer(f"The answer is compressed as `{encoding[:20]}`, which was not offered.")


def _gunzip(wire: bytes, most: int) -> Octets:
    """The fast way first: one member whose trailer names its length. Anything else goes the careful way."""
    size = int.from_bytes(wire[-4:], "little")
    if 0 < size <= most and len(wire) > _TRAILER:
        try:
            body: bytearray = deflate.gzip_decompress(wire, size)
        except (deflate.DeflateError, ValueError):
            return _gunzip_members(wire, most)
        # With a second member the trailer is that one's, and the fast way has read the first only.
        if len(body) == size and deflate.crc32(body) == int.from_bytes(wire[-8:-4], "little"):
            return body
    return _gunzip_members(wire, most)


def _gunzip_members(wire: bytes, most: int) -> bytes:
    """Read member after member, never holding more than `most` bytes."""
    parts: list[bytes] = []
    room = most
    while wire:
        inflater = zlib.decompressobj(_GZIP)
        try:
            parts.append(inflater.decompress(wire, room + 1))
        except zlib.error as error:
            raise NetworkError(f"The compressed answer is damaged: {error}.") from None
        room -= len(parts[-1])
        if room < 0:
            raise BadAnswer(f"The answer holds more than {most >> 20} MB; it is not read.")
        if not inflater.eof:
            raise NetworkError("The compressed answer is cut off.")
        wire = inflater.unused_data
    return b"".join(parts)
