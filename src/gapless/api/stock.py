"""The store of a server: opened to be read only, once it is there, and again where another file took its place."""

from threading import Lock

from gapless.app import Warehouse, open_warehouse
from gapless.errors import NoStore, StorageError
from gapless.ports import Clock
from gapless.settings import Settings
from gapless.vocabulary.timeframe import Base

Mark = tuple[object, ...]


class Stock:
    """Hands out one warehouse over one store, to any thread."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings, self.clock = settings, clock
        self._lock = Lock()
        self._open: Warehouse | None = None
        self._opened = 0
        self._stamps: tuple[tuple[int, int], dict[tuple[str, str], tuple[int, int]]] | None = None

    def warehouse(self) -> Warehouse:
        """The warehouse.

        Raises:
            NoStore: there is no store yet.
            StorageError: it cannot be read.
        """
        with self._lock:
            if self._open is None:
                self._open = open_warehouse(self.settings, create=False, read_only=True, clock=self.clock)
                self._opened += 1
            return self._open

    def any_warehouse(self) -> Warehouse:
        """The warehouse, or an empty one where there is no store yet."""
        try:
            return self.warehouse()
        except NoStore:
            return Warehouse(self.settings, None, self.clock)

    def pulse(self) -> tuple[int, int]:
        """Another one whenever something was written; (0, 0) while there is no store to read.

        Quick enough for the event loop once the store is open.
        """
        try:
            return self._opened, self.warehouse().store.pulse()
        except NoStore:
            return (0, 0)
        except StorageError:
            self.close()
            return (0, 0)

    def mark(self, ticker: str) -> Mark:
        """Another one whenever bars or the ledger of a ticker were written."""
        pulse = self.pulse()
        if self._stamps is None or self._stamps[0] != pulse:
            self._stamps = pulse, self.warehouse().store.stamps()
        stamps = self._stamps[1]
        return (self._opened, *(stamps.get((ticker, base)) for base in Base))

    def close(self) -> None:
        """Let go of the store; the next question opens it again."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None
