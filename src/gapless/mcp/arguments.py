"""What each tool takes: read strictly, and told to clients as the JSON schema that these types make."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from gapless.resample import SessionPart
from gapless.vocabulary.timeframe import TIMEFRAMES

_DATES = "2024-01-31, 2024-01-31T14:30, 30d or 1y ago, or now; in the exchange's zone unless it names one"

Symbol = Annotated[
    str, Meta(description="The vendor's ticker: AAPL, BRK.B; X:BTCUSD (crypto), C:EURUSD, I:SPX.")
]
Symbols = Annotated[
    list[str], Meta(description="The vendor's tickers: AAPL, BRK.B; X:BTCUSD (crypto), C:EURUSD, I:SPX.")
]
Chosen = Annotated[list[str], Meta(description="Only these tickers; none: all that was ever asked for.")]
Timeframe = Annotated[str, Meta(description=f"One of: {', '.join(TIMEFRAMES)}.")]
Timeframes = Annotated[list[str], Meta(description=f"Of: {', '.join(TIMEFRAMES)}.")]
Start = Annotated[str, Meta(description=f"Inclusive: {_DATES}.")]
End = Annotated[str | None, Meta(description=f"Exclusive, like the start: {_DATES}.")]


class Coverage(Struct, forbid_unknown_fields=True):
    """How complete which series are."""

    symbols: Chosen = []
    timeframes: Annotated[list[str], Meta(description="Only these timeframes; none: all.")] = []


class Bars(Struct, forbid_unknown_fields=True):
    """Which bars, and how they are looked at."""

    symbol: Symbol
    timeframe: Timeframe = "1d"
    start: Annotated[str | None, Meta(description=f"Inclusive: {_DATES}.")] = None
    end: End = None
    session: Annotated[str, Meta(description=f"Which part of each session: {', '.join(SessionPart)}.")] = (
        SessionPart.ALL.value
    )
    adjust: Annotated[
        str | None, Meta(description="For `splits`, or for `all` (splits and dividends); null: as traded.")
    ] = None
    as_of: Annotated[
        str | None, Meta(description="What a reader would have got at this moment; dates as in start.")
    ] = None
    on_gap: Annotated[
        Literal["raise", "mark"],
        Meta(description="Where bars are missing: an error, or what is there with the gaps listed."),
    ] = "raise"
    provisional: Annotated[bool, Meta(description="Also bars that can still change.")] = False
    limit: Annotated[int, Meta(ge=1, le=2000, description="The most rows; the last ones are given.")] = 200


class Gaps(Struct, forbid_unknown_fields=True):
    """Whose gaps."""

    symbols: Chosen = []
    limit: Annotated[int, Meta(ge=1, le=2000, description="The most stretches; the first are given.")] = 100


class Explain(Struct, forbid_unknown_fields=True):
    """Which bar."""

    symbol: Symbol
    instant: Annotated[str, Meta(description=f"The start of the bar: {_DATES}.")]
    timeframe: Timeframe = "1m"


class Fetch(Struct, forbid_unknown_fields=True):
    """What is wanted."""

    symbols: Symbols
    timeframes: Timeframes
    start: Start
    end: End = None
