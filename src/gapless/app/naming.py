"""What callers name: one symbol or timeframe, or several; each counts once, in the order given."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from gapless.errors import UsageError
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.timeframe import Timeframe

Place = str | Path
"""Where a file is."""

Names = str | Iterable[str]
"""A string is one name: read letter by letter, `AAPL` would be the stocks A, P and L."""


def instruments_of(symbols: Names | None) -> list[Instrument]:
    """The instruments of these tickers; none for None.

    Raises:
        UsageError: something in it is no ticker.
    """
    return list(dict.fromkeys(Instrument.parse(symbol) for symbol in _each(symbols, "symbols")))


def timeframes_of(names: Names | None) -> list[Timeframe]:
    """The timeframes of these names; none for None.

    Raises:
        UsageError: something in it is no timeframe.
    """
    return list(dict.fromkeys(Timeframe.parse(name) for name in _each(names, "timeframes")))


def _each(names: Names | None, what: str) -> Iterator[str]:
    if names is None or isinstance(names, str):
        return iter(() if names is None else (names,))
    try:
        return iter(names)
    except TypeError:
        raise UsageError(f"`{names}` names no {what}.", hint="Give one as text, or a list of them.") from None
