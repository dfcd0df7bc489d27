"""The door: every error becomes one line that says what and why, a hint what to do, and an exit code."""

import traceback
from collections.abc import Sequence
from contextlib import suppress

import click

from gapless.cli.output import OutputLost, watched
from gapless.errors import GaplessError, StorageError

FAULT = 1
INTERRUPTED = 130
BROKEN_PIPE = 141
"""A program that ended because nobody reads its output any more, as shells have it."""


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run the program with these arguments; returns its exit code."""
    # Looked for before anything is parsed, so that a fault in the parsing can be seen too.
    debug = "--debug" in arguments
    try:
        with watched():
            outcome = command.main(list(arguments), prog_name="gapless", standalone_mode=False)
    except click.ClickException as error:
        return _misused(error)
    except (click.Abort, KeyboardInterrupt):
        _tell("interrupted")
        return INTERRUPTED
    except OutputLost as lost:
        return _unheard(lost)
    except GaplessError as error:
        if debug:
            traceback.print_exc()
        tell_error(error.message, error.hint)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the door: whatever got here is a fault of ours, and is said
        if debug:
            traceback.print_exc()
        tell_error(
            f"A fault in gapless: {type(error).__name__}: {error}",
            "Run the same command again with --debug and report what it prints.",
        )
        return FAULT
    return outcome if isinstance(outcome, int) else 0


def tell_error(message: str, hint: str = "") -> None:
    """One line for what happened and why, one for what to do."""
    _tell(f"error: {_one_line(message)}")
    if hint:
        _tell(f"hint: {_one_line(hint)}")


def _tell(line: str) -> None:
    with suppress(OSError):  # the exit code says it too
        click.echo(line, err=True)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _unheard(lost: OutputLost) -> int:
    """Whoever stops reading, such as `head`, ends the program without a word; a full disk is told."""
    if isinstance(lost.error, BrokenPipeError):
        return BROKEN_PIPE
    tell_error(
        f"{lost.name} could not be written: {lost.error.strerror or lost.error}.",
        "Send it elsewhere, or free some space where it goes.",
    )
    return StorageError.exit_code


def _misused(error: click.ClickException) -> int:
    """A word that the command line does not know; no word at all gets the help that it would ask for."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "gapless"
    tell_error(error.format_message(), f"See `{path} --help`.")
    return error.exit_code
