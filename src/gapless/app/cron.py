"""A task as a line in the user's own table of cron."""

import shlex
import subprocess
import time

from gapless.app.schedules import Task, complaint_of, in_plain_words, last_line, why
from gapless.errors import UsageError
from gapless.vocabulary.daily import Daily

_MINUTES_A_DAY = 24 * 60
_HALF_A_DAY = _MINUTES_A_DAY // 2


class Cron:
    """A line in the user's own table of cron, marked at its end with the task's name."""

    kind = "cron"

    def texts(self, task: Task) -> dict[str, str]:
        """The line. Cron has no time zones: the time is this machine's, and never before the one that is meant."""
        minute = latest_here(task.at)
        given = "".join(f"{name}={shlex.quote(text)} " for name, text in task.env.items())
        command = f"cd {shlex.quote(str(task.folder))} && {given}{shlex.join(task.words)}"
        escaped = command.replace("%", r"\%")  # to cron a `%` ends the line
        return {"crontab": f"{minute % 60} {minute // 60} * * * {escaped} {_mark(task.name)}\n"}

    def installed(self, name: str) -> dict[str, str]:
        """The line that is there."""
        lines = [line for line in _table().splitlines() if line.endswith(_mark(name))]
        return {"crontab": "\n".join(lines) + "\n"} if lines else {}

    def install(self, task: Task) -> None:
        """Put the line in the place of the one that was there; all others stay as they are."""
        _write_table(_others(task.name) + self.texts(task)["crontab"])

    def remove(self, name: str) -> None:
        """Take the line out; all others stay as they are."""
        _write_table(_others(name))


def latest_here(at: Daily) -> int:
    """The minute of this machine's day that is never before `at`, on whatever side of a change of clocks."""
    moment = round(time.time() * 1000)
    minutes = []
    for _ in range(366):
        moment = at.next_after(moment)
        here = time.localtime(moment / 1000)
        minutes.append(here.tm_hour * 60 + here.tm_min)
    later = [(one - minutes[0] + _HALF_A_DAY) % _MINUTES_A_DAY - _HALF_A_DAY for one in minutes]
    return (minutes[0] + max(later)) % _MINUTES_A_DAY


def _others(name: str) -> str:
    lines = _table().splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.rstrip("\n").endswith(_mark(name)))
    return kept if not kept or kept.endswith("\n") else f"{kept}\n"


def _mark(name: str) -> str:
    return f"# {name}"


def _table() -> str:
    """The user's table of cron; empty where there is none yet."""
    try:
        done = subprocess.run(  # the user's own, wherever it is
            ["crontab", "-l"],  # noqa: S607 - as above
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env=in_plain_words(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _no_cron(why(error)) from None
    if done.returncode and "no crontab" not in done.stderr:
        raise _no_cron(last_line(done.stderr))
    return "" if done.returncode else done.stdout


def _write_table(text: str) -> None:
    said = complaint_of(["crontab", "-"], text)
    if said is not None:
        raise _no_cron(said)


def _no_cron(why: str) -> UsageError:
    return UsageError(
        f"The user's crontab cannot be used: {why}.",
        hint="Install cron, or leave out --cron. Without both, `gapless serve --update-at` keeps a store fresh.",
    )
