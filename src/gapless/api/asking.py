"""What a request asks for: its parameters, read by the endpoint's own declaration. Pure."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

from gapless.api.declared import Endpoint, Kind, Param
from gapless.api.problems import Problem, wrong
from gapless.errors import UsageError
from gapless.vocabulary.instrument import Instrument

_MILLISECONDS = re.compile(r"-?\d{9,14}")
_FIXED = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+)?(Z|[+-]\d\d:?\d\d)?")
_LONGEST = 8000

Asked = dict[str, Any]
"""Values by parameter: text, a number, a truth value, a list of words; None where it was not given."""


def asked_of(endpoint: Endpoint, path: Mapping[str, str], query: bytes) -> Asked:
    """The values of every parameter of an endpoint.

    Raises:
        Problem: one is unknown, given twice, missing, or cannot be read.
    """
    given = dict(path)
    for name, text in _pairs(query):
        if name in given:
            raise wrong(f"`{name}` is given twice.")
        given[name] = text
    return read_all(endpoint, given)


def read_all(endpoint: Endpoint, given: Mapping[str, Any]) -> Asked:
    """The same from names and texts; what is empty counts as not given."""
    known = [param.name for param in endpoint.params]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"It knows: {', '.join(known) or 'none'}."
            raise wrong(f"`{name}` is not a parameter of {endpoint.path}.", hint)
    return {param.name: _value(param, given.get(param.name)) for param in endpoint.params}


def is_fixed(when: str | int | None) -> bool:
    """Whether a moment as it was given means the same tomorrow."""
    return isinstance(when, int) or (when is not None and _FIXED.fullmatch(when) is not None)


def address(path: str, values: Iterable[tuple[str, object]]) -> str:
    """A path with a query."""
    query = urlencode([(name, value) for name, value in values if value not in (None, "")])
    return f"{path}?{query}" if query else path


def _pairs(query: bytes) -> list[tuple[str, str]]:
    if len(query) > _LONGEST:
        raise wrong(f"The query is longer than {_LONGEST} characters.")
    try:
        unquote_to_bytes(query.replace(b"+", b" ")).decode()
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise wrong("The query is not text in UTF-8.") from None


def _value(param: Param, text: Any) -> Any:  # noqa: ANN401 - JSON has lists where a query has text
    if text is None or text == "":
        if param.required:
            raise wrong(f"`{param.name}` is missing.", f"For example {param.name}={param.example}.")
        text = param.default
        if not text:
            return [] if param.kind in (Kind.SYMBOLS, Kind.TIMEFRAMES) else None
    if param.kind in (Kind.SYMBOLS, Kind.TIMEFRAMES):
        return _words(param, text)
    if not isinstance(text, str | int) or isinstance(text, bool):
        raise wrong(f"`{param.name}` must be text.")
    return _one(param, str(text))


def _one(param: Param, text: str) -> Any:  # noqa: ANN401 - by its kind
    if "\0" in text:
        raise wrong(f"`{param.name}` has a null character in it.")
    if param.words and text not in param.words:
        raise wrong(f"`{param.name}` was `{text}`.", f"Use one of: {', '.join(param.words)}.")
    match param.kind:
        case Kind.SYMBOL:
            return _ticker(text)
        case Kind.WHOLE:
            return _whole(param, text)
        case Kind.SWITCH:
            return text == "true"
        case Kind.DATE if _MILLISECONDS.fullmatch(text):
            return int(text)
    return text


def _whole(param: Param, text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(param.most)) else -1
    if not param.least <= number <= param.most:
        raise wrong(
            f"`{param.name}` was `{text}`.", f"It is a whole number from {param.least} to {param.most}."
        )
    return number


def _ticker(text: str) -> str:
    try:
        return Instrument.parse(text).ticker
    except UsageError as error:
        raise Problem.of(error) from None


def _words(param: Param, given: object) -> list[str]:
    texts = given.split(",") if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise wrong(f"`{param.name}` must be a list of words.")
    words = [word for text in texts if (word := text.strip())]
    if param.required and not words:
        raise wrong(f"`{param.name}` is empty.", f"For example {param.name}={param.example}.")
    return [_ticker(word) for word in words] if param.kind is Kind.SYMBOLS else words
