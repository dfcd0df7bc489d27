"""Progress by hand: what is told of a run, second by second."""

from gapless.reports import Progress
from gapless.vocabulary.events import JobEnded, JobStarted, PageStored, Retrying, RunStarted, Waiting
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Job, Outcome, Receipt
from gapless.vocabulary.timeframe import Base

JOB = Job(Instrument.parse("AAPL"), Base.MINUTE, Span(0, 60_000))


class Seconds:
    """A clock that is put forward by hand."""

    at = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.at


def page(rows: int) -> PageStored:
    """A page of so many bars."""
    return PageStored(JOB, rows, 10 * rows, 0.0, 0.1, 0.1, 0.0, 0.1, Receipt(rows))


def test_a_run_by_hand() -> None:
    """Three pages in eight seconds, then a wait; what is older than ten seconds is no speed any more."""
    clock = Seconds()
    progress = Progress(clock, calls=5, per=60)
    progress(RunStarted("a", 2, 6))
    progress(JobStarted(JOB))
    empty = progress.as_dict(7)
    assert (empty["at"], empty["seconds_left"], empty["waiting"]) == (7, None, None)
    assert (empty["jobs"], empty["requests"], empty["last"]) == (2, 6, "AAPL 1m")
    for _ in range(3):
        clock.at += 2.0
        progress(page(1000))
    clock.at += 2.0
    found = progress.as_dict(8)
    assert (found["requests_done"], found["bars"]) == (3, 3000)
    assert (found["requests_per_second"], found["bars_per_second"]) == (3 / 8, 3000 / 8)
    assert found["budget"] == {"calls": 5, "seconds": 60, "used": 3}
    assert found["seconds_left"] == 8.0  # three of six requests took eight seconds
    progress(Waiting("the rate allows 5 a minute", 30.0))
    clock.at += 20.0
    later = progress.as_dict(9)
    assert later["waiting"] == {"why": "the rate allows 5 a minute", "seconds": 10.0}
    assert (later["bars_per_second"], later["budget"]["used"]) == (0.0, 3)
    clock.at += 50.0
    assert (progress.as_dict(9)["waiting"], progress.as_dict(9)["budget"]["used"]) == (None, 0)


def test_what_went_wrong_is_counted_by_kind() -> None:
    """Attempts that failed, and how jobs ended; without a rate there is no budget."""
    progress = Progress(Seconds())
    for kind in ("RateLimited", "NetworkError", "RateLimited"):
        progress(Retrying("AAPL 1m", kind, "not now", 1.5, 1))
    progress(JobEnded(JOB, Outcome.BARS, "", 1, 10, 0.1))
    progress(JobEnded(JOB, Outcome.FAILED, "no", 1, 0, 0.1))
    found = progress.as_dict(1)
    assert found["errors"] == {"RateLimited": 2, "NetworkError": 1}
    assert found["outcomes"] == {"bars": 1, "failed": 1}
    assert (found["budget"], found["jobs_done"]) == (None, 2)
    assert found["waiting"] == {"why": "not now", "seconds": 1.5}


def test_more_requests_than_planned_are_no_less_than_done() -> None:
    """The estimate grows with what was needed."""
    progress = Progress(Seconds())
    progress(RunStarted("a", 1, 1))
    progress(page(1))
    progress(page(1))
    assert (progress.as_dict(1)["requests"], progress.as_dict(1)["requests_done"]) == (2, 2)
