"""Answers other than 200: what each means for what happens next, in one line for people."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from gapless.errors import (
    BadAnswer,
    GaplessError,
    KeyRefused,
    RateLimited,
    Refused,
    Rejected,
    ServerError,
)

MOST_WAIT = 300.0
"""The longest Retry-After that is obeyed, in seconds."""
HINT_KEY = "Set MASSIVE_API_KEY to a key from the vendor's dashboard."
_HINT_PLAN = "The plan of this key does not include it: ask for less, or upgrade the plan."
_MOST_WORDS = 200


class _Said(msgspec.Struct):
    """The vendor writes its reason in one of two places."""

    error: str = ""
    message: str = ""


def error_for(
    status: int, headers: Mapping[str, str], body: bytes, *, request_id: str, now: int
) -> GaplessError:
    """The error that an answer of this status stands for. `now` in Unix ms, for a Retry-After that is a date."""
    said = _sentence(body)
    text = f"The vendor answered {status}: {said}" if said else f"The vendor answered {status}."
    error: GaplessError = BadAnswer(text, request_id=request_id)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        place = _host(headers.get("Location", ""))
        error = BadAnswer(f"The vendor redirects to {place}, which is never followed.", request_id=request_id)
    elif status == HTTPStatus.UNAUTHORIZED:
        error = KeyRefused(text, hint=HINT_KEY)
    elif status == HTTPStatus.FORBIDDEN:
        error = Refused(text, hint=_HINT_PLAN, request_id=request_id)
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        error = RateLimited(text, retry_after=_retry_after(headers.get("Retry-After", ""), now))
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        error = ServerError(text, status=status, request_id=request_id)
    elif status >= HTTPStatus.BAD_REQUEST:
        error = Rejected(text, request_id=request_id)
    return error


def _sentence(body: bytes) -> str:
    """What the vendor says about it, from JSON, HTML or plain text, in one short line."""
    try:
        said = msgspec.json.decode(body, type=_Said)
        words = said.error or said.message
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body[:10_000].decode("utf-8", "replace")
        title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        words = title[1] if title else re.sub(r"<[^>]*>", " ", text)
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:_MOST_WORDS]


def _host(location: str) -> str:
    try:
        return urlsplit(location).hostname or "another page of its own"
    except ValueError:
        return "an address that cannot be read"


def _retry_after(text: str, now: int) -> float | None:
    """Seconds to wait, from a number or a date; None where there is neither."""
    text = text.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return min(float(text), MOST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now / 1000
    return min(max(seconds, 0.0), MOST_WAIT)
