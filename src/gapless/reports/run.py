"""How a run went: what was asked, what it cost, what held it up, and what remains. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from gapless.errors import RunOver
from gapless.plan import Plan
from gapless.reports.coverage import SeriesStatus
from gapless.reports.recorder import Recorder
from gapless.reports.shares import shares
from gapless.vocabulary.steps import Gap, Outcome

_ORIGINAL_SECONDS = 120
_ORIGINAL_STORE = 0.40
_ORIGINAL_ROWS = 3000
_ORIGINAL_JOBS = 0.95
_TOO_FEW = 10_000
"""Bars below which a speed says nothing: a daily update of a few symbols is not slow, only short."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """Figures of one run. A job here is what a person asks for: one symbol in one timeframe.

    Seconds, bytes and counts of base bars. `requests` are those for bars, `ideal_requests` the least that the
    vendor's page size allows; `action_requests` are those for splits and dividends.
    `limited_by` are shares of the duration. `bytes_per_bar` is what the run added to the store for each bar.
    """

    run_id: str
    jobs: int
    completed: int
    failed: int
    refused: int
    bars: int
    inserted: int
    corrected: int
    withdrawn: int
    requests: int
    action_requests: int
    estimated_requests: int
    ideal_requests: int
    seconds: float
    estimated_seconds: float
    limited_by: Mapping[str, float]
    store_seconds: float
    rows_per_second: float
    wire_bytes: int
    bytes_per_bar: float | None
    slowest: str
    retries: Mapping[str, int]
    problems: tuple[str, ...]
    gaps: int
    next_try: int | None
    error: str = ""
    error_hint: str = ""
    error_exit: int = 0

    @property
    def success(self) -> float:
        """The share of jobs that are complete."""
        return self.completed / self.jobs if self.jobs else 1.0

    @property
    def exit_code(self) -> int:
        """0 whole, 3 gaps remain, 4 where all that is missing is refused by the plan, else the error's own."""
        if self.error_exit:
            return self.error_exit
        if self.completed == self.jobs:
            return 0
        return 4 if self.refused == self.jobs - self.completed else 3

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return asdict(self) | {
            "success": self.success,
            "exit_code": self.exit_code,
            "targets": {name: {"target": t, "here": h, "met": ok} for name, t, h, ok in self._targets()},
        }

    def rows(self) -> list[tuple[str, str]]:
        """The report as a table of names and figures."""
        per_bar = f"{self.bytes_per_bar:.2f}" if self.bytes_per_bar is not None else "-"
        rows = [
            (
                "jobs",
                f"{self.completed} of {self.jobs} complete, {self.failed} failed, {self.refused} refused",
            ),
            ("success", f"{self.success:.1%}"),
            ("bars", f"{self.bars:,} read; {self.inserted:,} new, {self.corrected:,} corrected"),
            (
                "requests",
                f"{self.requests} ({self.estimated_requests} estimated, {self.ideal_requests} ideal)"
                + (f" + {self.action_requests} for splits and dividends" if self.action_requests else ""),
            ),
            ("duration", f"{self.seconds:.1f} s ({self.estimated_seconds:.1f} s estimated)"),
            (
                "limited by",
                ", ".join(f"{k} {v:.0%}" for k, v in self.limited_by.items() if v >= _VISIBLE) or "-",
            ),
            ("bars a second", f"{self.rows_per_second:,.0f}"),
            ("bytes a bar", per_bar),
            ("slowest job", self.slowest or "-"),
            ("retries", ", ".join(f"{v} {k}" for k, v in self.retries.items()) or "none"),
        ]
        rows += [
            (f"target {name}", f"{here} {'met' if ok else 'missed'}") for name, _, here, ok in self._targets()
        ]
        return rows + [("problem", problem) for problem in self.problems]

    def _targets(self) -> list[tuple[str, str, str, bool]]:
        """The four targets of the system that this one replaces, with this run's figures beside them."""
        store = self.store_seconds / self.seconds if self.seconds else 0.0
        return [
            ("< 120 s", f"{_ORIGINAL_SECONDS} s", f"{self.seconds:.1f} s", self.seconds < _ORIGINAL_SECONDS),
            ("store < 40 %", f"{_ORIGINAL_STORE:.0%}", f"{store:.1%}", store < _ORIGINAL_STORE),
            (
                "3,000 bars/s",
                f"{_ORIGINAL_ROWS:,}",
                f"{self.rows_per_second:,.0f}" + (" (too few to judge)" if self.bars < _TOO_FEW else ""),
                self.rows_per_second >= _ORIGINAL_ROWS or self.bars < _TOO_FEW,
            ),
            ("95 % of jobs", f"{_ORIGINAL_JOBS:.0%}", f"{self.success:.1%}", self.success >= _ORIGINAL_JOBS),
        ]


_VISIBLE = 0.005


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run came to its end, besides what was heard while it went on; `spent` are requests of every kind."""

    run_id: str
    page_bars: int
    statuses: Sequence[SeriesStatus]
    gaps: Sequence[Gap]
    problems: Sequence[str] = ()
    error: RunOver | None = None
    spent: int = 0


def report_of(plan: Plan, heard: Recorder, ending: Ending) -> RunReport:
    """Put together what was planned, what was heard, and what is in the store now."""
    finished = heard.finished if heard.finished is not None else heard.started
    seconds = finished - heard.started
    rows: Counter[tuple[str, str]] = Counter()
    for job in heard.ended:
        rows[job.job.instrument.ticker, job.job.base] += job.rows
    slowest = max(heard.ended, key=lambda ended: ended.seconds, default=None)
    bars = sum(rows.values())
    requests = sum(job.requests for job in heard.ended)
    added = heard.receipt.inserted + heard.receipt.corrected
    incomplete = [status for status in ending.statuses if not status.complete]
    refused_series = _only_refused(ending.gaps)
    refused = sum((status.symbol, status.base) in refused_series for status in incomplete)
    dues = [gap.due for gap in ending.gaps if gap.due is not None]
    return RunReport(
        run_id=ending.run_id,
        jobs=len(ending.statuses),
        completed=len(ending.statuses) - len(incomplete),
        failed=len(incomplete) - refused,
        refused=refused,
        bars=bars,
        inserted=heard.receipt.inserted,
        corrected=heard.receipt.corrected,
        withdrawn=heard.receipt.withdrawn,
        requests=requests,
        action_requests=ending.spent - requests,
        estimated_requests=plan.requests,
        ideal_requests=sum(max(1, ceil(count / ending.page_bars)) for count in rows.values()),
        seconds=seconds,
        estimated_seconds=plan.seconds,
        limited_by=shares(heard.stretches, heard.started, finished),
        store_seconds=heard.committed,
        rows_per_second=bars / seconds if seconds else 0.0,
        wire_bytes=heard.wire_bytes,
        bytes_per_bar=heard.receipt.stored_bytes / added if added else None,
        slowest=f"{slowest.job.instrument} {slowest.job.base}, {slowest.seconds:.1f} s" if slowest else "",
        retries=dict(heard.retries.most_common()),
        problems=(*ending.problems, *_problems(heard)),
        gaps=len(ending.gaps),
        next_try=min(dues, default=None),
        error=ending.error.message if ending.error else "",
        error_hint=ending.error.hint if ending.error else "",
        error_exit=ending.error.exit_code if ending.error else 0,
    )


def _only_refused(gaps: Sequence[Gap]) -> set[tuple[str, str]]:
    """The series in which nothing is missing but what the plan refuses."""
    reasons: dict[tuple[str, str], set[str]] = {}
    for gap in gaps:
        reasons.setdefault((gap.symbol, gap.base), set()).add(gap.outcome)
    return {series for series, outcomes in reasons.items() if outcomes == {Outcome.REFUSED.value}}


def _problems(heard: Recorder) -> list[str]:
    return [
        f"{ended.job.instrument} {ended.job.base}: {ended.reason}" for ended in heard.ended if ended.reason
    ]
