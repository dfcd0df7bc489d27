"""What every way to keep bars has to do in `reading.py`, the bars that it gets, and how gapless does it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gapless.ports import Store
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, MINUTE, Base

END = int(datetime(2026, 11, 1, 4, tzinfo=UTC).timestamp()) * 1000  # a Sunday, midnight in New York
YEAR = Span(END - 365 * DAY, END)
BUSY = "SPY"
SYMBOLS = (
    "AAPL AMZN ASML AVGO BRK.B DIA EEM GOOGL IWM JNJ JPM META MSFT NFLX NVDA QQQ SPY TSLA V WMT "
    "X:ADAUSD X:BTCUSD X:ETHUSD X:SOLUSD X:XRPUSD"
).split()
LAST = 100
PAGE = 50_000
NAMES = ("ts", "open", "high", "low", "close", "volume", "vwap", "trades")
COLUMNS = ", ".join(NAMES)
QUESTIONS = ("a year of one", "a day of all", f"last {LAST} of each", "all as 1h")
Frame = Any
"""A frame of Polars or pandas."""


class Keeper(ABC):
    """One way to keep bars. `opened` is called once before questions are asked."""

    name: str
    libraries: tuple[str, ...] = ("polars",)

    def __init__(self, folder: Path, each: int) -> None:
        self.path = folder / self.name.replace(" ", "_")
        # A Wednesday in the middle of what there is of a coin, which trades every minute.
        wednesday = END - 4 * DAY - each * MINUTE // (14 * DAY) * 7 * DAY
        self.one_day = Span(wednesday, wednesday + DAY)

    @abstractmethod
    def fill(self, market: Iterator[tuple[str, Batch]]) -> None:
        """Write everything, and let go of the files."""

    def open(self) -> None:  # noqa: B027 - files need no opening
        """Get ready for questions."""

    @abstractmethod
    def year(self) -> Frame:
        """All the bars of a year of one symbol."""

    @abstractmethod
    def day(self) -> Frame:
        """All the bars of one day."""

    @abstractmethod
    def last(self) -> Frame:
        """The last bars of each symbol."""

    @abstractmethod
    def hours(self) -> Frame:
        """All bars as hours: first, highest, lowest, last, sums, and the average weighted by volume."""

    @property
    def questions(self) -> list[Callable[[], Frame]]:
        """Those of `QUESTIONS`, in order."""
        return [self.year, self.day, self.last, self.hours]

    @property
    def files(self) -> list[Path]:
        """Where the bars are."""
        return (
            [path for path in self.path.rglob("*") if path.is_file()] if self.path.is_dir() else [self.path]
        )

    @property
    def size(self) -> int:
        """Bytes that the disk holds for it: the map of LMDB has holes."""
        return sum(min(file.stat().st_size, file.stat().st_blocks * 512) for file in self.files)


class Gapless(Keeper):
    """A packed store, filled as a backfill would: pages of 50,000 bars, each with its line in the ledger."""

    name = "gapless"
    libraries = ("polars", "gapless.app")

    def fill(self, market: Iterator[tuple[str, Batch]]) -> None:
        """Write everything, and let go of the files."""
        from gapless.stores import open_store

        with closing(open_store(str(self.path))) as store:
            for symbol, bars in market:
                keep(store, symbol, bars)

    def open(self) -> None:
        """Get ready for questions."""
        from gapless.app import open as open_

        self._warehouse = open_(str(self.path))

    def year(self) -> Frame:
        """All the bars of a year of one symbol."""
        return self._warehouse.bars(BUSY, "1m", YEAR.start, YEAR.end).polars()

    def day(self) -> Frame:
        """All the bars of one day."""
        return self._warehouse.bars(SYMBOLS, "1m", self.one_day.start, self.one_day.end).polars()

    def last(self) -> Frame:
        """The last bars of each symbol: those of its last three days, cut down."""
        import polars as pl

        bars = self._warehouse.bars(SYMBOLS, "1m", END - 3 * DAY, END).polars()
        return bars.group_by(pl.col("symbol"), maintain_order=True).tail(LAST)

    def hours(self) -> Frame:
        """All bars as hours."""
        return self._warehouse.bars(SYMBOLS, "1h").polars()


def keep(store: Store, symbol: str, bars: Batch) -> None:
    """Write minutes as a backfill would: a page at a time, each with its line in the ledger."""
    from gapless.vocabulary.steps import Wish
    from gapless.vocabulary.timeframe import TIMEFRAMES

    start = min(int(bars.ts[0]), YEAR.start) // DAY * DAY  # first windows are whole
    store.remember([Wish(Instrument.parse(symbol), TIMEFRAMES["1m"], Span(start, END))])
    for at in range(0, len(bars), PAGE):
        page, following = bars.take(slice(at, at + PAGE)), bars.ts[at + PAGE : at + PAGE + 1]
        span = Span(start, int(following[0]) if len(following) else END)
        store.write(_checked(symbol, page, span))
        start = span.end


def _checked(symbol: str, page: Batch, span: Span) -> Any:  # noqa: ANN401 - a Checked; its module is imported late
    from gapless.vocabulary.steps import Checked, Entry, Outcome

    instrument = Instrument.parse(symbol)
    entry = Entry(
        instrument,
        Base.MINUTE,
        span,
        Outcome.BARS,
        recorded=END + 7 * DAY,
        rows=len(page),
        request_id="0" * 32,
        digest="0" * 64,
        url=f"/v2/aggs/ticker/{symbol}/range/1/minute/{span.start}/{span.end}?adjusted=false&limit=50000&sort=asc",
        job_id="0" * 16,
        run_id="0" * 16,
    )
    return Checked(instrument, Base.MINUTE, page, (entry,))


def market(each: int) -> Iterator[tuple[str, Batch]]:
    """The last so many bars of each symbol before `END`."""
    from gapless.sandbox import SyntheticMarket

    made = SyntheticMarket(seed=1)
    for symbol in SYMBOLS:
        days, bars = each // 400 + 30, Batch.empty()
        while len(bars) < each:
            bars = made.bars(Instrument.parse(symbol), Base.MINUTE, Span(END - days * DAY, END))
            days *= 2
        yield symbol, bars.take(slice(len(bars) - each, None))
