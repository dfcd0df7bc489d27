"""Calendars against bars that were really traded."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from gapless.calendars import open_calendar
from gapless.vocabulary.batch import Ints
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import MINUTE, Base

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
SPY_MINUTES = DATA / "equity_minute/nt-spy-minute-2011.csv"
SP500_MINUTES = DATA / "equity_minute/SP500_NOV2019_IDay.csv"
FXCM = DATA / "forex/lean-fxcm/forex/fxcm"
NEW_YORK = ZoneInfo("America/New_York")
FXCM_CLOCK = timedelta(hours=-5)  # all year

# Three stale quotes and one real hour after the close, in eleven years.
FRIDAY_STRAYS = 4

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the recorded market data is not beside the project"),
]


def spy_minutes() -> Ints:
    """The starts of SPY's minute bars of January 2011; the file stamps their ends, in UTC."""
    with SPY_MINUTES.open() as lines:
        ends = [datetime.strptime(line[:15] + "+0000", "%Y%m%d %H%M%S%z") for line in lines]
    return np.array([int(end.timestamp()) * 1000 - MINUTE for end in ends], np.int64)


def sp500_minutes() -> Ints:
    """The starts of the index's minute bars on four days of November 2019, told by clocks in New York."""
    texts = [line.partition(",")[0] for line in SP500_MINUTES.read_text().splitlines()[1:] if line]
    wall = [datetime.strptime(text, "%m/%d/%Y %H:%M").replace(tzinfo=NEW_YORK) for text in texts]
    return np.array([int(moment.timestamp()) * 1000 for moment in wall], np.int64)


def unzipped(path: Path) -> Iterator[list[str]]:
    """The rows of the one file inside a zip."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    yield from csv.reader(io.StringIO(text))


def fxcm_minutes() -> Ints:
    """The starts of EURUSD's minute bars, on all days there are."""
    stamps = []
    for path in sorted((FXCM / "minute/eurusd").iterdir()):
        midnight = datetime.strptime(path.name[:8] + "+0000", "%Y%m%d%z") - FXCM_CLOCK
        stamps += [int(midnight.timestamp()) * 1000 + int(row[0]) for row in unzipped(path)]
    return np.array(sorted(stamps), np.int64)


def fxcm_hours() -> Ints:
    """The starts of EURUSD's hour bars, 2007 to 2018."""
    texts = (row[0] for row in unzipped(FXCM / "hour/eurusd.zip"))
    wall = np.array([f"{t[:4]}-{t[4:6]}-{t[6:8]}T{t[9:]}" for t in texts], "datetime64[ms]").astype(np.int64)
    return wall - int(FXCM_CLOCK.total_seconds()) * 1000


def hull(ts: Ints) -> Span:
    """The span from the first bar to just after the last."""
    return Span(int(ts[0]), int(ts[-1]) + 1)


def inside(ts: Ints, starts: Ints, ends: Ints) -> NDArray[np.bool_]:
    """Which instants lie in one of these half-open stretches, given in order."""
    following = np.searchsorted(ends, ts, side="right")
    return (following < len(ends)) & (starts[np.minimum(following, len(ends) - 1)] <= ts)


def test_spy_has_every_regular_minute_of_twenty_sessions() -> None:
    """Every minute that the calendar expects in regular hours was traded: 20 sessions of 390 minutes."""
    ts = spy_minutes()
    sessions = open_calendar().sessions(Instrument.parse("SPY"), hull(ts))

    expected = sessions.opens(Base.MINUTE, regular=True)

    assert len(sessions) == 20
    assert len(expected) == 20 * 390
    assert np.isin(expected, ts).all()


def test_spy_has_no_minute_outside_extended_sessions() -> None:
    """Of the 19,200 minutes in which SPY could trade, 5,020 have no bar; no bar lies outside of them."""
    ts = spy_minutes()
    possible = open_calendar().sessions(Instrument.parse("SPY"), hull(ts)).opens(Base.MINUTE)

    assert np.isin(ts, possible).all()
    assert (len(possible), len(possible) - len(ts)) == (19_200, 5_020)


def test_an_index_has_every_regular_minute_and_a_last_value_after_the_close() -> None:
    """The S&P 500 has its 390 regular minutes on each of four days, and on three of them one at 16:00."""
    ts = sp500_minutes()
    sessions = open_calendar().sessions(Instrument.parse("I:SPX"), hull(ts))
    regular = sessions.opens(Base.MINUTE, regular=True)

    late = np.setdiff1d(ts, regular)

    assert len(regular) == 4 * 390
    assert np.isin(regular, ts).all()
    assert late.tolist() == sessions.close[:3].tolist()
    assert inside(late, sessions.pre, sessions.post).all()


def test_eurusd_minutes_lie_inside_forex_sessions() -> None:
    """No recorded minute falls into the weekend."""
    ts = fxcm_minutes()
    sessions = open_calendar().sessions(Instrument.parse("C:EURUSD"), hull(ts))

    assert len(ts) == 21_592
    assert inside(ts, sessions.pre, sessions.post).all()


def test_eurusd_hours_begin_before_sundays_opening_and_end_with_fridays_close() -> None:
    """In eleven years hours before Sunday 17:00 are common, which is why they are not called closed."""
    ts = fxcm_hours()
    sessions = open_calendar().sessions(Instrument.parse("C:EURUSD"), hull(ts))
    outside = ts[~inside(ts, sessions.pre, sessions.post)]
    extended = inside(ts, sessions.pre, sessions.open)

    assert len(outside) == FRIDAY_STRAYS
    assert {_weekday(t) for t in outside} == {"Fri"}
    assert extended.sum() > 1_000
    assert {_weekday(t) for t in ts[extended]} == {"Sun"}


def _weekday(instant: int) -> str:
    return datetime.fromtimestamp(int(instant) / 1000, UTC).strftime("%a")
