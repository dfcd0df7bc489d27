"""Notes of a run's progress in its store, once a second, so that any process can show how far it is."""

from threading import Event as Flag
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from gapless.errors import StorageError
from gapless.ports import Clock, Store
from gapless.reports import Progress
from gapless.vocabulary.events import Event

EVERY = 1.0
"""Seconds between two notes: one small unsynced write, which costs a run less than it can measure."""


class Noting:
    """Hears a run and notes its progress while the block lasts; on a thread of its own, so that no write waits."""

    def __init__(self, store: Store, clock: Clock, run_id: str, progress: Progress) -> None:
        self._store, self._clock, self._run_id, self._progress = store, clock, run_id, progress
        self._lock, self._over = Lock(), Flag()
        self._thread = Thread(target=self._note, name="gapless-notes", daemon=True)

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        with self._lock:
            self._progress(event)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _note(self) -> None:
        while not self._over.wait(EVERY):
            with self._lock:
                found = self._progress.as_dict(self._clock.now())
            try:
                self._store.note_progress(self._run_id, found)
            except StorageError:
                return  # what is wrong with the disk is told by the run itself, with what it could not write
