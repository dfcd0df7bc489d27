"""What an answer proves, minute by minute, against the rule written out in plain loops."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.checks import Context, judge
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Checked, Job
from gapless.vocabulary.timeframe import DAY, MINUTE, Base
from hand_made_market import EVER, PAGE, Row, bars, cells, runs, sessions

SPY = Instrument.parse("SPY")
NOW, CONFIRM_AFTER = 1000 * DAY, 6 * 60 * MINUTE


@dataclass(frozen=True)
class Case:
    """An answer in cells: minutes of a minute series, hours of a day series."""

    base: Base
    step: int
    units: tuple[range, ...]  # the sessions
    bars: frozenset[int]
    read: range
    known: range
    final: int
    looks: tuple[tuple[range, bool], ...]  # each with whether it is due

    def judged(self) -> Checked:
        """The verdict of the code under test."""
        context = Context(
            sessions=sessions(self._row(unit) for unit in self.units),
            known=self._span(self.known),
            final_until=self.final * self.step,
            now=NOW,
            confirm_after=CONFIRM_AFTER,
            looks=tuple((self._span(look), NOW - 1 if due else NOW + 1) for look, due in self.looks),
        )
        read = self._span(self.read)
        return judge(Job(SPY, self.base, read), bars(n * self.step for n in self.bars), read, PAGE, context)

    def expected(self) -> dict[int, str]:
        """The rule: who has not settled is provisional; a silence with a whole session in it is not believed.

        A silence is an unbroken run of settled cells without a bar. It is doubted if a session, or all the time
        that no calendar knows at one end, lies wholly inside it. After a day bar it begins with the first whole
        session in it. Minutes of which no answer has any bar are doubted wherever the market was open.
        """
        settled = [n for n in self.read if n < self.final]
        unknown = [range(run[0], run[-1] + 1) for run in runs(n for n in settled if n not in self.known)]
        whole = [u for u in self.units if set(u) <= set(settled)]
        doubted: set[int] = set()
        for run in runs(n for n in settled if n not in self.bars):
            inside = [unit for unit in (*whole, *unknown) if set(unit) <= set(run)]
            if inside:
                from_bar = self.base is Base.DAY and run[0] > self.read.start
                doubted |= {n for n in run if not from_bar or n >= min(unit.start for unit in inside)}
        if (
            self.base is Base.MINUTE
            and not self.bars
            and any(n in unit for unit in self.units for n in settled)
        ):
            doubted = set(settled)
        due = {n for look, is_due in self.looks for n in look if is_due}
        return {
            n: ("empty" if n in due else "unconfirmed")
            if n in doubted
            else ("bars" if n < self.final else "provisional")
            for n in self.read
        }

    def _row(self, unit: range) -> Row:
        start, end = unit.start * self.step, unit.stop * self.step
        return (start, start, start, end, end)

    def _span(self, cells: range) -> Span:
        return Span(cells.start * self.step, cells.stop * self.step)


@st.composite
def some_cells(draw: st.DrawFn) -> range:
    """A stretch of cells somewhere."""
    start = draw(st.integers(0, 50))
    return range(start, start + draw(st.integers(1, 30)))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A few short sessions, some of their bars, a page, and what was seen before."""
    base = draw(st.sampled_from(Base))
    units: list[range] = []
    at = 0
    for _ in range(draw(st.integers(0, 6))):
        at += draw(st.integers(0, 5))
        units.append(range(at, at + draw(st.integers(2, 8))))
        at = units[-1].stop
    read = draw(some_cells())
    known = draw(st.one_of(st.just(range(1000)), some_cells()))
    possible = [u.start for u in units] if base is Base.DAY else [n for u in units for n in u]
    outside = [] if base is Base.DAY else [n for n in read if n not in known]
    inside = [n for n in {*possible, *outside} if n in read]
    looks: list[tuple[range, bool]] = []
    for start in sorted(draw(st.sets(st.integers(0, 60), max_size=3))):
        if not looks or looks[-1][0].stop <= start:
            looks.append((range(start, start + draw(st.integers(1, 20))), draw(st.booleans())))
    return Case(
        base,
        MINUTE if base is Base.MINUTE else 60 * MINUTE,
        tuple(units),
        frozenset(draw(st.sets(st.sampled_from(inside))) if inside else ()),
        read,
        known,
        draw(st.integers(0, 90)),
        tuple(looks),
    )


@settings(max_examples=300)
@given(cases())
def test_every_instant_of_an_answer_has_the_verdict_of_the_rule(case: Case) -> None:
    """Each is in exactly one entry, and the entries together are what was read."""
    checked = case.judged()
    assert sum(e.span.length for e in checked.entries) == len(case.read) * case.step

    assert SpanSet(e.span for e in checked.entries) == SpanSet(
        [Span(case.read.start * case.step, case.read.stop * case.step)]
    )
    if case.base is Base.MINUTE:
        found = {n: e.outcome.value for e in checked.entries for n in cells([e.span], case.step)}
        assert found == case.expected()
    else:  # a day bar is an instant: the entry may go on a minute after it, inside an hour
        found = {n: e.outcome.value for e in checked.entries for n in cells([e.span], MINUTE)}
        assert {n: found[n * 60] for n in case.read} == case.expected()


@given(cases())
def test_every_bar_is_in_an_entry_that_vouches_for_it(case: Case) -> None:
    """Bars or provisional, and the entries count them; nothing that can still change is called final."""
    checked = case.judged()

    vouched = [e for e in checked.entries if e.outcome.value in ("bars", "provisional")]
    for n in case.bars:
        assert sum(n * case.step in e.span for e in vouched) == 1
    assert sum(e.rows for e in vouched) == len(case.bars) == len(checked.batch)
    assert all(e.rows == 0 for e in checked.entries if e not in vouched)
    assert all(e.span.end <= case.final * case.step for e in checked.entries if e.outcome.covers)


@given(cases())
def test_a_silent_session_is_never_taken_for_bars(case: Case) -> None:
    """A whole session without a bar is doubted, or was already looked at twice."""
    for unit in case.units:
        silent = set(unit) <= set(case.read) - case.bars and unit.stop <= case.final
        if silent:
            at = unit.start * case.step
            (entry,) = [e for e in case.judged().entries if at in e.span]
            assert entry.outcome.value in ("unconfirmed", "empty")


@given(cases())
def test_a_doubt_keeps_the_time_that_it_was_given_first(case: Case) -> None:
    """A second look before its time changes nothing; one that is due settles every doubt."""
    first = replace(case, looks=()).judged()
    doubts = [e for e in first.entries if e.outcome.value == "unconfirmed"]
    assert all(e.due == NOW + CONFIRM_AFTER for e in doubts)

    def again(*, due: bool) -> Checked:
        looks = tuple((range(e.span.start // MINUTE, e.span.end // MINUTE), due) for e in doubts)
        minute = case.step // MINUTE
        looked = tuple((range(look.start // minute, -(-look.stop // minute)), d) for look, d in looks)
        return replace(case, looks=looked).judged()

    early, late = again(due=False), again(due=True)

    assert [e.span for e in early.entries] == [e.span for e in first.entries]
    assert all(e.due == NOW + 1 for e in early.entries if e.outcome.value == "unconfirmed")
    assert not [e for e in late.entries if e.outcome.value == "unconfirmed"]
    assert SpanSet(e.span for e in late.entries if e.outcome.value == "empty") == SpanSet(
        e.span for e in doubts
    )


def test_an_entry_tells_where_it_comes_from() -> None:
    """Request, digest, address, job and run are kept, and the time at which it was read."""
    read = Span(0, DAY)
    job = Job(SPY, Base.MINUTE, read)
    context = Context(sessions([]), EVER, DAY, NOW, CONFIRM_AFTER, run_id="run-7")

    (entry,) = judge(job, bars([0]), read, PAGE, context).entries

    assert (entry.request_id, entry.digest, entry.url) == ("request-1", "d1g357", "https://vendor.test/bars")
    assert (entry.job_id, entry.run_id, entry.recorded, entry.rows) == (job.id, "run-7", NOW, 1)
    assert (entry.instrument, entry.base, entry.due, entry.reason) == (SPY, Base.MINUTE, None, "")
