"""Reports: read-only answers about what is stored, what is missing and how a run went. Pure."""

from gapless.reports.coverage import Ground, Mark, MonthMark, SeriesStatus, gaps_of, status_of
from gapless.reports.explain import Explanation, explain
from gapless.reports.recorder import Recorder
from gapless.reports.run import Ending, RunReport, report_of

__all__ = [
    "Ending",
    "Explanation",
    "Ground",
    "Mark",
    "MonthMark",
    "Recorder",
    "RunReport",
    "SeriesStatus",
    "explain",
    "gaps_of",
    "report_of",
    "status_of",
]
