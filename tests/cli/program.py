"""The real program as a person runs it: in this process, or where that matters in one of its own."""

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gapless.cli.errors import run
from gapless.cli.root import cli


@dataclass(frozen=True)
class Ended:
    """What a run of the program left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The line that says what went wrong."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        return lines[0]

    @property
    def hint(self) -> str:
        """The line that says what to do."""
        return next((line for line in self.err.splitlines() if line.startswith("hint: ")), "")

    @property
    def lines(self) -> list[str]:
        """Standard output as a person sees it: without escape codes and what pads lines."""
        return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", self.out).splitlines()]

    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        """Standard output as data."""
        return json.loads(self.out)


@dataclass
class Gapless:
    """Runs `gapless` in `folder`, with nothing of this machine's own settings."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, **env: str) -> Ended:
        """Run it to its end in this process, through the same door: loading it anew takes a second."""
        out, err = io.StringIO(), io.StringIO()
        with self._surroundings(env), redirect_stdout(out), redirect_stderr(err):
            code = run(cli, words)
        return Ended(code, out.getvalue(), err.getvalue())

    def alone(self, *words: str, stdout: int = subprocess.PIPE, **env: str) -> Ended:
        """Run it to its end in a process of its own; its output is told unless it goes elsewhere."""
        done = subprocess.run(
            self._command(words),
            env=self._env(env),
            cwd=self.folder,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=180,
            check=False,
        )
        return Ended(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())

    def on_terminal(self, *words: str, columns: int = 80, lines: int = 24, **env: str) -> Ended:
        """Run it to its end with its output on a terminal of this size; standard error is no part of that."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        with subprocess.Popen(
            self._command(words),
            env=self._env({"TERM": "xterm-256color"} | env),
            cwd=self.folder,
            stdout=theirs,
            stderr=subprocess.PIPE,
        ) as process:
            os.close(theirs)
            out = _read_to_its_end(ours)
            err = process.communicate(timeout=120)[1]
        return Ended(process.returncode, out.replace("\r\n", "\n"), err.decode())

    @contextmanager
    def started(self, *words: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start it in a process of its own, which does not outlive the block."""
        process = subprocess.Popen(
            self._command(words),
            env=self._env(env),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    @contextmanager
    def _surroundings(self, more: dict[str, str]) -> Iterator[None]:
        before, ours = dict(os.environ), self._env(more)
        with chdir(self.folder):
            try:
                os.environ.clear()
                os.environ.update(ours)
                yield
            finally:
                os.environ.clear()
                os.environ.update(before)

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "gapless", *words]

    def _env(self, more: dict[str, str]) -> dict[str, str]:
        ours = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONWARNINGS": "default"}
        return ours | self.env | more


def _read_to_its_end(terminal: int) -> str:
    """What is written to a terminal until nobody holds its other end."""
    read = b""
    with suppress(OSError):  # Linux tells the end as an error
        while more := os.read(terminal, 65536):
            read += more
    os.close(terminal)
    return read.decode()


def ended(process: subprocess.Popen[bytes], within: float = 120.0) -> Ended:
    """Wait for a started program; it is killed where it takes too long."""
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    return Ended(process.returncode, (out or b"").decode(), err.decode())


def until(condition: Callable[[], object], within: float = 120.0) -> None:
    """Look every 20 ms until something is so."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
