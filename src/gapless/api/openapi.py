"""The declared addresses as an OpenAPI 3.1 document."""

from collections.abc import Iterable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from gapless.api.declared import ANYWHERE, JSON, PROBLEM, STATUSES, Endpoint, Kind, Param
from gapless.api.endpoints import ENDPOINTS
from gapless.api.examples import PROBLEM as PROBLEM_EXAMPLE

Schema = dict[str, Any]

_TICKER = r"([XCI]:)?[A-Za-z0-9._^-]{1,32}"
_PATTERNS = {
    Kind.SYMBOL: f"^{_TICKER}$",
    Kind.SYMBOLS: f"^{_TICKER}(,{_TICKER})*$",
    Kind.DATE: r"^(\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z?)?|\d{1,5}(d|w|mo|y)|now|\d{9,14})$",
}
"""What the text of a kind looks like; not all that looks like it is one."""


def document(*, writes: bool) -> dict[str, Any]:
    """The document of a server that may start runs, or may not."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        if writes or not endpoint.writes:
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gapless",
            "version": version("gapless"),
            "description": "Bars of one store, and a proof of which of them exist.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": _problem()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": endpoint.text or endpoint.summary,
        "responses": {str(endpoint.success): _success(endpoint)} | dict(_errors(endpoint)),
    }
    if endpoint.writes:
        said["security"] = [{"token": []}]
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": _body(endpoint.params)}}}
    elif endpoint.params:
        said["parameters"] = [_parameter(param, endpoint) for param in endpoint.params]
    return said


def _success(endpoint: Endpoint) -> dict[str, Any]:
    content: dict[str, Any] = {media: {} for media in endpoint.media}
    first = content[endpoint.media[0]]
    if endpoint.example is not None:
        first["schema"] = schema_of(endpoint.example)
        first["example"] = endpoint.example
    return {"description": endpoint.summary, "content": content}


def _errors(endpoint: Endpoint) -> Iterable[tuple[str, dict[str, Any]]]:
    for status in sorted({*ANYWHERE, *endpoint.errors}):
        said: dict[str, Any] = {"description": f"{HTTPStatus(status).phrase}: {STATUSES[status]}"}
        if status != HTTPStatus.NOT_MODIFIED:
            problem: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Problem"}}
            said["content"] = {JSON: {}} if endpoint.vendor else {PROBLEM: problem}
        yield str(status), said


def _parameter(param: Param, endpoint: Endpoint) -> dict[str, Any]:
    in_path = param in endpoint.in_path
    said: dict[str, Any] = {
        "name": param.name,
        "in": "path" if in_path else "query",
        "required": param.required,
        "description": param.help,
        "schema": _text_schema(param),
    }
    return said | ({"example": param.example} if param.example else {})


def _text_schema(param: Param) -> Schema:
    if param.kind is Kind.WHOLE:
        default = {"default": int(param.default)} if param.default else {}
        return {"type": "integer", "minimum": param.least, "maximum": param.most, **default}
    said: Schema = {"type": "string"}
    if param.kind in _PATTERNS:
        said["pattern"] = _PATTERNS[param.kind]
    if param.words:
        said["enum"] = list(param.words)
    if param.default:
        said["default"] = param.default
    return said


def _body(params: Iterable[Param]) -> Schema:
    lists = (Kind.SYMBOLS, Kind.TIMEFRAMES)
    properties: Schema = {}
    for param in params:
        text = {"type": "string"} | ({"pattern": _PATTERNS[Kind.DATE]} if param.kind is Kind.DATE else {})
        properties[param.name] = {"type": "array", "items": text} if param.kind in lists else text
        properties[param.name] |= {"description": param.help}
    required = [param.name for param in params if param.required]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def schema_of(example: object) -> Schema:
    """What an example allows: its kinds; what is null may be anything."""
    kind = next((name for known, name in _KINDS if isinstance(example, known)), None)
    if kind is None:
        return {}
    said: Schema = {"type": [kind, "null"]}
    if isinstance(example, list) and example:
        said["items"] = schema_of(example[0])
    if isinstance(example, dict):
        said["properties"] = {name: schema_of(value) for name, value in example.items()}
    return said


_KINDS = ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"), (dict, "object"))


def _problem() -> Schema:
    return schema_of(PROBLEM_EXAMPLE) | {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "example": PROBLEM_EXAMPLE,
    }
