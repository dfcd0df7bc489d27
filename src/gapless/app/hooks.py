"""When a run has ended: a command and an address of the user's own are told how. Neither can fail the run."""

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence

from gapless.app.looping import run_to_end
from gapless.errors import GaplessError
from gapless.reports import RunReport
from gapless.reports.plain import as_json
from gapless.settings import SECRET_VARIABLES, Settings

COMMAND_SECONDS = 30.0
"""How long a command may take before it is killed, with all that it started."""

_MOST_WORDS = 200
_RUN_ID = "GAPLESS_RUN_ID"


def tell_end(settings: Settings, report: RunReport) -> list[str]:
    """Tell whom the settings name how a run ended; returns what went wrong with that.

    A run that such a command started itself tells nobody: it would start the command for ever.
    """
    if _RUN_ID in os.environ:
        return []
    return list(_complaints(settings, report)) if settings.on_run_end or settings.webhook else []


def _complaints(settings: Settings, report: RunReport) -> Iterator[str]:
    body = as_json(report.as_dict()).encode()
    if settings.on_run_end:
        more = {
            "GAPLESS_STORE": settings.store,
            _RUN_ID: report.run_id,
            "GAPLESS_RUN_EXIT_CODE": str(report.exit_code),
            "GAPLESS_RUN_GAPS": str(report.gaps),
        }
        if complaint := run_command(shlex.split(settings.on_run_end), body, more):
            yield f"on_run_end: {complaint}"
    if settings.webhook:
        # The HTTP library takes a while to load, and few have a webhook.
        from gapless.fetch.webhook import post  # noqa: PLC0415

        try:
            run_to_end(post(settings.webhook, body))
        except GaplessError as error:
            yield f"webhook: {error.message}"


def run_command(
    words: Sequence[str], body: bytes, more: Mapping[str, str], *, seconds: float = COMMAND_SECONDS
) -> str:
    """Run a program with `body` on its standard input, without a shell; what went wrong, `""` where nothing did.

    Its environment is ours and `more`, but for the key. What it prints is only shown where it fails: standard output
    belongs to us.
    """
    env = {name: text for name, text in os.environ.items() if name not in SECRET_VARIABLES} | dict(more)
    try:
        # Files rather than pipes: a program that does not read, or leaves a child behind, keeps nobody waiting.
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
            given.write(body)
            given.seek(0)
            process = subprocess.Popen(  # noqa: S603 - the user's own command, from the user's own settings
                words, stdin=given, stdout=said, stderr=said, env=env, start_new_session=True
            )
            code = _ended(process, seconds)
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        return f"`{words[0]}` cannot be run: {error.strerror}."
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if code is None:
        return f"`{words[0]}` took longer than {seconds:g} s and was killed."
    return f"`{words[0]}` ended with {code}: {last[:_MOST_WORDS]}".rstrip(": ") if code else ""


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The exit code of a program; None where it took too long and was killed with all that it started."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
