"""Does what a page says, as its reader would, and holds what is printed against what the page shows."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from docs.pages import Program, Shown
from gapless.cli.errors import run
from gapless.cli.root import cli


def follow(steps: Iterable[Shown | Program], capsys: pytest.CaptureFixture[str]) -> None:
    """Each step ends well, and each line that is shown is printed; `...` stands for anything.

    The programs of a page go on with the names of the ones before.
    """
    names: dict[str, Any] = {}
    for step in steps:
        code = _do(step, names)
        ended = capsys.readouterr()
        printed = [line.strip() for line in (ended.err + ended.out).splitlines()]
        assert code == 0, (step, printed)
        assert [*_missing(step.output, printed)] == [], (step, printed)


def _do(step: Shown | Program, names: dict[str, Any]) -> int:
    if isinstance(step, Shown):
        return run(cli, step.words)
    exec(step.source, names)
    return 0


def _missing(shown: Iterable[str], printed: list[str]) -> Iterator[str]:
    return (line for line in shown if line and not any(_like(line, one) for one in printed))


def _like(line: str, printed: str) -> bool:
    """Whether a printed line is the one shown, which may be left open at its end."""
    return printed.startswith(line.removesuffix("...")) if line.endswith("...") else printed == line
