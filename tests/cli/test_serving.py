"""gapless serve as a person starts and stops it, and what it says when it cannot."""

import json
import signal
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.program import Gapless, ended

if TYPE_CHECKING:
    import subprocess


def first_line(process: "subprocess.Popen[bytes]") -> str:
    """What it printed first, which is its address."""
    assert process.stdout
    return process.stdout.readline().decode().strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """It prints its address, answers before there is a store, and ends well; the talk goes to standard error."""
    with Gapless(tmp_path).started("serve", "--port", "0") as process:
        url = first_line(process)
        with urllib.request.urlopen(f"{url}/v1/store", timeout=20) as answer:
            assert json.load(answer)["exists"] is False
        process.send_signal(number)
        done = ended(process)
    assert (done.code, done.out) == (0, "")
    assert "Ctrl-C stops it" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """Exit code 2, and another port as the way out."""
    with Gapless(tmp_path).started("serve", "--port", "0") as process:
        port = first_line(process).rpartition(":")[2]
        done = Gapless(tmp_path)("serve", "--port", port)
    assert done.code == 2
    assert "in use" in done.error
    assert "--port" in done.hint


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--port", "eighty"), "not a whole number"),
        (("--port", "70000"), "no port 70000"),
        (("--host", "0.0.0.0"), "there is no token"),
        (("--allow-write",), "only by who has a token"),
        (("--token-file", "nowhere"), "cannot be read"),
        (("--host", "192.0.2.1", "--token-file", "token"), "cannot listen"),
        (("--token-file", "short"), "can be guessed"),
        (("--token-file", "open"), "can be read by others"),
    ],
)
def test_what_it_cannot_do_is_told(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Each with what to do; it never starts half open."""
    for name, text, mode in (("token", "x" * 32, 0o600), ("short", "abc", 0o600), ("open", "x" * 32, 0o644)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    done = Gapless(tmp_path)("serve", "--port", "0", *words)
    assert done.code == 2
    assert said in done.error
    assert done.hint


def test_a_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an installation without `[server]` says it."""
    monkeypatch.delitem(sys.modules, "gapless.api.serving", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = Gapless(tmp_path)("serve", "--port", "0")
    assert done.code == 2
    assert 'pip install "gapless[server]"' in done.hint


def test_the_token_is_not_shown(tmp_path: Path) -> None:
    """`config` tells that there is one, and from where; in a TOML file it is refused."""
    token = "0123456789abcdef0123456789abcdef"
    done = Gapless(tmp_path)("config", "--json", GAPLESS_SERVE_TOKEN=token)
    assert done.json()["serve.token"] == {"value": "set", "origin": "GAPLESS_SERVE_TOKEN"}
    assert token not in done.out
    (tmp_path / "gapless.toml").write_text(f'[serve]\ntoken = "{token}"\n')
    refused = Gapless(tmp_path)("config")
    assert refused.code == 2
    assert token not in refused.err
    assert "GAPLESS_SERVE_TOKEN" in refused.hint
