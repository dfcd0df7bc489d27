"""What an endpoint is: its address, what it takes, what it answers. Data only; the server and the docs read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

JSON = "application/json"
CSV = "text/csv"
NDJSON = "application/x-ndjson"
ARROW = "application/vnd.apache.arrow.stream"
PROBLEM = "application/problem+json"
EVENTS = "text/event-stream"
TEXT = "text/plain"


class Kind(StrEnum):
    """What the text of a parameter means."""

    SYMBOL = "symbol"
    SYMBOLS = "symbols, with commas between"
    TIMEFRAME = "timeframe"
    TIMEFRAMES = "timeframes, with commas between"
    DATE = "date or moment"
    WORD = "word"
    WHOLE = "whole number"
    SWITCH = "true or false"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter. `words` are all that it can be; `least` and `most` bound a whole number."""

    name: str
    kind: Kind
    help: str
    default: str = ""
    required: bool = False
    words: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    example: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address. Parameters that stand in `path` in braces are part of it, `body` ones come as a JSON object.

    `errors` are the statuses besides 200 (202 for a POST) and those that every address can answer.
    `writes`: it exists only where the server may write.
    """

    name: str
    method: str
    path: str
    summary: str
    text: str = ""
    params: tuple[Param, ...] = ()
    media: tuple[str, ...] = (JSON,)
    example: Any = None
    call: str = ""
    errors: tuple[int, ...] = ()
    writes: bool = False
    vendor: bool = False

    @property
    def success(self) -> int:
        """The status of an answer that is none of the errors."""
        return 202 if self.writes else 200

    def param(self, name: str) -> Param:
        """The parameter of this name."""
        return next(param for param in self.params if param.name == name)

    @property
    def in_path(self) -> tuple[Param, ...]:
        """The parameters that are part of the address."""
        return tuple(param for param in self.params if "{" + param.name + "}" in self.path)


STATUSES: Mapping[int, str] = {
    304: "What `If-None-Match` names is still the answer.",
    400: "A parameter is wrong, unknown or missing; `detail` says which.",
    401: "The token is missing or wrong.",
    404: "No such address, symbol or run.",
    405: "The address knows other methods; `Allow` names them.",
    406: "None of the kinds that `Accept` names.",
    408: "The request did not come to an end in ten seconds.",
    409: "Not now: bars are missing, or another run is under way.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    421: "The `Host` is not one that this server answers for.",
    500: "A fault in gapless; the server's log has the details.",
    503: "There is no store yet, it cannot be read, or too much is asked at once.",
}
"""Every status that is not a success, and what it means here."""

ANYWHERE = (400, 401, 405, 406, 408, 421, 500, 503)
"""The errors that any address can answer."""
