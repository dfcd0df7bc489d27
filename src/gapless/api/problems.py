"""What goes wrong, as the caller is told: a problem of RFC 9457, or the vendor's own shape on its own addresses."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from gapless.api.declared import JSON, PROBLEM
from gapless.errors import (
    BarsMissing,
    GaplessError,
    KeyRefused,
    LeaseHeld,
    NoStore,
    NotStored,
    StorageError,
    StoreDamaged,
    UsageError,
)

VENDOR_PATHS = ("/v2/", "/v3/")
"""Addresses below these answer in the vendor's shape."""

_KINDS: tuple[tuple[type[GaplessError], int, str, str], ...] = (
    (BarsMissing, 409, "bars-missing", "Bars are missing"),
    (NoStore, 503, "no-store", "There is no store yet"),
    (NotStored, 404, "not-stored", "Nothing of it is stored"),
    (UsageError, 400, "wrong-request", "The request cannot be understood"),
    (KeyRefused, 409, "no-key", "The vendor's key is missing"),
    (LeaseHeld, 409, "busy", "Another run is under way"),
    (StoreDamaged, 503, "store-damaged", "What is stored is damaged"),
    (StorageError, 503, "store-unusable", "The store cannot be used"),
)
"""By the error's class, the first that fits: status, kind and title."""


class Problem(Exception):
    """An answer that is no success. `kind` is the end of its `type`; `more` are further members."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.title, self.detail, self.hint = status, kind, title, detail, hint
        self.headers, self.more = dict(headers or {}), dict(more or {})

    @classmethod
    def of(cls, error: GaplessError) -> "Problem":
        """What an error of gapless means to a caller."""
        status, kind, title = next(
            ((status, kind, title) for known, status, kind, title in _KINDS if isinstance(error, known)),
            (500, "fault", "A fault in gapless"),
        )
        more: dict[str, Any] = {}
        if isinstance(error, BarsMissing):
            more["gaps"] = [asdict(gap) for gap in error.gaps]
        hint = error.hint.replace('on_gap="mark"', "on_gap=mark")
        return cls(status, kind, title, error.message, hint=hint, more=more)

    def body(self, path: str) -> tuple[bytes, str]:
        """The body for a request of `path`, and its media type."""
        if path.startswith(VENDOR_PATHS):
            told = f"{self.detail} {self.hint}".strip()
            return msgspec.json.encode({"status": "ERROR", "request_id": "", "error": told}), JSON
        told_all = {
            "type": f"/problems/{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "hint": self.hint,
        }
        return msgspec.json.encode(told_all | self.more), PROBLEM


def wrong(detail: str, hint: str = "") -> Problem:
    """A parameter that cannot be understood."""
    return Problem(400, "wrong-request", "The request cannot be understood", detail, hint=hint)


def fault() -> Problem:
    """Something that should not happen; what it was is in the log, not in the answer."""
    return Problem(
        500,
        "fault",
        "A fault in gapless",
        "The server failed at this request; its log says more.",
        hint="Report what the server's log says.",
    )
