"""Intake: bars from elsewhere into a store, which keeps what it knows better."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from gapless.errors import UsageError
from gapless.ledger import fold
from gapless.ports import Store
from gapless.transfer.soundness import cells
from gapless.vocabulary.batch import Batch, Ints, inside
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Checked, Entry, Lease, Outcome, Receipt, Wish
from gapless.vocabulary.timeframe import Base, Timeframe

Claim = Callable[[Instrument, Base], Lease | None]
"""Takes the lease of a series; None where nobody else can write the store.

Raises LeaseHeld where another run has it.
"""

_SILENT = (Outcome.EMPTY, Outcome.CLOSED)


@dataclass(frozen=True, slots=True)
class ImportReceipt:
    """What came in from where: `rows` bars of `series`; `stored` counts what the store did with them."""

    path: str
    rows: int
    series: int
    stored: Receipt


@dataclass(frozen=True, slots=True)
class Delivery:
    """Sound bars of one series out of one file, and what they prove, by outcome.

    A bar outside all proofs is no more than a bar: it comes in as `provisional`.
    """

    instrument: Instrument
    base: Base
    batch: Batch
    proofs: dict[Outcome, SpanSet]
    file: str
    digest: str


@dataclass(slots=True)
class Conflicts:
    """Bars that are final in the store and differ from what is to come in."""

    count: int = 0
    example: str = ""

    def add(self, delivery: Delivery, ts: Ints) -> None:
        """Count them, and keep the first as an example."""
        if len(ts) and not self.count:
            at = datetime.fromtimestamp(int(ts[0]) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self.example = f"{delivery.instrument} {delivery.base} at {at} ({delivery.file})"
        self.count += len(ts)

    def refuse(self) -> None:
        """Stop here if there are any.

        Raises:
            UsageError: there are.
        """
        if self.count:
            raise UsageError(
                f"{self.count} bars in the store differ from those to import, the first is {self.example};"
                " nothing was imported.",
                hint="`--replace` imports them all the same; the earlier numbers stay readable as of now.",
            )


def unclaimed(instrument: Instrument, base: Base) -> None:
    """No lease: for a store that is nobody else's."""
    del instrument, base


@dataclass(slots=True)
class Intake:
    """Takes deliveries into one store. `now` in Unix ms; `run_id` names what the person started, if anything.

    `claim` gives the right to write a series before it is compared: nobody changes it in between.
    `covered` remembers what the store is sure of, by series: a long ledger is read once.
    """

    store: Store
    now: int
    claim: Claim
    run_id: str = ""
    rows: int = 0
    stored: Receipt = field(default_factory=Receipt)
    hulls: dict[tuple[Instrument, Base], Span] = field(default_factory=dict)
    covered: dict[tuple[Instrument, Base], SpanSet] = field(default_factory=dict)
    leases: dict[tuple[Instrument, Base], Lease | None] = field(default_factory=dict)

    def conflicts(self, deliveries: Iterable[Delivery]) -> Conflicts:
        """What of the store's final bars these would change; nothing is written."""
        found = Conflicts()
        for delivery in deliveries:
            found.add(delivery, self._compared(delivery).overruled)
        return found

    def take(self, delivery: Delivery) -> None:
        """Write what the store does not have yet, with the entries that say what it proves."""
        checked = self._checked(delivery)
        self.rows += len(delivery.batch)
        lease = self.leases[delivery.instrument, delivery.base]
        stored = self.store.write(checked, lease) if checked.entries else Receipt()
        self.stored += stored + Receipt(unchanged=len(delivery.batch) - len(checked.batch))
        sure = SpanSet(entry.span for entry in checked.entries if entry.outcome.covers)
        self.covered[delivery.instrument, delivery.base] |= sure
        self._remember(delivery)

    def receipt(self, path: str) -> ImportReceipt:
        """What was taken in so far; the series are from now on among those that were asked for."""
        wishes = [Wish(i, Timeframe.parse(base), hull) for (i, base), hull in self.hulls.items()]
        self.store.remember(wishes)
        return ImportReceipt(path, self.rows, len(wishes), self.stored)

    def _checked(self, delivery: Delivery) -> Checked:
        found = self._compared(delivery)
        spans = [
            (outcome, span) for outcome, proved in delivery.proofs.items() for span in proved - found.covered
        ]
        spans += [(Outcome.PROVISIONAL, span) for span in found.loose]
        # Last, so that they speak: where a stored bar changes or goes, this batch is the whole truth.
        spans += [(Outcome.BARS, span) for span in found.corrected]
        truth = SpanSet(span for outcome, span in spans if outcome not in _SILENT)
        batch = delivery.batch.take(inside(delivery.batch.ts, truth))
        entries = tuple(self._entry(delivery, outcome, span, batch) for outcome, span in spans)
        return Checked(delivery.instrument, delivery.base, batch, entries)

    def _compared(self, delivery: Delivery) -> "_Comparison":
        key = (delivery.instrument, delivery.base)
        if key not in self.covered:
            self.leases[key] = self.claim(*key)
            self.covered[key] = fold(self.store.entries(*key)).covered
        hull = _hull(delivery)
        return _Comparison.of(self.store, delivery, self.covered[key].clip(hull) if hull else SpanSet())

    def _entry(self, delivery: Delivery, outcome: Outcome, span: Span, batch: Batch) -> Entry:
        return Entry(
            delivery.instrument,
            delivery.base,
            span,
            outcome,
            recorded=self.now,
            reason=f"imported from {delivery.file}",
            rows=len(batch.between(span)),
            digest=delivery.digest,
            url=f"import:{delivery.file}",
            run_id=self.run_id,
        )

    def _remember(self, delivery: Delivery) -> None:
        key = (delivery.instrument, delivery.base)
        if hull := _hull(delivery):
            known = self.hulls.get(key, hull)
            self.hulls[key] = Span(min(known.start, hull.start), max(known.end, hull.end))


def _hull(delivery: Delivery) -> Span | None:
    """From the first thing that a delivery has or proves to the last, None where there is nothing."""
    edges = delivery.batch.ts[[0, -1]] if len(delivery.batch) else delivery.batch.ts
    own = cells(np.unique(edges), delivery.base, delivery.instrument.asset_class)
    spans = [*own, *(span for proved in delivery.proofs.values() for span in proved)]
    return Span(min(s.start for s in spans), max(s.end for s in spans)) if spans else None


@dataclass(frozen=True, slots=True, eq=False)
class _Comparison:
    """A delivery beside what the store has: `overruled` are starts of final bars that it would change.

    `covered` is what the store is sure of there, `loose` the delivery's unproved bars where it is not; `corrected`
    holds the bars to write although the store is sure, and those to withdraw.
    """

    covered: SpanSet
    overruled: Ints
    loose: SpanSet
    corrected: SpanSet

    @classmethod
    def of(cls, store: Store, delivery: Delivery, covered: SpanSet) -> "_Comparison":
        """Compare; `covered` is what the store is sure of around the delivery."""
        batch, base, asset_class = delivery.batch, delivery.base, delivery.instrument.asset_class
        proved = SpanSet(span for spans in delivery.proofs.values() for span in spans)
        ours = batch.take(inside(batch.ts, proved))
        stored = _stored(store, delivery, proved)
        changed, gone = _differing(ours, stored)
        overruled = np.concatenate((changed, gone))
        overruled = np.sort(overruled[inside(overruled, covered)])
        loose = cells(batch.ts[~inside(batch.ts, proved)], base, asset_class) - covered
        corrected = cells(np.union1d(overruled, gone), base, asset_class)
        return cls(covered, overruled, loose, corrected)


def _stored(store: Store, delivery: Delivery, proved: SpanSet) -> Batch:
    """The store's bars where the delivery proves something."""
    if not (spans := list(proved)):
        return Batch.empty()
    stored = store.read(delivery.instrument, delivery.base, Span(spans[0].start, spans[-1].end))
    return stored.take(inside(stored.ts, proved))


def _differing(ours: Batch, stored: Batch) -> tuple[Ints, Ints]:
    """The starts of bars with other numbers, and of stored bars that are not among ours."""
    _, mine, theirs = np.intersect1d(ours.ts, stored.ts, assume_unique=True, return_indices=True)
    differs = ~ours.take(mine).same_rows(stored.take(theirs))
    return ours.ts[mine][differs], np.setdiff1d(stored.ts, ours.ts, assume_unique=True)
