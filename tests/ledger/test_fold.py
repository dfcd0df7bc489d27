"""The ledger's fold against a replay, entry by entry and instant by instant."""

from hypothesis import given
from hypothesis import strategies as st

from gapless.ledger import fold
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Entry, Outcome
from gapless.vocabulary.timeframe import Base

SPY = Instrument.parse("SPY")
NOW = 100
UNSETTLING = "lost"
COVERING = {"bars", "empty", "closed"}


def entry(start: int, end: int, outcome: Outcome, *, due: int | None = None, recorded: int = 0) -> Entry:
    """A line of the ledger."""
    return Entry(SPY, Base.MINUTE, Span(start, end), outcome, recorded=recorded, due=due)


entries = st.lists(
    st.builds(
        lambda start, length, outcome, due, recorded: entry(
            start, start + length, outcome, due=due, recorded=recorded
        ),
        st.integers(0, 25),
        st.integers(1, 15),
        st.sampled_from(Outcome),
        st.sampled_from([None, NOW - 1, NOW, NOW + 1]),
        st.integers(0, 10**6),
    ),
    max_size=10,
)


def replay(entries: list[Entry]) -> dict[int, Entry]:
    """Who speaks for each instant, by the rule alone.

    The entry written last speaks, except that one which does not settle the matter (it is neither bars, empty nor
    closed) leaves an instant alone that is settled; only `lost` unsettles. The order of writing counts, not the
    stamps.
    """
    speaks: dict[int, Entry] = {}
    for one in entries:
        for at in range(one.span.start, one.span.end):
            settled = at in speaks and speaks[at].outcome.value in COVERING
            if not settled or one.outcome.value in COVERING | {UNSETTLING}:
                speaks[at] = one
    return speaks


def instants(spans: SpanSet) -> set[int]:
    """Every instant inside, one by one."""
    return {at for span in spans for at in range(span.start, span.end)}


@given(entries)
def test_each_instant_has_the_entry_that_a_replay_gives_it(written: list[Entry]) -> None:
    """No instant has two entries, and where nobody asked there is none."""
    coverage, expected = fold(written), replay(written)

    found = {at: piece.entry for piece in coverage.pieces for at in range(piece.span.start, piece.span.end)}
    assert found == expected
    assert sum(piece.span.length for piece in coverage.pieces) == len(expected)
    assert [piece.span for piece in coverage.pieces] == sorted(piece.span for piece in coverage.pieces)


@given(entries, st.integers(-2, 45))
def test_asking_for_one_instant_finds_its_piece(written: list[Entry], instant: int) -> None:
    """`at` is the piece around an instant, or nothing."""
    piece = fold(written).at(instant)

    assert (piece.entry if piece else None) == replay(written).get(instant)


@given(entries)
def test_covered_and_waiting_are_read_off_the_entries(written: list[Entry]) -> None:
    """Bars, empty and closed are done; what is due later waits; a provisional bar never does."""
    coverage, expected = fold(written), replay(written)

    assert instants(coverage.covered) == {at for at, e in expected.items() if e.outcome.value in COVERING}
    assert instants(coverage.waiting(NOW)) == {
        at
        for at, e in expected.items()
        if e.outcome.value not in COVERING | {"provisional"} and e.due is not None and e.due > NOW
    }
    for outcome in Outcome:
        assert instants(coverage.where(outcome)) == {at for at, e in expected.items() if e.outcome is outcome}


@given(entries, st.integers(-2, 40), st.integers(1, 20))
def test_within_cuts_pieces_at_the_edges(written: list[Entry], start: int, length: int) -> None:
    """Inside a span each instant keeps its entry; outside there is nothing."""
    inside = fold(written).within(Span(start, start + length))

    assert {at: p.entry for p in inside for at in range(p.span.start, p.span.end)} == {
        at: e for at, e in replay(written).items() if start <= at < start + length
    }


@given(entries, entries)
def test_folding_goes_on_where_it_stopped(early: list[Entry], late: list[Entry]) -> None:
    """The entries that still speak say as much as all that were ever written."""
    spoken = fold(early).pieces
    shortened = [
        Entry(SPY, Base.MINUTE, p.span, p.entry.outcome, p.entry.recorded, due=p.entry.due) for p in spoken
    ]

    assert {at: e.outcome for at, e in replay([*shortened, *late]).items()} == {
        at: p.entry.outcome for p in fold([*early, *late]).pieces for at in range(p.span.start, p.span.end)
    }


def test_a_failed_attempt_does_not_uncover_what_was_there() -> None:
    """Nor does one that was refused, doubted or read too early; damage does."""
    for outcome in (
        Outcome.FAILED,
        Outcome.REFUSED,
        Outcome.UNCONFIRMED,
        Outcome.SUSPECT,
        Outcome.PROVISIONAL,
    ):
        assert fold([entry(0, 9, Outcome.BARS), entry(2, 5, outcome)]).covered == SpanSet([Span(0, 9)])

    damaged = fold([entry(0, 9, Outcome.BARS), entry(2, 5, Outcome.LOST)])

    assert list(damaged.covered) == [Span(0, 2), Span(5, 9)]


def test_bars_read_again_cover_what_was_lost() -> None:
    """After a repair nothing is missing."""
    repaired = fold([entry(0, 9, Outcome.BARS), entry(2, 5, Outcome.LOST), entry(2, 5, Outcome.BARS)])

    assert list(repaired.covered) == [Span(0, 9)]


def test_an_empty_ledger_knows_nothing() -> None:
    """Nobody ever asked."""
    nothing = fold([])

    assert (nothing.pieces, nothing.at(0), nothing.within(Span(0, 9))) == ((), None, [])
    assert not nothing.covered
    assert not nothing.waiting(NOW)
