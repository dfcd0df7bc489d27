"""Reports as plain data: what programs read, the same from every door. Pure."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime

import msgspec

_INSTANTS = frozenset({"start", "end", "due", "instant", "recorded", "next_try", "final_until"})
"""Fields that hold Unix milliseconds: written as ISO text in UTC."""


def as_json(value: object) -> str:
    """A report, a list of them, or plain data as JSON: instants as `2024-01-31T14:30:00Z`, NaN as null."""
    return msgspec.json.format(msgspec.json.encode(plain(value)), indent=1).decode()


def plain(value: object, name: str = "") -> object:
    """The value in lists, dictionaries and words; `name` is the field it stands in."""
    if is_dataclass(value):
        value = {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, int) and name in _INSTANTS:
        return iso(value)
    # Words (StrEnum among them) and numbers as they are; tickers and paths as they are written.
    return value if isinstance(value, int | float | str | None) else str(value)


def iso(instant: int) -> str:
    """Unix milliseconds as ISO text in UTC."""
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
