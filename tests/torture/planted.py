"""Bugs to plant in a process on purpose: a harness that does not notice them proves nothing."""

import time
from collections.abc import Callable
from dataclasses import replace

from gapless.ledger import Coverage
from gapless.stores.base import SqlStore
from gapless.stores.packed import PackedStore
from gapless.stores.plain import PlainStore
from gapless.stores.turns import Turns
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.span import SpanSet
from gapless.vocabulary.steps import Checked, Lease, Receipt

_Write = Callable[..., Receipt]


def ledger_before_bars() -> None:
    """The ledger says that bars are there one transaction before they are."""
    _plant(_twice)


def told_before_written() -> None:
    """Pages are acknowledged first, and written when three of them are at hand."""
    _plant(_later)


def nothing_is_covered() -> None:
    """What is there is asked for again."""
    Coverage.covered = property(lambda _: SpanSet())  # type: ignore[method-assign, assignment]


def one_turn_too_many() -> None:
    """A limiter that counts one turn less than there are."""
    take = Turns.take_turn

    def generous(self: Turns, profile: str, *, calls: int, per: float, now: float) -> float:
        return take(self, profile, calls=calls + 1, per=per, now=now)

    Turns.take_turn = generous  # type: ignore[method-assign]


def _plant(spoiled: Callable[[_Write], _Write]) -> None:
    PackedStore.write = spoiled(PackedStore.write)  # type: ignore[method-assign]
    PlainStore.write = spoiled(PlainStore.write)  # type: ignore[method-assign]


def _twice(write: _Write) -> _Write:
    def twice(store: SqlStore, checked: Checked, lease: Lease | None = None) -> Receipt:
        write(store, replace(checked, batch=Batch.empty()), lease)
        time.sleep(0.03)
        return write(store, checked, lease)

    return twice


def _later(write: _Write) -> _Write:
    waiting: list[tuple[SqlStore, Checked, Lease | None]] = []

    def later(store: SqlStore, checked: Checked, lease: Lease | None = None) -> Receipt:
        waiting.append((store, checked, lease))
        if len(waiting) >= 3:
            for one in waiting:
                write(*one)
            waiting.clear()
        return Receipt(inserted=len(checked.batch))

    return later
