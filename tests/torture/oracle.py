"""What a store must be after a run was cut short anywhere: the vendor's own bars wherever it says `covered`."""

from collections import Counter
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
from gapless.vocabulary.steps import Entry, Outcome
from gapless.vocabulary.timeframe import Base

EVER = Span(0, 2**50)
UNVOUCHED = "bars of which the ledger says nothing"


@dataclass(slots=True)
class Oracle:
    """Compares stores with the market of a sandbox, whose bars inside `span` do not change from now on."""

    sandbox: Sandbox
    symbols: Sequence[str]
    span: Span
    _bars: dict[tuple[str, Base], Batch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for symbol in self.symbols:
            for base in Base:
                self._bars[symbol, base] = truth(self.sandbox, symbol, base, self.span)

    def broken(self, house: Warehouse, acknowledged: Sequence[str] = ()) -> list[str]:
        """Every promise that the store breaks as it is now; `acknowledged` names the job of each page told."""
        problems = [f"verify: {damage.what}" for damage in house.store.verify()]
        stored: Counter[str] = Counter()
        for symbol in self.symbols:
            for base in Base:
                entries = house.store.entries(Instrument.parse(symbol), base)
                stored.update(job for job, *_ in _pages(entries))
                coverage = fold(entries)
                said = coverage.where(Outcome.BARS, Outcome.PROVISIONAL)
                held = house.store.read(Instrument.parse(symbol), base, EVER)
                problems += self._untrue(symbol, base, held, coverage.covered.clip(self.span), said)
        lost = Counter(acknowledged) - stored
        return problems + [f"a page of job {job} was acknowledged and is lost" for job in lost.elements()]

    def incomplete(self, house: Warehouse, span: Span) -> list[str]:
        """The series that are not the whole truth of `span`."""
        return [
            f"{symbol} {base} is not all that the vendor has"
            for symbol in self.symbols
            for base in Base
            if house.store.read(Instrument.parse(symbol), base, span)
            != self._bars[symbol, base].between(span)
        ]

    def pages(self, house: Warehouse) -> int:
        """How many pages are in the ledger."""
        series = [(Instrument.parse(symbol), base) for symbol in self.symbols for base in Base]
        return sum(len(_pages(house.store.entries(*one))) for one in series)

    def _untrue(self, symbol: str, base: Base, held: Batch, covered: SpanSet, said: SpanSet) -> list[str]:
        problems = []
        if _inside(held, covered) != _inside(self._bars[symbol, base], covered):
            problems.append(f"{symbol} {base}: covered, but not what the vendor has")
        if len(_inside(held, said)) != len(held):
            problems.append(f"{symbol} {base}: {UNVOUCHED}")
        if len(np.unique(held.ts)) != len(held):
            problems.append(f"{symbol} {base}: a bar twice")
        return problems


def _pages(entries: Sequence[Entry]) -> set[tuple[str, str, str]]:
    """The pages that entries stand for: their job, their digest, their run."""
    return {(entry.job_id, entry.digest, entry.run_id) for entry in entries if entry.digest}


def _inside(bars: Batch, spans: SpanSet) -> Batch:
    return Batch.concat([bars.between(span) for span in spans])
