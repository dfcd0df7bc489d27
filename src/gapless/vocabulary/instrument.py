"""What is traded: an asset class and the vendor's ticker, case kept."""

from dataclasses import dataclass
from enum import StrEnum

from gapless.errors import UsageError


class AssetClass(StrEnum):
    """The classes that are fetched; each has its own prefix, calendar and rate."""

    STOCKS = "stocks"
    CRYPTO = "crypto"
    FOREX = "forex"
    INDICES = "indices"

    @property
    def prefix(self) -> str:
        """What the vendor writes before the ticker, `""` for stocks and ETFs."""
        return _PREFIX[self]

    @property
    def zone(self) -> str:
        """The IANA zone whose midnight starts a trading day and the grid of derived bars."""
        return "America/New_York" if self in (AssetClass.STOCKS, AssetClass.INDICES) else "UTC"

    @property
    def has_volume(self) -> bool:
        """Whether the vendor's bars carry a volume."""
        return self is not AssetClass.INDICES


_PREFIX = {
    AssetClass.STOCKS: "",
    AssetClass.CRYPTO: "X:",
    AssetClass.FOREX: "C:",
    AssetClass.INDICES: "I:",
}
_CLASS = {prefix: asset_class for asset_class, prefix in _PREFIX.items() if prefix}
_LONGEST_TICKER = 32
_AS_THE_VENDOR = "Write it as the vendor does, for example AAPL, BRK.B, X:BTCUSD, C:EURUSD or I:SPX."
_ONE_EACH = "Name several one by one: separate them with spaces at the command line, give a list in Python."


@dataclass(frozen=True, order=True, slots=True)
class Instrument:
    """One thing with bars. `ticker` is the vendor's, prefix included: `AAPL`, `BRK.B`, `X:BTCUSD`."""

    asset_class: AssetClass
    ticker: str

    @classmethod
    def parse(cls, text: str) -> "Instrument":
        """Read a ticker as a person writes it; the class comes from the prefix alone.

        Raises:
            UsageError: an unknown prefix, or something that no ticker looks like.
        """
        if not isinstance(text, str):  # from code without types
            raise UsageError(f"`{text}` is not a ticker.", hint=_AS_THE_VENDOR)
        head, colon, tail = text.strip().partition(":")
        if not colon:
            return cls(AssetClass.STOCKS, _checked(head, text))
        prefix = head.upper() + ":"
        if prefix not in _CLASS:
            known = ", ".join(f"{p} ({c})" for p, c in _CLASS.items())
            raise UsageError(
                f"`{text}` has the prefix `{head}:`, which gapless does not know.",
                hint=f"Known prefixes are {known}; stocks and ETFs have none.",
            )
        return cls(_CLASS[prefix], prefix + _checked(tail, text))

    def __str__(self) -> str:
        return self.ticker


def _checked(ticker: str, text: str) -> str:
    plain = ticker.isascii() and all(c.isalnum() or c in "._-/^" for c in ticker)
    if ticker and plain and len(ticker) <= _LONGEST_TICKER and ".." not in ticker and "/" not in ticker:
        return ticker
    raise UsageError(f"`{text}` is not a ticker.", hint=_ONE_EACH if "," in text else _AS_THE_VENDOR)
