"""A run as a person sees it: the plan before, progress meanwhile, the matrix and the report after."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gapless.cli.errors import tell_error
from gapless.cli.interrupt import TwoStepStop
from gapless.cli.matrix import draw_matrix
from gapless.cli.progress import progress
from gapless.cli.render import draw, minute, seconds, show_json, table
from gapless.errors import Stopped, StorageError
from gapless.reports.plain import as_json

if TYPE_CHECKING:
    from gapless.app import Warehouse
    from gapless.cli.session import Session
    from gapless.plan import Plan
    from gapless.reports import RunReport, SeriesStatus
    from gapless.vocabulary.events import Event, Tell


def carry_out(
    session: "Session", warehouse: "Warehouse", work: Callable[["Tell"], "RunReport"]
) -> tuple["RunReport", int]:
    """Run `work` with progress and the two-step Ctrl-C; returns its report and the exit code."""
    with TwoStepStop(warehouse.stop) as stopping, progress(quiet=session.quiet) as show:

        def tell(event: "Event") -> None:
            if stopping.received:  # it came before there was a run to stop
                warehouse.stop()
            if show:
                show(event)

        report = work(tell)
    stopped = report.exit_code == Stopped.exit_code
    return report, stopping.exit_code if stopped and stopping.received else report.exit_code


def show_plan(session: "Session", plan: "Plan") -> None:
    """The plan in a line, and what to know before it is carried out."""
    for note in plan.notes:
        session.say(f"note: {note}")
    session.say(f"plan: {plan_words(plan)}")


def plan_words(plan: "Plan") -> str:
    """The plan in a line."""
    if not (plan.jobs or plan.stocks):
        return f"nothing to ask for; series: {len(plan.series)}"
    least = f", at least {seconds(plan.seconds)} at the allowed rate" if plan.seconds >= 1 else ""
    actions = f", and {plan.action_requests} for splits and dividends" if plan.action_requests else ""
    size = f"about {plan.bars:,} base bars, {plan.stored_bytes / 1e6:,.1f} MB"
    return f"series: {len(plan.series)}, requests: {plan.requests}{actions}, {size}{least}"


def show_report(session: "Session", report: "RunReport", statuses: "list[SeriesStatus]") -> None:
    """The matrix and the report, or what kept the run from starting."""
    if session.as_json:
        show_json(report.as_dict())
    elif report.requests or not report.error_exit:
        draw_matrix(statuses)
        draw("", table(("report", ""), report.rows()))
    if report.error_exit == Stopped.exit_code:
        session.say("Stopped. What was read is kept; the next backfill goes on from there.")
    elif report.error:
        tell_error(report.error, report.error_hint)
    elif report.gaps:
        again = f"; the next try is due at {minute(report.next_try)} UTC" if report.next_try else ""
        session.say(
            f"Gaps that remain: {report.gaps}{again}. `gapless gaps` lists them, each with its reason."
        )


def write_report(report: "RunReport", path: Path) -> None:
    """Write the report to a file as JSON.

    Raises:
        StorageError: the file cannot be written; the run itself is done and kept.
    """
    try:
        path.write_text(as_json(report.as_dict()) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The run is done and kept, but its report could not be written to {path}: {error.strerror}.",
            hint="Run the same command again with another --report: it asks for nothing twice.",
        ) from None
