"""How fast and how small the stores are: pages of 50,000 bars into each, taking turns in one run.

`python benchmarks/stores.py` prints medians of the write step alone (bars in memory to committed), read back and
bytes a bar, for both stores and for what they are measured against; then the bytes a bar of recorded minutes where
those lie beside the project. `--bars` sets how many.
"""

import argparse
import gc
import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from gapless.stores import open_store
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Checked, Entry, Outcome
from gapless.vocabulary.timeframe import MINUTE, Base

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
PAGE = 50_000
SPY = Instrument.parse("SPY")
EVER = Span(0, 2**50)
Writer = Callable[[Batch], None]


def market(bars: int, seed: int = 7) -> Batch:
    """A random walk in cents with minutes missing, whole volumes, averages of four decimals."""
    random = np.random.default_rng(seed)
    step = np.where(random.random(bars) < 0.1, random.integers(2, 6, bars), 1)
    ts = 1_600_000_020_000 + np.cumsum(step) * MINUTE
    close = np.round(200 + np.cumsum(random.normal(0, 0.03, bars)), 2)
    open_ = np.round(np.append(close[:1], close[:-1]) + random.normal(0, 0.01, bars), 2)
    high = np.round(np.maximum(open_, close) + np.abs(random.normal(0, 0.03, bars)), 2)
    low = np.round(np.minimum(open_, close) - np.abs(random.normal(0, 0.03, bars)), 2)
    volume = np.rint(random.lognormal(8, 1.2, bars))
    vwap = np.round((open_ + high + low + close) / 4 + random.normal(0, 0.004, bars), 4)
    return Batch(ts, open_, high, low, close, volume, vwap, np.rint(volume / 60).astype(np.int64))


def pages(batch: Batch) -> list[Batch]:
    return [batch.take(slice(at, at + PAGE)) for at in range(0, len(batch), PAGE)]


def checked(page: Batch) -> Checked:
    span = Span(int(page.ts[0]), int(page.ts[-1]) + MINUTE)
    url = f"/v2/aggs/ticker/SPY/range/1/minute/{span.start}/{span.end}?adjusted=false&limit=50000&sort=asc"
    entry = Entry(
        SPY,
        Base.MINUTE,
        span,
        Outcome.BARS,
        recorded=1,
        rows=len(page),
        request_id="0" * 32,
        digest="0" * 64,
        url=url,
        job_id="0" * 16,
        run_id="0" * 16,
    )
    return Checked(SPY, Base.MINUTE, page, (entry,))


class Ours:
    """A store of gapless."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.path = Path(url.removeprefix("sqlite:///"))
        self._store = open_store(url)

    def write(self, page: Batch) -> None:
        """Write a page and commit it."""
        self._store.write(checked(page))

    def read(self) -> int:
        """Read everything back."""
        return len(self._store.read(SPY, Base.MINUTE, EVER))

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()


class BulkInsertMappings:
    """SQLAlchemy's ORM in bulk, a dictionary for each bar: the usual way."""

    name = "bulk_insert_mappings"

    def __init__(self, path: Path) -> None:
        from sqlalchemy import create_engine
        from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

        class Model(DeclarativeBase):
            """The declarative base."""

        class MarketData(Model):
            """One bar as an object."""

            __tablename__ = "market_data"
            symbol: Mapped[str] = mapped_column(primary_key=True)
            timeframe: Mapped[str] = mapped_column(primary_key=True)
            ts: Mapped[int] = mapped_column(primary_key=True)
            open: Mapped[float]
            high: Mapped[float]
            low: Mapped[float]
            close: Mapped[float]
            volume: Mapped[float]
            vwap: Mapped[float | None]
            trades: Mapped[int | None]

        self.path = path
        self._engine = create_engine(f"sqlite:///{path}")
        Model.metadata.create_all(self._engine)
        self._session = Session(self._engine)
        self._model: Any = MarketData

    def write(self, page: Batch) -> None:
        """Write a page and commit it."""
        names = list(page.columns)
        rows = zip(*(column.tolist() for column in page.columns.values()), strict=True)
        fixed = {"symbol": "SPY", "timeframe": "1m"}
        mappings = [fixed | dict(zip(names, row, strict=True)) for row in rows]
        self._session.bulk_insert_mappings(self._model, mappings)
        self._session.commit()

    def read(self) -> int:
        """Read everything back."""
        from sqlalchemy import select

        table = self._model.__table__
        with self._engine.connect() as connection:
            return len(connection.execute(select(table).order_by(table.c.ts)).fetchall())

    def close(self) -> None:
        """Let go of the file."""
        self._session.close()
        self._engine.dispose()


class ParquetFiles:
    """A Parquet file (zstd) a page, by pyarrow."""

    name = "parquet (zstd)"

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def write(self, page: Batch) -> None:
        """Write a page and commit it."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(page.columns), self.path / f"{page.ts[0]}.parquet", compression="zstd")

    def read(self) -> int:
        """Read everything back."""
        import pyarrow.parquet as pq

        return sum(pq.read_table(file).num_rows for file in sorted(self.path.iterdir()))

    def close(self) -> None:
        """Nothing is open."""


def contenders(folder: Path) -> list[Any]:
    found: list[Any] = [
        Ours("packed store", f"{folder}/market.gapless"),
        Ours("plain store", f"sqlite:///{folder}/market_data.db"),
        BulkInsertMappings(folder / "orm.db"),
    ]
    if importlib.util.find_spec("pyarrow") is None:  # measured where it is installed
        return found
    return [*found, ParquetFiles(folder / "parquet")]


def on_disk(path: Path) -> int:
    files: Iterable[Path] = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(bars: int) -> Table:
    table = Table("", "write rows/s", "read rows/s", "bytes/bar", title=f"{bars:,} bars, pages of {PAGE:,}")
    with tempfile.TemporaryDirectory() as name:
        stores = contenders(Path(name))
        times: dict[str, list[float]] = {store.name: [] for store in stores}
        for page in pages(market(bars)):
            for store in stores:
                gc.collect()
                times[store.name].append(seconds(partial(store.write, page)) / len(page))
        for store in stores:
            reading = bars / median(seconds(store.read) for _ in range(3))
            store.close()
            writing = 1 / median(times[store.name])
            table.add_row(
                store.name, f"{writing:,.0f}", f"{reading:,.0f}", f"{on_disk(store.path) / bars:.1f}"
            )
    return table


def small_jobs(jobs: int = 200, rows: int = 300) -> Table:
    """Milliseconds of a commit of a few hundred bars, as a daily increment makes it."""
    table = Table("", "ms", title=f"{jobs} appends of {rows} bars, synced each: median ms")
    with tempfile.TemporaryDirectory() as name:
        for store in contenders(Path(name))[:2]:
            batch = market(jobs * rows)
            parts = [batch.take(slice(at, at + rows)) for at in range(0, len(batch), rows)]
            taken = [seconds(partial(store.write, part)) for part in parts]
            store.close()
            table.add_row(store.name, f"{1000 * median(taken):.2f}")
    return table


def recorded() -> Table:
    """Bytes a bar of real minutes, the whole file counted."""
    import shared_data

    series = {"SPY 2011-01": shared_data.spy_2011, "BTCUSD 2016": shared_data.bitfinex_btcusd_2016}
    loaded = {name: load() for name, load in series.items()}
    table = Table("", *(f"{name} ({len(batch):,})" for name, batch in loaded.items()), title="bytes a bar")
    sizes: dict[str, list[str]] = {}
    for batch in loaded.values():
        with tempfile.TemporaryDirectory() as name:
            for store in contenders(Path(name)):
                for page in pages(batch):
                    store.write(page)
                store.close()
                sizes.setdefault(store.name, []).append(f"{on_disk(store.path) / len(batch):.2f}")
    for name, cells in sizes.items():
        table.add_row(name, *cells)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=1_000_000)
    console = Console()
    console.print(measure(parser.parse_args().bars), small_jobs())
    if (Path(__file__).resolve().parents[1] / ".." / "shared" / "data").exists():
        console.print(recorded())


if __name__ == "__main__":
    main()
