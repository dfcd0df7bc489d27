"""Bugs to plant in a process on purpose: a harness that does not notice them proves nothing."""

import time
from dataclasses import replace

from gapless.ledger import Coverage
from gapless.stores.packed import PackedStore
from gapless.stores.plain import PlainStore
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.span import SpanSet
from gapless.vocabulary.steps import Checked, Lease, Receipt

_Store = PackedStore | PlainStore


def ledger_before_bars() -> None:
    """The ledger says that bars are there one transaction before they are."""
    for kind in (PackedStore, PlainStore):
        write = kind.write

        def twice(self: _Store, checked: Checked, lease: Lease | None = None, write=write) -> Receipt:  # type: ignore[no-untyped-def]  # noqa: ANN001 - the method of either
            write(self, replace(checked, batch=Batch.empty()), lease)
            time.sleep(0.03)
            return write(self, checked, lease)  # type: ignore[no-any-return]

        kind.write = twice  # type: ignore[method-assign, assignment]


def told_before_written() -> None:
    """Pages are acknowledged first, and written when three of them are at hand."""
    for kind in (PackedStore, PlainStore):
        write, waiting = kind.write, list[tuple[Checked, Lease | None]]()

        def later(
            self: _Store, checked: Checked, lease: Lease | None = None, write=write, waiting=waiting
        ) -> Receipt:  # type: ignore[no-untyped-def]  # noqa: ANN001, E501 - the method of either
            waiting.append((checked, lease))
            if len(waiting) >= 3:
                for one in waiting:
                    write(self, *one)
                waiting.clear()
            return Receipt(len(checked.batch), 0, 0, 0, 0)

        kind.write = later  # type: ignore[method-assign, assignment]


def nothing_is_covered() -> None:
    """What is there is asked for again."""
    Coverage.covered = property(lambda _: SpanSet())  # type: ignore[method-assign, assignment]
