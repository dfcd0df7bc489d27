"""The reference is what the code says."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

import gapless
from docs.pages import DOCS, read
from gapless import errors
from gapless.cli.root import cli
from gapless.settings import SETTINGS, env_name
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import TIMEFRAMES


def test_the_reference_is_up_to_date(tmp_path: Path) -> None:
    """Written anew from the code, every page is the one that is kept; `python docs/generate.py` makes it so."""
    subprocess.run([sys.executable, DOCS / "generate.py", tmp_path], check=True)
    written = {page.name: page.read_text(encoding="utf-8") for page in tmp_path.iterdir()}
    kept = {page.name: page.read_text(encoding="utf-8") for page in (DOCS / "reference").iterdir()}
    assert written == kept


def test_every_setting_has_a_line() -> None:
    """Name and environment variable of each are on the page."""
    page = read("docs/reference/settings.md")
    assert [s.name for s in SETTINGS if f"| `{s.name}` | `{env_name(s.name)}` |" not in page] == []


def test_every_command_has_a_heading_and_all_its_options() -> None:
    """Also the ones that a command shares with others."""
    page = read("docs/reference/commands.md")
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        names = [o for p in command.params if isinstance(p, click.Option) for o in p.opts]
        assert [option for option in names if option not in section] == []


def test_every_error_has_a_line_with_its_exit_code() -> None:
    """All classes of the tree, as the module has them."""
    lines = read("docs/reference/errors.md").splitlines()
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    classes = [kind for kind in kinds if issubclass(kind, errors.GaplessError)]
    assert len(classes) > 15
    for kind in classes:
        assert any(f"`{kind.__name__}` | {kind.exit_code} |" in line for line in lines), kind


@pytest.mark.parametrize("word", [*Outcome, *TIMEFRAMES])
def test_every_outcome_and_timeframe_has_a_line(word: str) -> None:
    """With its meaning beside it."""
    assert f"\n| `{word}` | " in read("docs/reference/words.md")


def test_every_public_name_has_a_line() -> None:
    """What `gapless` promises is on the page, and each method of the warehouse."""
    page = read("docs/reference/python.md")
    assert [name for name in gapless.__all__ if f"`gapless.{name}`" not in page] == []
    methods = [name for name in dir(gapless.Warehouse) if not name.startswith("_")]
    assert [name for name in methods if name != "store" and f"\n### {name}\n" not in page] == []
