"""Reports: read-only answers about what is stored, what is missing and how a run went. Pure."""

from gapless.reports.closeup import CloseUp, DayMark, Stretch, days_of, proved, stretches_of
from gapless.reports.coverage import Ground, Mark, MonthMark, SeriesStatus, gaps_of, status_of
from gapless.reports.explain import Explanation, explain, made_of
from gapless.reports.progress import Progress
from gapless.reports.recorder import Recorder
from gapless.reports.run import Ending, RunReport, report_of

__all__ = [
    "CloseUp",
    "DayMark",
    "Ending",
    "Explanation",
    "Ground",
    "Mark",
    "MonthMark",
    "Progress",
    "Recorder",
    "RunReport",
    "SeriesStatus",
    "Stretch",
    "days_of",
    "explain",
    "gaps_of",
    "made_of",
    "proved",
    "report_of",
    "status_of",
    "stretches_of",
]
