"""What a child process of a test does: it exports until it is killed, telling of every piece that it reads."""

import time
from multiprocessing.connection import Connection
from pathlib import Path

from gapless.frames import Piece, SymbolBars
from gapless.transfer import export_database
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Wish
from gapless.vocabulary.timeframe import TIMEFRAMES
from transfer.trading import export_all, new_store, opened, reader

FOR_EVER = 60.0


def export_slowly(folder: Path, out: Path, fmt: str, told: Connection, stop_at: int) -> None:
    """Export a store; once it is asked for piece number `stop_at`, wait for the end."""
    store = new_store(folder)
    read = reader(store)
    asked = 0

    def reading(piece: Piece) -> SymbolBars:
        nonlocal asked
        asked += 1
        if asked == stop_at:
            told.send(asked)
            time.sleep(FOR_EVER)
        return read(piece)

    export_all(store, out, fmt, reading)


def export_database_slowly(folder: Path, out: Path, symbols: list[str], span: Span, told: Connection) -> None:
    """Export a store to a database, telling when the first series is in and then waiting for the end."""
    store = new_store(folder)
    read = store.read

    def reading(instrument: Instrument, *how: object) -> object:
        if instrument.ticker == symbols[-1]:
            told.send("now")
            time.sleep(FOR_EVER)
        return read(instrument, *how)  # type: ignore[arg-type]  # passed on as they came

    store.read = reading  # type: ignore[method-assign,assignment]  # slowed down, not replaced
    wishes = [Wish(Instrument.parse(symbol), TIMEFRAMES["1m"], span) for symbol in symbols]
    export_database(store, out, wishes, opened)
