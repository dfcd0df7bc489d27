"""The tutorial is a session that runs, and shows what is seen."""

import os
from pathlib import Path

import pytest

from docs.pages import shown
from gapless.cli.errors import run
from gapless.cli.root import cli
from gapless.sandbox import SyntheticMarket, serve_in_process


def test_the_tutorial_runs_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command ends well, and each line that is shown is printed; `...` stands for anything."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GAPLESS_")]:
        monkeypatch.delenv(name)
    with serve_in_process(SyntheticMarket()) as sandbox:
        monkeypatch.setenv("GAPLESS_MASSIVE_BASE_URL", sandbox.url)
        monkeypatch.setenv("MASSIVE_API_KEY", "sandbox")
        monkeypatch.setenv("GAPLESS_MASSIVE_PLAN", "advanced")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("COLUMNS", "80")
        commands = [command for command in shown("docs/tutorial.md") if command.words != ["sandbox"]]
        assert len(commands) > 10
        for command in commands:
            code = run(cli, command.words)
            ended = capsys.readouterr()
            printed = [line.strip() for line in (ended.err + ended.out).splitlines()]
            assert code == 0, (command.words, printed)
            missing = [line for line in command.output if not any(_like(line, one) for one in printed)]
            assert missing == [], (command.words, printed)


def _like(line: str, printed: str) -> bool:
    """Whether a printed line is the one shown, which may be left open at its end."""
    return printed.startswith(line.removesuffix("...")) if line.endswith("...") else printed == line
