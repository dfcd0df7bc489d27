"""What shall run every day by itself, and what the programs of the system that see to it have in common."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from zlib import crc32

from gapless.errors import UsageError
from gapless.vocabulary.daily import Daily


@dataclass(frozen=True, slots=True)
class Task:
    """One command to be run daily: its name, its words, the folder to run it in, what it finds in its environment."""

    name: str
    words: tuple[str, ...]
    folder: Path
    env: Mapping[str, str]
    at: Daily

    def __post_init__(self) -> None:
        if odd := [text for text in (*self.words, str(self.folder), *self.env.values()) if "\n" in text]:
            raise UsageError(
                f"{odd[0]!r} has a line break in it, which no schedule can hold.",
                hint="Give it another name.",
            )


class Scheduler(Protocol):
    """One that can start a task every day."""

    kind: str

    def texts(self, task: Task) -> dict[str, str]:
        """What would be written for a task, by where."""
        ...

    def installed(self, name: str) -> dict[str, str]:
        """What is written for the task of this name, by where; empty where it is not scheduled."""
        ...

    def install(self, task: Task) -> None:
        """Write it, in the place of what was there.

        Raises:
            UsageError: there is no such program here, or it does not take it; what to do instead.
        """
        ...

    def remove(self, name: str) -> None:
        """Take it away again."""
        ...


def name_of(store: str) -> str:
    """A name for the update of a store, with letters that every system takes."""
    stem = re.sub(r"[^a-z0-9]+", "-", Path(store).stem.lower()).strip("-") or "store"
    return f"gapless-update-{stem[:40]}-{crc32(store.encode()):08x}"


def complaint_of(words: Sequence[str], given: str | None = None) -> str | None:
    """What a program of the system complained of; None where it did what it should."""
    try:
        done = subprocess.run(  # noqa: S603 - systemctl and crontab alone, with words of ours
            words, input=given, capture_output=True, text=True, check=False, timeout=60, env=in_plain_words()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return why(error)
    return last_line(done.stderr) if done.returncode else None


def in_plain_words() -> dict[str, str]:
    """Our environment, for programs whose words are read."""
    return {**os.environ, "LC_ALL": "C"}


def why(error: OSError | subprocess.SubprocessError) -> str:
    """Why a program did not run to its end."""
    return error.strerror or "it does not start" if isinstance(error, OSError) else "it does not answer"


def last_line(text: str) -> str:
    """The last thing that a program said, without its full stop."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it gives no reason"
