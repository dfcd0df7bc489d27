"""A market that serves bars it was given: recorded ones, or a few made by hand."""

import csv
import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from gapless.errors import UsageError
from gapless.sandbox.market import Dividend, Split, Ticker
from gapless.vocabulary.batch import NO_TRADES, Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base

_PRICES = ("open", "high", "low", "close")


class ReplayMarket:
    """Bars by instrument and base; `splits` and `dividends` by ticker."""

    def __init__(
        self,
        series: Mapping[tuple[Instrument, Base], Batch],
        *,
        splits: Mapping[str, Sequence[Split]] | None = None,
        dividends: Mapping[str, Sequence[Dividend]] | None = None,
    ) -> None:
        self._series = dict(series)
        self._splits = dict(splits or {})
        self._dividends = dict(dividends or {})

    @classmethod
    def from_folder(cls, folder: Path) -> "ReplayMarket":
        """Read every `<ticker>.<base>.csv[.gz]` of a folder; a `:` of the ticker is written `_`.

        The header is `ts,open,high,low,close` and any of `volume,vwap,trades`; `ts` is the bar's start in Unix
        milliseconds, rising. An empty cell is a number that the vendor did not give.

        Raises:
            UsageError: no such folder, no series in it, or a file that is not one.
        """
        if not folder.is_dir():
            raise UsageError(f"There is no folder `{folder}` to replay.", hint="Name a folder of CSV files.")
        files = sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")])
        if not files:
            raise UsageError(
                f"`{folder}` holds no series to replay.",
                hint="Name files like SPY.1m.csv or X_BTCUSD.1m.csv.gz.",
            )
        return cls({_series_of(file): read_csv(file) for file in files})

    @property
    def tickers(self) -> Sequence[Ticker]:
        """Every instrument with bars; its ticker is its name."""
        return [Ticker(one, one.ticker) for one in sorted({instrument for instrument, _ in self._series})]

    def bars(self, instrument: Instrument, base: Base, span: Span) -> Batch:
        """The given bars that start inside `span`."""
        return self._series.get((instrument, base), Batch.empty()).between(span)

    def splits(self, ticker: str) -> Sequence[Split]:
        """The given splits."""
        return self._splits.get(ticker, ())

    def dividends(self, ticker: str) -> Sequence[Dividend]:
        """The given dividends."""
        return self._dividends.get(ticker, ())


def _series_of(file: Path) -> tuple[Instrument, Base]:
    stem, _, base = file.name.removesuffix(".gz").removesuffix(".csv").rpartition(".")
    head, underscore, tail = stem.partition("_")
    ticker = f"{head}:{tail}" if underscore and len(head) == 1 else stem
    if base not in tuple(Base):
        raise UsageError(
            f"`{file.name}` does not say which base its bars have.",
            hint="Name it like SPY.1m.csv or SPY.1d.csv.",
        )
    return Instrument.parse(ticker), Base(base)


def read_csv(file: Path) -> Batch:
    """The bars of one file.

    Raises:
        UsageError: a column is missing, a cell is no number, or the stamps do not rise.
    """
    raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    rows = csv.DictReader(io.StringIO(raw.decode()))
    missing = {"ts", *_PRICES} - set(rows.fieldnames or ())
    if missing:
        raise UsageError(
            f"`{file.name}` has no column {', '.join(sorted(missing))}.",
            hint="The header is ts,open,high,low,close[,volume][,vwap][,trades].",
        )
    try:
        batch = _batch(list(rows))
    except ValueError as error:
        raise UsageError(
            f"`{file.name}` holds a cell that is no number: {error}.", hint="Repair the file."
        ) from error
    if (np.diff(batch.ts) <= 0).any():
        raise UsageError(f"The stamps in `{file.name}` do not rise.", hint="Sort it and drop repeated rows.")
    return batch


def _batch(rows: Iterable[Mapping[str, str]]) -> Batch:
    table = list(rows)
    numbers = {
        name: np.array([float(row.get(name) or "nan") for row in table], np.float64)
        for name in (*_PRICES, "volume", "vwap")
    }
    return Batch(
        ts=np.array([int(row["ts"]) for row in table], np.int64),
        trades=np.array([int(row.get("trades") or NO_TRADES) for row in table], np.int64),
        **numbers,
    )
