"""Pages that say what to type are sessions that run, and show what is seen."""

from importlib.util import find_spec
from pathlib import Path
from shutil import copy

import pytest

from docs.following import follow
from docs.pages import Program, Shown, steps
from docs.prepared import NAME, PREPARED

SESSIONS = ("adjust", "as-of", "duckdb", "gaps", "pandas", "polars", "quality")
# What other libraries say about each other is not ours to fail for.
BACKTESTS = pytest.param("backtesting", marks=pytest.mark.filterwarnings("default"))
BESIDE = {"backtesting": ("backtesting", "vectorbt")}
"""Libraries that a page is about and that gapless has no extra for."""


def test_the_tutorial_runs_as_it_says(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From an empty folder on; the sandbox, which it starts in a second terminal, is there already."""
    session = [
        step
        for step in steps("docs/tutorial.md")
        if not (isinstance(step, Shown) and step.words == ["sandbox"])
    ]
    assert not any(desk.iterdir())
    assert len(session) > 20
    follow(session, capsys)


@pytest.mark.parametrize("name", [*SESSIONS, BACKTESTS])
def test_a_how_to_page_runs_as_it_says(
    name: str, desk: Path, quarter_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over a store that is there already, each block goes on from the one above."""
    if missing := [library for library in BESIDE.get(name, ()) if not find_spec(library)]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    session = [*steps(f"docs/how-to/{name}.md")]
    assert any(isinstance(step, Program) and step.output for step in session)
    if name in PREPARED:
        PREPARED[name](desk / NAME)
    else:
        copy(quarter_store, desk / NAME)
    follow(session, capsys)
