"""What a sandbox serves: instruments, their raw bars, their splits and dividends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base


@dataclass(frozen=True, slots=True)
class Ticker:
    """One row of the vendor's list. `kind` is its type code for stocks (`CS`, `ETF`), else empty."""

    instrument: Instrument
    name: str
    kind: str = ""
    active: bool = True

    @property
    def market(self) -> str:
        """The vendor's word for the asset class."""
        return "fx" if self.instrument.asset_class is AssetClass.FOREX else self.instrument.asset_class.value


@dataclass(frozen=True, order=True, slots=True)
class Split:
    """From `day` on, `before` old shares are `after` new ones."""

    day: date
    before: int
    after: int


@dataclass(frozen=True, order=True, slots=True)
class Dividend:
    """Cash a share, to whoever held it before `day`; `cash` in dollars, unadjusted."""

    day: date
    cash: float
    frequency: int = 4


class Market(Protocol):
    """The truth behind the answers; it knows no clock, so its bars may lie in the future."""

    @property
    def tickers(self) -> Sequence[Ticker]:
        """Every instrument that is known, by ticker."""
        ...

    def bars(self, instrument: Instrument, base: Base, span: Span) -> Batch:
        """The raw bars that start inside `span`; none for an unknown instrument."""
        ...

    def splits(self, ticker: str) -> Sequence[Split]:
        """The splits of a stock, by date."""
        ...

    def dividends(self, ticker: str) -> Sequence[Dividend]:
        """The dividends of a stock, by date."""
        ...
