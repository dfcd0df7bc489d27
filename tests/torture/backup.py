"""Backups are made while two processes write: each one is whole, and holds all that was acknowledged before it."""

import multiprocessing
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from gapless.errors import StorageError
from gapless.ports import Store
from gapless.stores import open_store, restore_store
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base
from stores.making import EVER, KINDS, T0, batch, checked, minutes, url_of
from torture.harness import Figure, Harness

FAULT = "backup and restore while two processes write"
TICKERS = ("AAPL", "SPY")
PAGE = 50
"""Bars in a page: many commits in a second."""
PAUSE = 0.02
"""Seconds after each page: the other side has to keep up with reading all of it again and again."""
LONGEST_PAUSE = 0.1
"""Seconds between two backups."""
LIFE = 5
"""Backups of one store, before another is begun."""


@dataclass(slots=True)
class _Writer:
    """A process that writes one page after another, and how many of them it has acknowledged."""

    ticker: str
    pipe: Connection
    _pages: int = 0

    def acknowledged(self) -> int:
        """The pages that are written, as far as is known here."""
        while self.pipe.poll():
            self._pages = self.pipe.recv()
        return self._pages


def write_pages(url: str, ticker: str, told: Connection) -> None:
    """Write page after page of a series until the other end hangs up, saying after each that it is acknowledged."""
    store, page = open_store(url), 0
    try:
        while True:
            start = T0 + page * DAY
            bars = minutes(PAGE, start)
            store.write(
                checked(bars, Span(start, start + DAY), page + 1, instrument=Instrument.parse(ticker))
            )
            page += 1
            told.send(page)
            time.sleep(PAUSE)
    except BrokenPipeError:
        store.close()


def measure(size: int, seed: int) -> Figure:
    """Back stores of both kinds up, `size` times in all, and restore every other backup."""
    broken, pages, chance = 0, 0, Random(seed)
    for first in range(0, size, LIFE):
        kind = KINDS[first // LIFE % len(KINDS)]
        with TemporaryDirectory() as room, _written(url_of(kind, Path(room))) as (store, writers):
            for number in range(first, min(first + LIFE, size)):
                time.sleep(chance.uniform(0, LONGEST_PAUSE))
                problems, found = _backed_up(store, writers, Path(room), kind, number)
                pages += found
                if problems:
                    broken += 1
                    sys.stderr.write(f"{kind} backup {number}: {problems}\n")
    return Figure(FAULT, size, "backups", broken, f"{pages:,} pages of two writers read back from them")


@contextmanager
def _written(url: str) -> Iterator[tuple[Store, list[_Writer]]]:
    """A store that two processes write to until the block ends."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        store = open_store(url)
        stack.callback(store.close)
        writers = []
        for ticker in TICKERS:
            ours, theirs = context.Pipe()
            process = context.Process(target=write_pages, args=(url, ticker, theirs), daemon=True)
            process.start()
            theirs.close()
            stack.callback(_ended, process)
            stack.callback(ours.close)
            writers.append(_Writer(ticker, ours))
        for writer in writers:
            writer.pipe.poll(30)
        yield store, writers


def _ended(process: multiprocessing.process.BaseProcess) -> None:
    process.join(10)
    if process.is_alive():
        process.kill()
        process.join()


def _backed_up(
    store: Store, writers: list[_Writer], room: Path, kind: str, number: int
) -> tuple[list[str], int]:
    """Every promise that one backup breaks, and the pages in it."""
    target, before = room / "copy", {writer.ticker: writer.acknowledged() for writer in writers}
    try:
        store.backup(target, replace=True)
        url = url_of(kind, room, "copy")
        if number % 2:
            restore_store(target, url, replace=True)
        else:
            target.replace(url.removeprefix("sqlite:///"))
    except StorageError as error:
        return [f"it was not made: {error}"], 0
    copy = open_store(url, read_only=True)
    try:
        return _untrue(copy, before)
    except StorageError as error:
        return [f"it cannot be read: {error}"], 0
    finally:
        copy.close()


def _untrue(copy: Store, acknowledged: dict[str, int]) -> tuple[list[str], int]:
    problems, pages = [f"damage: {damage.what}" for damage in copy.verify()], 0
    for ticker, least in acknowledged.items():
        instrument = Instrument.parse(ticker)
        recorded = [entry.recorded for entry in copy.entries(instrument, Base.MINUTE)]
        if recorded != list(range(1, len(recorded) + 1)):
            problems.append(f"{ticker}: the pages are no beginning of what was written")
        if len(recorded) < least:
            problems.append(f"{ticker}: {len(recorded)} pages, {least} were acknowledged before")
        if copy.read(instrument, Base.MINUTE, EVER) != _expected(len(recorded)):
            problems.append(f"{ticker}: the bars are not those of {len(recorded)} pages")
        pages += len(recorded)
    return problems, pages


def _expected(pages: int) -> Batch:
    return Batch.concat(map(_page, range(pages)))


@cache
def _page(number: int) -> Batch:
    return batch(minutes(PAGE, T0 + number * DAY))


HARNESS = Harness(FAULT, 20, 400, measure)
