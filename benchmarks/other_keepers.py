"""What people keep bars in, for `reading.py`: SQLite rows, DuckDB, Parquet, ArcticDB."""

import gc
import importlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from keepers import BUSY, LAST, NAMES, SYMBOLS, YEAR, Frame, Keeper

from gapless.vocabulary.batch import Batch
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE

COLUMNS = ", ".join(NAMES)


class Rows(Keeper):
    """Plain rows in SQLite, without a rowid and with a number for the symbol: the smallest that rows can be."""

    name = "sqlite rows + pandas"
    libraries = ("pandas",)
    _HOURLY: ClassVar = {
        "open": "first",
        "high": "max",
        "low": "min",
        "close": "last",
        "volume": "sum",
        "trades": "sum",
    }

    def fill(self, market: Iterator[tuple[str, Batch]]) -> None:
        """Write everything, and let go of the files."""
        with closing(sqlite3.connect(self.path)) as db:
            db.execute(
                "CREATE TABLE bars (symbol INTEGER, ts INTEGER, open REAL, high REAL, low REAL, close REAL, "
                "volume REAL, vwap REAL, trades INTEGER, PRIMARY KEY (symbol, ts)) WITHOUT ROWID"
            )
            for symbol, bars in market:
                number = SYMBOLS.index(symbol)
                rows = zip(*(column.tolist() for column in bars.columns.values()), strict=True)
                db.executemany(
                    "INSERT INTO bars VALUES (?,?,?,?,?,?,?,?,?)", ((number, *row) for row in rows)
                )
                db.commit()

    def open(self) -> None:
        """Get ready for questions."""
        self._db = sqlite3.connect(self.path)

    def _read(self, symbol: str, rest: str, *values: int) -> Frame:
        import pandas as pd

        query = f"SELECT {COLUMNS} FROM bars WHERE symbol = ? {rest}"
        found = pd.read_sql_query(query, self._db, params=(SYMBOLS.index(symbol), *values))
        found["ts"] = pd.to_datetime(found["ts"], unit="ms", utc=True)
        return found

    def _each(self, rest: str, *values: int) -> Frame:
        import pandas as pd

        return pd.concat({symbol: self._read(symbol, rest, *values) for symbol in SYMBOLS})

    def year(self) -> Frame:
        """All the bars of a year of one symbol."""
        return self._read(BUSY, "AND ts >= ? AND ts < ? ORDER BY ts", YEAR.start, YEAR.end)

    def day(self) -> Frame:
        """All the bars of one day."""
        return self._each("AND ts >= ? AND ts < ? ORDER BY ts", self.one_day.start, self.one_day.end)

    def last(self) -> Frame:
        """The last bars of each symbol."""
        return self._each("ORDER BY ts DESC LIMIT ?", LAST)

    def hours(self) -> Frame:
        """All bars as hours."""
        import pandas as pd

        made = {}
        for symbol in SYMBOLS:
            bars = self._read(symbol, "ORDER BY ts").set_index("ts")
            bars["money"] = bars["volume"] * bars["vwap"]
            hourly = bars.resample("1h").agg({**self._HOURLY, "money": "sum"}).dropna(subset="open")
            hourly["vwap"] = hourly.pop("money") / hourly["volume"]
            made[symbol] = hourly
        return pd.concat(made)


class DuckDb(Keeper):
    """A table in a DuckDB file, symbols as an enumeration, in the order of symbol and time."""

    name = "duckdb"
    libraries = ("polars", "pyarrow", "duckdb")

    def fill(self, market: Iterator[tuple[str, Batch]]) -> None:
        """Write everything, and let go of the files."""
        import duckdb

        with duckdb.connect(str(self.path)) as db:
            names = ", ".join(f"'{symbol}'" for symbol in SYMBOLS)
            db.execute(f"CREATE TYPE ticker AS ENUM ({names})")
            db.execute(
                "CREATE TABLE bars (symbol ticker, ts TIMESTAMP_MS, open DOUBLE, high DOUBLE, low DOUBLE, "
                "close DOUBLE, volume DOUBLE, vwap DOUBLE, trades BIGINT)"
            )
            for symbol, bars in market:
                db.register("page", _frame(bars).to_arrow())
                db.execute(f"INSERT INTO bars SELECT '{symbol}', * FROM page")
                db.unregister("page")

    def open(self) -> None:
        """Get ready for questions."""
        import duckdb

        self._db = duckdb.connect(str(self.path), read_only=True)

    def _asked(self, query: str, *values: object) -> Frame:
        return self._db.sql(query, params=values).pl()

    def year(self) -> Frame:
        """All the bars of a year of one symbol."""
        query = f"SELECT {COLUMNS} FROM bars WHERE symbol = ? AND ts >= ? AND ts < ?"
        return self._asked(query, BUSY, *_datetimes(YEAR))

    def day(self) -> Frame:
        """All the bars of one day."""
        return self._asked("FROM bars WHERE ts >= ? AND ts < ?", *_datetimes(self.one_day))

    def last(self) -> Frame:
        """The last bars of each symbol."""
        one = "(FROM bars WHERE symbol = ? ORDER BY ts DESC LIMIT 100)"
        return self._asked(" UNION ALL ".join([one] * len(SYMBOLS)), *SYMBOLS)

    def hours(self) -> Frame:
        """All bars as hours."""
        return self._asked(
            "SELECT symbol, time_bucket(INTERVAL '1 hour', ts) AS t, arg_min(open, ts) AS open, max(high) AS high, "
            "min(low) AS low, arg_max(close, ts) AS close, sum(volume) AS volume, "
            "sum(volume * vwap) / sum(volume) AS vwap, sum(trades) AS trades FROM bars GROUP BY ALL ORDER BY ALL"
        )


class Parquet(Keeper):
    """A Parquet file for each symbol, zstd, statistics on."""

    name = "parquet by symbol + polars"

    def fill(self, market: Iterator[tuple[str, Batch]]) -> None:
        """Write everything, and let go of the files."""
        self.path.mkdir()
        for symbol, bars in market:
            for file, part in self._parts(symbol, bars):
                file.parent.mkdir(parents=True, exist_ok=True)
                _frame(part).write_parquet(file, compression="zstd")

    def _parts(self, symbol: str, bars: Batch) -> Iterator[tuple[Path, Batch]]:
        yield self.path / f"{symbol}.parquet", bars

    def _scan(self, symbol: str) -> Any:  # noqa: ANN401 - a LazyFrame; Polars is imported late
        import polars as pl

        return pl.scan_parquet(self.path / f"{symbol}.parquet")

    def _each(self, query: Callable[[Any], Any]) -> Frame:
        import polars as pl

        of = (query(self._scan(symbol)).with_columns(symbol=pl.lit(symbol)) for symbol in SYMBOLS)
        return pl.concat(pl.collect_all(of))

    def year(self) -> Frame:
        """All the bars of a year of one symbol."""
        import polars as pl

        start, end = _datetimes(YEAR)
        return self._scan(BUSY).filter(pl.col("ts") >= start, pl.col("ts") < end).collect()

    def day(self) -> Frame:
        """All the bars of one day."""
        import polars as pl

        start, end = _datetimes(self.one_day)
        return self._each(lambda bars: bars.filter(pl.col("ts") >= start, pl.col("ts") < end))

    def last(self) -> Frame:
        """The last bars of each symbol."""
        return self._each(lambda bars: bars.tail(LAST))

    def hours(self) -> Frame:
        """All bars as hours."""
        import polars as pl

        column, money = pl.col, pl.col("volume") * pl.col("vwap")
        return self._each(
            lambda bars: (
                bars.set_sorted("ts")
                .group_by_dynamic("ts", every="1h")
                .agg(
                    column("open").first(),
                    column("high").max(),
                    column("low").min(),
                    column("close").last(),
                    column("volume").sum(),
                    (money.sum() / column("volume").sum()).alias("vwap"),
                    column("trades").sum(),
                )
            )
        )


class ParquetByYear(Parquet):
    """A Parquet file for each symbol and year, zstd, statistics on."""

    name = "parquet by year + polars"

    def _parts(self, symbol: str, bars: Batch) -> Iterator[tuple[Path, Batch]]:
        years = bars.ts.astype("datetime64[ms]").astype("datetime64[Y]")
        for year in sorted(set(years.tolist())):
            yield self.path / symbol / f"{year.year}.parquet", bars.take(years == year)

    def _scan(self, symbol: str) -> Any:  # noqa: ANN401 - a LazyFrame; Polars is imported late
        import polars as pl

        return pl.scan_parquet(self.path / symbol / "*.parquet")


class Arctic(Keeper):
    """ArcticDB on LMDB as it comes, a symbol each, answers asked for in Polars."""

    name = "arcticdb lmdb"
    libraries = ("polars", "arcticdb")

    def fill(self, market: Iterator[tuple[str, Batch]]) -> None:
        """Write everything, and let go of the files."""
        import pandas as pd

        self.open(create=True)
        for symbol, bars in market:
            index = pd.DatetimeIndex(bars.ts.view("datetime64[ms]").astype("datetime64[ns]"), name="ts")
            columns = {name: column for name, column in bars.columns.items() if name != "ts"}
            self._library.write(symbol, pd.DataFrame(columns, index=index))
        del self._library, self._arctic
        gc.collect()

    def open(self, *, create: bool = False) -> None:
        """Get ready for questions."""
        self._made = importlib.import_module(
            "arcticdb"
        )  # Any: it need not be there for the types to be checked
        self._arctic = self._made.Arctic(f"lmdb://{self.path}?map_size=4GB")
        self._library = self._arctic.get_library("bars", create_if_missing=create)

    def _range(self, span: Span) -> Any:  # noqa: ANN401 - two stamps of pandas, both inside
        return tuple(at.replace(tzinfo=None) for at in _datetimes(Span(span.start, span.end - MINUTE + 1)))

    def _each(self, **what: Any) -> Frame:  # noqa: ANN401 - handed through
        import polars as pl

        requests = [self._made.ReadRequest(symbol, output_format="POLARS", **what) for symbol in SYMBOLS]
        found = self._library.read_batch(requests, output_format="POLARS")
        of = zip(SYMBOLS, found, strict=True)
        return pl.concat(item.data.with_columns(symbol=pl.lit(symbol)) for symbol, item in of)

    def year(self) -> Frame:
        """All the bars of a year of one symbol."""
        return self._library.read(BUSY, date_range=self._range(YEAR), output_format="POLARS").data

    def day(self) -> Frame:
        """All the bars of one day."""
        return self._each(date_range=self._range(self.one_day))

    def last(self) -> Frame:
        """The last bars of each symbol."""
        return self._each(row_range=(-LAST, None))

    def hours(self) -> Frame:
        """All bars as hours."""
        query = self._made.QueryBuilder()
        query = query.apply("money", query["volume"] * query["vwap"]).resample("1h")
        query = query.agg({**Rows._HOURLY, "money": "sum"})  # noqa: SLF001 - the same question
        query = query.apply("vwap", query["money"] / query["volume"])
        return self._each(query_builder=query)


def _frame(bars: Batch) -> Any:  # noqa: ANN401 - a DataFrame; Polars is imported late
    import polars as pl

    return pl.DataFrame(dict(bars.columns)).with_columns(pl.col("ts").cast(pl.Datetime("ms")))


def _datetimes(span: Span) -> list[datetime]:
    return [datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None) for at in (span.start, span.end)]
