"""Each store against a model: a dictionary of bars, and the dictionaries that it was before."""

import sqlite3
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gapless.stores import packed
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Outcome, Revision, Wish
from gapless.vocabulary.timeframe import DAY, MINUTE, Base, Timeframe
from stores.making import (
    EVER,
    SPY,
    T0,
    Bar,
    bar,
    batch,
    checked,
    file_of,
    numbers,
    opened,
    slow_derive,
    url_of,
)

# Slots of 3 hours: a handful of them are days apart, so that windows and stretches are cut in every way.
SLOT = 180 * MINUTE
slots = st.integers(0, 40)
minutes = st.sampled_from([0, 7, 179])  # few, so that the same bar is often written again
prices = st.sampled_from([10.0, 10.01, 99.99, 1 / 3, 12345.678, 0.00001234])
TIMEFRAMES = [Timeframe.parse(name) for name in ("1m", "5m", "4h")]


class Machine(RuleBasedStateMachine):
    """Writes, corrections, withdrawals and reopenings in any order."""

    kind = ""

    @initialize()
    def open_new(self) -> None:
        """Begin with an empty store."""
        self.folder = tempfile.TemporaryDirectory()
        self.url = url_of(self.kind, Path(self.folder.name))
        self.store = opened(self.url)
        self.bars: dict[int, Bar] = {}
        self.covered: set[int] = set()
        self.history: list[tuple[int, dict[int, Bar], set[int]]] = []
        self.asked: set[str] = set()
        self.entries = 0

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule(
        first=st.sampled_from([0, 1, 4]) | slots,
        length=st.integers(1, 12),
        fresh=st.dictionaries(st.integers(0, 11), st.tuples(prices, minutes), max_size=8),
        at=st.integers(0, 50),
        outcome=st.sampled_from([Outcome.BARS, Outcome.PROVISIONAL]),
        tidy=st.sampled_from([0, 0, 6, 15_000]),
    )
    def write(
        self,
        first: int,
        length: int,
        fresh: dict[int, tuple[float, int]],
        at: int,
        outcome: Outcome,
        tidy: int,
    ) -> None:
        """An answer is the whole truth of its span; a clock that goes back does not turn time back."""
        span = Span(T0 + first * SLOT, T0 + (first + length) * SLOT)
        starts = {
            span.start + slot * SLOT + minute * MINUTE: bar(price) for slot, (price, minute) in fresh.items()
        }
        answer = {ts: b for ts, b in starts.items() if ts in span}
        receipt = self.store.write(checked(answer, span, at, outcome=outcome))
        old = {ts: b for ts, b in self.bars.items() if ts in span}
        assert receipt.inserted == len(answer.keys() - old.keys())
        assert receipt.withdrawn == len(old.keys() - answer.keys())
        assert receipt.unchanged == sum(old.get(ts) == b for ts, b in answer.items())
        assert receipt.corrected == len(answer) - receipt.inserted - receipt.unchanged
        self.bars = {ts: b for ts, b in self.bars.items() if ts not in span} | answer
        if outcome is Outcome.BARS:
            self.covered |= set(range(first, first + length))
        self._recorded(at)
        if tidy:
            self.tidy(tidy)

    @rule(outcome=st.sampled_from([Outcome.EMPTY, Outcome.FAILED]), at=st.integers(0, 50))
    def record(self, outcome: Outcome, at: int) -> None:
        """An entry without bars changes none."""
        self.store.write(checked({}, Span(T0, T0 + DAY), at, outcome=outcome))
        if outcome is Outcome.EMPTY:
            self.covered |= set(range(DAY // SLOT))
        self._recorded(at)

    @rule(timeframe=st.sampled_from(TIMEFRAMES))
    def remember(self, timeframe: Timeframe) -> None:
        """A timeframe is asked for, before or after its bars came."""
        self.store.remember([Wish(SPY, timeframe, Span(T0, T0 + DAY))])
        self.asked.add(timeframe.name)

    @rule()
    def reopen(self) -> None:
        """Close it and open it again."""
        self.store.close()
        self.store = opened(self.url)

    @rule(most=st.sampled_from([6, 15_000]))
    def tidy(self, most: int) -> None:
        """Nothing that can be read changes."""
        with (
            patch.object(packed, "_FEW", 2),
            patch.object(packed, "_SMALL", most),
            patch.object(packed, "_SEGMENT_BARS", most),
        ):
            merged = self.store.tidy(SPY, Base.MINUTE)
        event("merged" if merged else "nothing to merge")

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        """Any earlier moment is as it was."""
        moment = data.draw(st.integers(0, 50))
        then = next((bars for written, bars, _ in reversed(self.history) if written <= moment), {})
        assert self.store.read(SPY, Base.MINUTE, EVER, as_of=moment) == batch(then)

    @rule(first=slots, length=st.integers(1, 20))
    def read_a_part(self, first: int, length: int) -> None:
        """A part is the part of the whole."""
        span = Span(T0 + first * SLOT + MINUTE, T0 + (first + length) * SLOT)
        part = {ts: b for ts, b in self.bars.items() if ts in span}
        assert self.store.read(SPY, Base.MINUTE, span) == batch(part)

    @rule(parts=st.lists(st.tuples(slots, st.integers(1, 9), st.integers(-90, 90)), max_size=4))
    def count(self, parts: list[tuple[int, int, int]]) -> None:
        """A count is of the bars that stand, wherever its spans cut."""
        cut = [(T0 + first * SLOT + shift * MINUTE, length * SLOT) for first, length, shift in parts]
        spans = SpanSet(Span(start, start + length) for start, length in cut)
        assert self.store.count(SPY, Base.MINUTE, spans) == sum(ts in spans for ts in self.bars)

    @rule(first=slots, length=st.integers(1, 60))
    def list_revisions(self, first: int, length: int) -> None:
        """What changed between two moments, in any part of the series, is told as it was."""
        span = Span(T0 + first * SLOT, T0 + (first + length) * SLOT)
        listed = list(self.store.revisions(SPY, Base.MINUTE, span))
        assert listed == sorted(
            (r for r in self._revisions() if r.ts in span), key=lambda r: (r.ts, r.written)
        )

    @rule()
    def verify(self) -> None:
        """No damage is found where none was done."""
        assert list(self.store.verify()) == []

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        """Bars, catalogue and ledger agree with the model."""
        if not hasattr(self, "store"):
            return
        assert self.store.read(SPY, Base.MINUTE, EVER) == batch(self.bars)
        assert len(self.store.entries(SPY, Base.MINUTE)) == self.entries
        found = [(s.bars, s.first, s.last) for s in self.store.series()]
        edges = (min(self.bars), max(self.bars)) if self.bars else (None, None)
        assert found == ([(len(self.bars), *edges)] if self.entries else [])

    def _recorded(self, at: int) -> None:
        self.entries += 1
        written = max(at, self.history[-1][0]) if self.history else at
        self.history.append((written, dict(self.bars), set(self.covered)))

    def _revisions(self) -> list[Revision]:
        """The moments laid side by side: of one moment the last state counts."""
        moments = {written: (bars, covered) for written, bars, covered in self.history}
        found = []
        old: dict[int, Bar] = {}
        covered: set[int] = set()
        for written, (new, covered_then) in moments.items():
            for ts in old.keys() | new.keys():
                final = (ts - T0) // SLOT in covered
                if old.get(ts) != new.get(ts) and (ts in old or final):
                    found.append(
                        Revision(ts, written, numbers(old.get(ts)), numbers(new.get(ts)), final=final)
                    )
            old, covered = new, covered_then
        return found


class PackedMachine(Machine):
    """The packed store."""

    kind = "packed"


class PlainMachine(Machine):
    """The plain store, whose SQL readers see every timeframe that was asked for and no other."""

    kind = "plain"

    @invariant()
    def sql_readers_see_what_was_asked_for(self) -> None:
        """The views hold the asked timeframes, each made of the bars that stand, and tell which are final."""
        if not hasattr(self, "store"):
            return
        base = batch(self.bars)
        expected = {
            (t.name, ts): int(self._is_final(ts, t))
            for t in TIMEFRAMES
            if t.name in self.asked
            for ts in (slow_derive(base, t, SPY.asset_class) if t.derived else base).ts.tolist()
        }
        db = sqlite3.connect(file_of(self.url))
        rows = db.execute("SELECT timeframe, ts, final FROM market_data_now WHERE symbol = 'SPY'").fetchall()
        final = db.execute("SELECT timeframe, ts FROM market_data WHERE symbol = 'SPY'").fetchall()
        db.close()
        assert sorted(rows) == sorted((*key, mark) for key, mark in expected.items())
        assert sorted(final) == sorted(key for key, mark in expected.items() if mark)

    def _is_final(self, ts: int, timeframe: Timeframe) -> bool:
        """Whether every slot that the bar's window touches is covered."""
        assert timeframe.minutes
        last = ts + timeframe.minutes * MINUTE - 1
        return set(range((ts - T0) // SLOT, (last - T0) // SLOT + 1)) <= self.covered


@pytest.mark.parametrize("machine", [PackedMachine, PlainMachine])
def test_a_store_is_its_model(machine: type[Machine]) -> None:
    """Whatever is written, corrected, withdrawn and asked for, store and model say the same."""
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=20, deadline=None)
    )
