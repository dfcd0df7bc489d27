"""How much one query may take."""

from dataclasses import dataclass

from gapless.errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take; None is no limit.

    `seconds` runs from the start to the last row handed out, `rows` are rows of the result, `memory` is what
    DuckDB may hold in MiB (nothing spills to disk), `threads` as many as there are cores where None.
    """

    seconds: float | None = 60.0
    rows: int | None = 10_000
    memory: int = 2048
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("seconds", "rows", "memory", "threads"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(
                    f"`{name}` was {value}, which is no limit to work within.",
                    hint=f"Give `{name}` a number above 0.",
                )
