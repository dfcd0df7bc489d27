"""What every harness gives back: a fault tried so many times, and how often a promise was broken."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: `tried` and `broken` count `unit`s; `detail` has figures that are no promise."""

    fault: str
    tried: int
    unit: str
    broken: int
    detail: str = ""

    def __str__(self) -> str:
        return f"| {self.fault} | {self.tried:,} {self.unit} | {self.broken:,} | {self.detail} |"


@dataclass(frozen=True, slots=True)
class Harness:
    """A way to break things: `measure(size, seed)` tries `size` times; `small` in the tests, `full` at night."""

    fault: str
    small: int
    full: int
    measure: Callable[[int, int], Figure]
