"""Standard output and error under watch: that one cannot be written is told from every other failure."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO, cast

from gapless.errors import UsageError


class OutputLost(Exception):
    """What is named cannot be written; no OSError, which click and rich would end the program for themselves."""

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(f"{name}: {error}")
        self.name = name
        self.error = error


@contextmanager
def watched() -> Iterator[None]:
    """Run a block whose output is written to its end.

    Raises:
        OutputLost: it cannot be.
        UsageError: there is no standard output.
    """
    if cast("TextIO | None", sys.stderr) is None:  # closed: nobody wants to hear
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the program
    if cast("TextIO | None", sys.stdout) is None:
        # Its number would be given to the next file that is opened, which might be the store.
        raise UsageError("Standard output is closed.", hint="Send it to /dev/null where it is not wanted.")
    out, err = _Watched(sys.stdout, "Standard output"), _Watched(sys.stderr, "Standard error")
    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", err)):
        yield
        sys.stdout.flush()


class _Watched:
    """A stream that tells its own failures from others."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._lost: OutputLost | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write some text."""
        try:
            return self._stream.write(text)
        except OSError as error:
            raise self._lose(error) from None

    def flush(self) -> None:
        """Write all that is held back."""
        if self._lost:  # click tries streams out, and keeps what that raises to itself
            raise self._lost
        try:
            self._stream.flush()
        except OSError as error:
            raise self._lose(error) from None

    def _lose(self, error: OSError) -> OutputLost:
        # What Python still wants to write at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        self._lost = OutputLost(self._name, error)
        return self._lost
