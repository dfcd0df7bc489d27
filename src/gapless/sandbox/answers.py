"""What a request carries to the desk, and what the desk gives back."""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from gapless.sandbox.aggs import AggsPage, Question
from gapless.sandbox.profiles import Profile
from gapless.vocabulary.timeframe import MINUTE

_DELAY = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Call:
    """One request: decoded path parts and query, who asks, and when (Unix ms)."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    url_path: str
    host: str
    profile: Profile
    now: int

    @property
    def seen(self) -> int:
        """The instant up to which this key sees the market."""
        return self.now - _DELAY if self.profile.delayed else self.now


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `rows` is the number of bars of an aggregates page, None elsewhere.

    `packed` is the gzipped body where it was kept; `question` and `page` are there to be spoiled.
    """

    body: bytes
    request_id: str
    status: int = 200
    rows: int | None = None
    content_type: str = "application/json"
    packed: bytes = b""
    question: Question | None = None
    page: Callable[[], AggsPage] | None = field(default=None, repr=False)

    def plain(self) -> bytes:
        """The body, not compressed."""
        return self.body or gzip.decompress(self.packed)


def refusal(status: int, request_id: str, body: dict[str, str]) -> Answer:
    """An answer without data: `body` says why, in the vendor's words."""
    words = {"status": body["status"], "request_id": request_id} | body
    return Answer(msgspec.json.encode(words), request_id, status=status)


def json_answer(body: object, request_id: str) -> Answer:
    """A success with this body."""
    return Answer(msgspec.json.encode(body), request_id)


def digest(*parts: object) -> str:
    """32 hexadecimal digits that stand for these parts."""
    return hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=16).hexdigest()
