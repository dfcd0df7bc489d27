"""How long a bar is: two bases that are fetched and stored, and what is derived from them."""

from dataclasses import dataclass
from enum import StrEnum

from gapless.errors import UsageError

MINUTE = 60_000
"""One minute in milliseconds, the unit of every instant in gapless."""
DAY = 1440 * MINUTE


class Base(StrEnum):
    """The bars that the vendor has and gapless stores."""

    MINUTE = "1m"
    DAY = "1d"

    @property
    def step(self) -> int:
        """The distance of two neighbouring bars in milliseconds (nominal for days: clocks change)."""
        return MINUTE if self is Base.MINUTE else DAY


@dataclass(frozen=True, order=True, slots=True)
class Timeframe:
    """A length of bar that can be read: `name`, the `base` it is made from, `minutes` for intraday ones."""

    name: str
    base: Base
    minutes: int | None = None

    @property
    def derived(self) -> bool:
        """Whether it is made when read, rather than stored."""
        return self.name != self.base

    @classmethod
    def parse(cls, text: str) -> "Timeframe":
        """Read a timeframe's name.

        Raises:
            UsageError: a name that gapless does not offer.
        """
        if found := TIMEFRAMES.get(str(text).strip()):
            return found
        raise UsageError(
            f"`{text}` is not a timeframe that gapless offers.", hint=f"Use one of: {', '.join(TIMEFRAMES)}."
        )

    def __str__(self) -> str:
        return self.name


TIMEFRAMES = {
    t.name: t
    for t in (
        Timeframe("1m", Base.MINUTE, 1),
        Timeframe("5m", Base.MINUTE, 5),
        Timeframe("15m", Base.MINUTE, 15),
        Timeframe("30m", Base.MINUTE, 30),
        Timeframe("1h", Base.MINUTE, 60),
        Timeframe("2h", Base.MINUTE, 120),
        Timeframe("4h", Base.MINUTE, 240),
        Timeframe("1d", Base.DAY),
        Timeframe("1w", Base.DAY),
        Timeframe("1mo", Base.DAY),
    )
}
"""Every timeframe by its name, shortest first."""
