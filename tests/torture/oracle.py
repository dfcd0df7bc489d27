"""What a store must be after a run was cut short anywhere: the vendor's own bars wherever it says `covered`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.living import truth
from gapless.app import Warehouse
from gapless.ledger import fold
from gapless.sandbox import Sandbox
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import Base

EVER = Span(0, 2**50)


@dataclass(slots=True)
class Oracle:
    """Compares stores with the market of a sandbox inside `span`, outside of which nothing was ever asked for."""

    sandbox: Sandbox
    symbols: Sequence[str]
    span: Span
    _bars: dict[tuple[str, Base], Batch] = field(default_factory=dict)

    def broken(self, house: Warehouse, acknowledged: Sequence[str] = ()) -> list[str]:
        """Every promise that the store breaks as it is now; `acknowledged` are digests of pages that were told."""
        problems = [f"verify: {damage.what}" for damage in house.store.verify()]
        kept: set[str] = set()
        for symbol in self.symbols:
            for base in Base:
                entries = house.store.entries(Instrument.parse(symbol), base)
                kept |= {entry.digest for entry in entries}
                coverage = fold(entries)
                held = house.store.read(Instrument.parse(symbol), base, EVER)
                told = coverage.covered, coverage.where(Outcome.BARS, Outcome.PROVISIONAL)
                problems += self._untrue(symbol, base, held, *told)
        return problems + [f"a page was acknowledged and is lost: {one}" for one in set(acknowledged) - kept]

    def incomplete(self, house: Warehouse) -> list[str]:
        """The series that are not the whole truth."""
        return [
            f"{symbol} {base} is not what the vendor has"
            for symbol in self.symbols
            for base in Base
            if house.store.read(Instrument.parse(symbol), base, self.span) != self._truth(symbol, base)
        ]

    def _untrue(self, symbol: str, base: Base, held: Batch, covered: SpanSet, said: SpanSet) -> list[str]:
        bars = self._truth(symbol, base)
        problems = []
        if _inside(held, covered) != _inside(bars, covered):
            problems.append(f"{symbol} {base}: covered, but not what the vendor has")
        if len(_inside(held, said)) != len(held):
            problems.append(f"{symbol} {base}: bars of which the ledger says nothing")
        if len(np.unique(held.ts)) != len(held):
            problems.append(f"{symbol} {base}: a bar twice")
        return problems

    def _truth(self, symbol: str, base: Base) -> Batch:
        key = symbol, base
        if key not in self._bars:
            self._bars[key] = truth(self.sandbox, symbol, base, self.span)
        return self._bars[key]


def _inside(bars: Batch, spans: SpanSet) -> Batch:
    return Batch.concat([bars.between(span) for span in spans])
