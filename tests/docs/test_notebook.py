"""The notebook runs from its first cell to its last."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from docs.pages import ROOT

NOTEBOOK = ROOT / "examples" / "first_look.ipynb"
RUN = """
import asyncio, json, sys

async def kernel():
    for cell in json.load(sys.stdin):
        exec(cell, globals())

asyncio.run(kernel())
"""
"""As a kernel runs cells: in one namespace, inside an event loop."""


def test_every_cell_runs_in_order(desk: Path) -> None:
    """In a process of its own, with nothing set up; it leaves nothing behind."""
    cells = ["".join(cell["source"]) for cell in _cells() if cell["cell_type"] == "code"]
    assert len(cells) > 10
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN],
        input=json.dumps(cells),
        cwd=desk,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert not any(desk.iterdir())


def test_it_is_kept_without_what_it_printed() -> None:
    """A notebook with outputs would show the run of one machine, and change with every run."""
    code = [cell for cell in _cells() if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []


def _cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return found
