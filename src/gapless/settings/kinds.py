"""The kinds of values that settings take, and how each is judged and read."""

import ipaddress
import re
import shlex
from collections.abc import Callable
from enum import StrEnum
from urllib.parse import urlsplit

from gapless.errors import UsageError
from gapless.vocabulary.daily import Daily

PLANS = ("basic", "starter", "developer", "advanced")
"""The vendor's plans, smallest first."""

_DURATION = re.compile(r"(\d{1,6}) ?([smhd])")
_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SWITCH = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_LAST_PORT = 65535
_COUNT = re.compile(r"\d{1,9}")


class Kind(StrEnum):
    """What the text of a setting means."""

    TEXT = "text"
    ADDRESS = "address"
    PLAN = "plan"
    RATE = "rate"
    DURATION = "duration"
    COUNT = "count"
    COMMAND = "command"
    WEBHOOK = "webhook"
    PORT = "port"
    SWITCH = "switch"
    ON_GAP = "on gap"
    DAILY = "time of day"

    def check(self, text: str) -> None:
        """Pass text that this kind can be read from.

        Raises:
            UsageError: it cannot; the message leaves out which setting it was for.
        """
        if self in _CHECKS:
            _CHECKS[self](text)


def duration(text: str) -> int:
    """Milliseconds from `30s`, `10m`, `1h` or `2d`.

    Raises:
        UsageError: anything else.
    """
    if found := _DURATION.fullmatch(text):
        return int(found[1]) * _MS[found[2]]
    raise UsageError(f"`{text}` is not a duration.", hint="Write it like 30s, 10m, 1h or 2d.")


def count(text: str) -> int:
    """A whole number from 0 on.

    Raises:
        UsageError: anything else.
    """
    if _COUNT.fullmatch(text):
        return int(text)
    raise UsageError(f"`{text}` is not a whole number.", hint="Write 0 or more, in digits.")


def switch(text: str) -> bool:
    """Yes or no.

    Raises:
        UsageError: anything else.
    """
    if text.lower() in _SWITCH:
        return _SWITCH[text.lower()]
    raise UsageError(f"`{text}` is neither yes nor no.", hint="Write yes or no.")


def _check_port(text: str) -> None:
    if count(text) > _LAST_PORT:
        raise UsageError(
            f"There is no port {text}.", hint=f"Ports go up to {_LAST_PORT}; 0 takes a free one."
        )


def _check_on_gap(text: str) -> None:
    if text not in ("raise", "mark"):
        raise UsageError(f"`{text}` is neither raise nor mark.", hint="Write raise or mark.")


def _check_plan(text: str) -> None:
    if text not in PLANS:
        raise UsageError(f"`{text}` is not a plan of the vendor.", hint=f"Use one of: {', '.join(PLANS)}.")


def _check_rate(text: str) -> None:
    if text:
        from gapless.fetch.limiter import Rate  # noqa: PLC0415 - most settings are read without a rate

        Rate.parse(text)


def _check_daily(text: str) -> None:
    if text:
        Daily.parse(text)


def _check_command(text: str) -> None:
    try:
        words = shlex.split(text)
    except ValueError:
        words = None
    if text and not (words and words[0]):
        raise UsageError(
            f"`{text}` is not a command.", hint="Close every quote; it is a program and its arguments."
        )


def _check_address(text: str) -> None:
    """Pass https anywhere, plain http on this machine only, and nothing that carries a name or a password."""
    scheme, host = _scheme_and_host(text)
    if not host:
        raise UsageError(
            f"`{_without_user(text)}` is not the address of a vendor.",
            hint="It is a scheme, a host and perhaps a port, for example http://127.0.0.1:8700.",
        )
    if scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"`{text}` would carry the key in the clear.",
            hint="Use https; plain http is for this machine only.",
        )


def _check_webhook(text: str) -> None:
    """The same for a report. Its address is not repeated: often it is a secret."""
    scheme, host = _scheme_and_host(text)
    if text and not host:
        raise UsageError(
            "It is not a web address.", hint="For example https://hooks.example.org/services/T0/B0."
        )
    if scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"{host} would get the report in the clear.",
            hint="Use https; plain http is for this machine only.",
        )


def _scheme_and_host(text: str) -> tuple[str, str]:
    """Of an address of the web without a name or a password in it; empty where it is none."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "", ""
    if not host or parts.scheme not in ("https", "http") or "@" in parts.netloc:
        return "", ""
    return parts.scheme, host


def _without_user(text: str) -> str:
    """An address as it may be shown: what stands before an `@` could be a password."""
    return text.rpartition("@")[2]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_CHECKS: dict[Kind, Callable[[str], object]] = {
    Kind.ADDRESS: _check_address,
    Kind.PLAN: _check_plan,
    Kind.RATE: _check_rate,
    Kind.DURATION: duration,
    Kind.COUNT: count,
    Kind.PORT: _check_port,
    Kind.SWITCH: switch,
    Kind.COMMAND: _check_command,
    Kind.WEBHOOK: _check_webhook,
    Kind.ON_GAP: _check_on_gap,
    Kind.DAILY: _check_daily,
}
