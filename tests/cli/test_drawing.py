"""What is drawn and printed: the matrix, JSON, progress, presets."""

import json

import pytest

from gapless.cli.matrix import draw_matrix
from gapless.cli.presets import PRESETS
from gapless.cli.progress import Lines
from gapless.cli.render import draw, seconds, table
from gapless.reports import Mark, MonthMark, SeriesStatus
from gapless.reports.plain import as_json
from gapless.vocabulary.events import (
    ActionsStarted,
    Event,
    JobEnded,
    JobStarted,
    PageStored,
    RunStarted,
    Waiting,
)
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Damage, Job, Outcome, Receipt
from gapless.vocabulary.timeframe import Base

_JAN_2024 = 1_704_067_200_000


def status(marks: str, first: str, symbol: str = "AAPL") -> SeriesStatus:
    """A series whose months from `first` on have these marks."""
    year, month = map(int, first.split("-"))
    names = [f"{year + (month - 1 + n) // 12}-{(month - 1 + n) % 12 + 1:02}" for n in range(len(marks))]
    months = tuple(MonthMark(name, Mark(mark), 50.0) for name, mark in zip(names, marks, strict=True))
    return SeriesStatus(symbol, "5m", Base.MINUTE, 0, 1, 99.9, 12_345, 0, 1, months)


def drawn(capsys: pytest.CaptureFixture[str], *statuses: SeriesStatus) -> list[str]:
    """The matrix as lines, without what pads them."""
    draw_matrix(statuses)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_column_is_a_month(capsys: pytest.CaptureFixture[str]) -> None:
    """A year stands above its January; a series that starts later has blanks before."""
    lines = drawn(capsys, status("##+.~x-#", "2023-11"), status("####", "2024-03", "MSFT"))
    assert lines == [
        "symbol  tf   done  base bars    2024",
        "AAPL    5m  99.9%     12,345  ##+.~x-#",
        "MSFT    5m  99.9%     12,345      ####",
        "# complete  + partly  . missing  ~ provisional  x refused by plan  - closed",
    ]


def test_one_month_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no January is near, the first column says where it is."""
    assert drawn(capsys, status("#", "2026-11"))[0].endswith("2026-11")


def test_many_months_are_drawn_by_year(capsys: pytest.CaptureFixture[str]) -> None:
    """A year is complete only if each of its months is; mixed ones are partly."""
    years = "#" * 12 + "-" * 12 + "#" * 11 + "." + "." * 12 + "." * 11 + "x" + "#" * 11 + "~"
    lines = drawn(capsys, status(years, "2019-01"))
    assert lines[0].endswith("   2020")
    assert lines[1].endswith("#-+..~")


def test_instants_are_iso_text_and_missing_numbers_null() -> None:
    """Fields that hold instants, and no other integers."""
    damage = Damage(Instrument.parse("X:BTCUSD"), Base.MINUTE, Span(_JAN_2024, _JAN_2024 + 60_000), "torn")
    shown = json.loads(as_json([damage, {"due": None, "rows": _JAN_2024, "vwap": float("nan")}]))
    assert shown[0]["span"] == {"start": "2024-01-01T00:00:00Z", "end": "2024-01-01T00:01:00Z"}
    assert shown[0]["base"] == "1m"
    assert shown[1] == {"due": None, "rows": _JAN_2024, "vwap": None}


def test_a_table_without_room_cuts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Instants wrap before numbers are touched; where even that does not help, everything folds."""
    draw(table(["from", "to", "bars"], [["2024-01-31 14:30"] * 2 + ["1" * 60]], right="2"))
    assert "1" * 60 in capsys.readouterr().out
    draw(table(["from", "bars", "asks"], [["2024-01-31 14:30", "1" * 60, "2" * 60]], right="12"))
    drawn = capsys.readouterr().out
    assert (drawn.count("2") - 2, drawn.count("1") - 3) == (60, 60)


@pytest.mark.parametrize(
    ("count", "words"), [(0.4, "0 s"), (89, "89 s"), (95, "2 min"), (3600, "60 min"), (9000, "2 h 30 min")]
)
def test_lengths_of_time_are_said_briefly(count: float, words: str) -> None:
    """Seconds, minutes, hours."""
    assert seconds(count) == words


def test_a_line_every_ten_seconds() -> None:
    """Jobs, requests, bars, what is left at the pace so far, and what the run waits for."""
    now = 0.0
    lines: list[str] = []
    job = Job(Instrument.parse("AAPL"), Base.MINUTE, Span(0, 60_000))
    page = PageStored(job, 50_000, 1, 0.0, 0.0, 0.0, 0.0, 0.0, Receipt())
    show = Lines(lines.append, lambda: now)
    ended = JobEnded(job, Outcome.BARS, "", 2, 100_000, 15.0)
    told: list[tuple[float, Event]] = [
        (1.0, RunStarted("run", jobs=2, requests=4)),
        (2.0, JobStarted(job)),
        (9.0, page),
        (10.0, Waiting("the rate is 5/min", 12.0)),
        (15.0, page),
        (21.0, ended),
        (25.0, ended),
        (40.0, ActionsStarted(2)),
    ]
    for at, event in told:
        now = at
        show(event)
    assert lines == [
        "0/2 jobs, 1/4 requests, 50,000 bars, 30 s left (waits 12 s: the rate is 5/min)",
        "1/2 jobs, 2/4 requests, 100,000 bars, 21 s left",
        "2/2 jobs, 2/4 requests, 100,000 bars, splits and dividends are left",
    ]


def test_the_baseline_is_125_jobs() -> None:
    """25 different symbols in 5 timeframes over 365 days; the quick one is 5 in 2."""
    sizes = {
        name: (len(set(one.symbols)), len(set(one.timeframes)), one.start) for name, one in PRESETS.items()
    }
    assert sizes == {"baseline": (25, 5, "365d"), "quick": (5, 2, "30d")}
