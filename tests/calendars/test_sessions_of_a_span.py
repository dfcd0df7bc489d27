"""What holds for the sessions of any span, in every asset class."""

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapless.calendars import open_calendar
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.sessions import Sessions
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY

instruments = st.sampled_from([Instrument.parse(t) for t in ("AAPL", "I:SPX", "X:BTCUSD", "C:EURUSD")])
instants = st.integers(1_000_000_000_000, 2_000_000_000_000)  # 2001 to 2033: past both ends of what is known
patient = settings(deadline=None)  # whichever example comes first loads the exchange's calendar


def rows(sessions: Sessions) -> list[tuple[int, ...]]:
    """The sessions, one tuple each."""
    columns = (sessions.day, sessions.pre, sessions.open, sessions.close, sessions.post)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@patient
@given(instruments, st.sets(instants, min_size=2, max_size=6))
def test_the_sessions_of_a_span_are_those_of_its_pieces(instrument: Instrument, cuts: set[int]) -> None:
    """Wherever a span is cut, its pieces name the same sessions, in order."""
    edges = sorted(cuts)
    calendar = open_calendar()

    pieces = [row for a, b in pairwise(edges) for row in rows(calendar.sessions(instrument, Span(a, b)))]

    assert rows(calendar.sessions(instrument, Span(edges[0], edges[-1]))) == sorted(set(pieces))


@patient
@given(instruments, instants, st.integers(1, 40 * DAY))
def test_only_trading_days_that_touch_the_span_are_named(
    instrument: Instrument, start: int, length: int
) -> None:
    """A session of the whole table is named exactly if its bars could lie in the span or in its trading day."""
    calendar, span = open_calendar(), Span(start, start + length)
    table = rows(calendar.sessions(instrument, calendar.known(instrument)))

    named = rows(calendar.sessions(instrument, span))

    trading = {row for row in table if row[1] < span.end and span.start < row[4]}
    near = {row for row in table if row[0] < span.end and span.start < row[0] + DAY + 3_600_000}
    assert trading <= set(named) <= near


@patient
@given(instruments)
def test_sessions_are_in_order_and_do_not_overlap(instrument: Instrument) -> None:
    """Each session is day <= pre <= open < close <= post, and ends before the next day starts."""
    calendar = open_calendar()
    table = rows(calendar.sessions(instrument, calendar.known(instrument)))

    assert all(day <= pre <= opens < closes <= post for day, pre, opens, closes, post in table)
    assert all(row[4] <= following[0] for row, following in pairwise(table))


def test_a_reader_cannot_damage_the_calendar() -> None:
    """The columns are views of one table for the whole process, so they are read-only."""
    sessions = open_calendar().sessions(
        Instrument.parse("X:BTCUSD"), Span(1_600_000_000_000, 1_700_000_000_000)
    )

    with pytest.raises(ValueError, match="read-only"):
        sessions.open[0] = 0


def test_importing_calendars_does_not_import_the_libraries_behind_them() -> None:
    """Pandas and the exchanges' calendars are loaded by the first question about a stock, not before."""
    code = (
        "import gapless.calendars, sys; print('pandas' in sys.modules, 'exchange_calendars' in sys.modules)"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert shown.split() == ["False", "False"]
