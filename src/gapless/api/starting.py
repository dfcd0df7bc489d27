"""Runs that are started over HTTP: one at a time, on a thread and a warehouse of their own."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread

from gapless.api.asking import Asked
from gapless.api.problems import Problem
from gapless.app import Warehouse, open_warehouse
from gapless.errors import GaplessError
from gapless.ports import Clock
from gapless.reports import RunReport
from gapless.settings import Settings
from gapless.vocabulary.events import Event, RunStarted, Tell

Work = Callable[[Warehouse, Asked, Tell], RunReport]

WORKS: dict[str, Work] = {
    "start_backfill": lambda house, asked, tell: house.backfill(
        asked["symbols"], asked["timeframes"], asked["start"], asked["end"], tell=tell
    ),
    "start_update": lambda house, asked, tell: house.update(asked["symbols"], tell=tell),
    "start_repair": lambda house, asked, tell: house.repair(asked["symbols"], tell=tell),
}
"""By the endpoint's name, the run that it starts."""


class Starter:
    """Starts runs. Each opens the store for itself, to write; it is made where there is none."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._turn = Lock()
        self._thread: Thread | None = None
        self._house: Warehouse | None = None
        self._run_id: str | None = None

    def start(self, name: str, asked: Asked) -> str:
        """Start a run; returns its id once it has one, which takes as long as planning it.

        Raises:
            Problem: another one of this server's runs is under way.
            GaplessError: it cannot begin: a word that is not understood, no key, a store that cannot be written.
        """
        if not self._turn.acquire(blocking=False):
            raise _busy(self._run_id)
        begun: Future[str] = Future()
        try:
            self._settings.key.reveal()  # a run without a key would be an empty one
            make = name == "start_backfill"
            if make:
                self._plan(asked)
            self._house = open_warehouse(self._settings, create=make, clock=self._clock)
            self._thread = Thread(target=self._carry_out, args=(name, asked, begun), name="gapless-run")
            self._thread.start()
        except BaseException:
            self._turn.release()
            raise
        return begun.result()

    def stop(self) -> str | None:
        """Let the run that is under way finish its pages in hand and end; returns its id."""
        if self._house is None:
            return None
        self._house.stop()
        return self._run_id

    def close(self) -> None:
        """The same, and wait for it."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _plan(self, asked: Asked) -> None:
        """Planned before a store is made: a word that is not understood leaves nothing behind."""
        with open_warehouse(
            self._settings, create=False, required=False, read_only=True, clock=self._clock
        ) as before:
            before.plan(asked["symbols"], asked["timeframes"], asked["start"], asked["end"])

    def _carry_out(self, name: str, asked: Asked, begun: "Future[str]") -> None:
        house = self._house
        assert house is not None

        def tell(event: Event) -> None:
            if isinstance(event, RunStarted):
                self._run_id = event.run_id
                begun.set_result(event.run_id)

        try:
            WORKS[name](house, asked, tell)
        except GaplessError as error:
            if not begun.done():
                begun.set_exception(error)
        except Exception as error:
            if not begun.done():
                begun.set_exception(error)
            raise
        finally:
            self._house = self._run_id = None
            house.close()
            self._turn.release()


def _busy(run_id: str | None) -> Problem:
    return Problem(
        409,
        "busy",
        "Another run is under way",
        f"This server is carrying out run {run_id}." if run_id else "This server is planning a run.",
        hint="Wait for it (/v1/events), or stop it: POST /v1/stop.",
        more={"run_id": run_id},
    )
