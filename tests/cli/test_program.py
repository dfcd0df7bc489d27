"""The program itself: quick help, the same options everywhere, colours only on a terminal, a sandbox that ends."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.program import Ended, Gapless, ended, until
from gapless.cli.demo import look_around
from gapless.cli.errors import run
from gapless.cli.root import COMMANDS, cli

NAMES = [name for group in COMMANDS.values() for name in group]
FETCHING = {"plan", "backfill", "update", "repair", "schedule", "bars", "mcp", "doctor", "config", "serve"}


def command(name: str) -> click.Command:
    """A command, imported as the program would."""
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """`gapless --help` is quick because none of these is loaded."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gapless", "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "click" in loaded
    heavy = "numpy pandas aiohttp sqlalchemy rich msgspec exchange_calendars asyncio platformdirs pcodec"
    heavy += " duckdb pyarrow polars candlestick_chart"
    assert loaded.isdisjoint(heavy.split())
    assert all(re.search(rf"^  {name} ", done.stdout, re.MULTILINE) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_the_common_options(name: str) -> None:
    """Store, JSON, quiet, debug; what fetches also plan, rate, address and limit."""
    options = {option for one in command(name).params for option in one.opts}
    assert {"--store", "--json", "--quiet", "--debug"} <= options
    fetches = {"--plan", "--rate", "--base-url", "--max-requests"} <= options
    assert fetches == (name in FETCHING)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_option_says_what_it_is_for(name: str) -> None:
    """No help page with a hole."""
    found = command(name)
    assert found.help
    assert all(one.help for one in found.params if isinstance(one, click.Option))


def test_the_version_is_told(gapless: Gapless) -> None:
    """In one line."""
    done = gapless.alone("--version")
    assert done.code == 0
    assert re.fullmatch(r"gapless \d+\.\d+\.\d+\n", done.out)


def test_completion_is_offered(gapless: Gapless) -> None:
    """The shell's own completion script names the program."""
    assert "_gapless_completion" in gapless.alone(_GAPLESS_COMPLETE="bash_source").out


@pytest.mark.parametrize(
    "words",
    [
        ("bars", "X:BTCUSD", "-t", "1m"),
        ("bars", "X:BTCUSD", "--limit", "20", "--chart"),
        ("status",),
        ("update", "--quiet", "--report", "report.json"),
        ("--help",),
    ],
)
def test_a_reader_that_goes_away_is_no_error(filled: tuple[Gapless, Ended], words: tuple[str, ...]) -> None:
    """`gapless bars ... | head -1` ends without a word, whatever draws; the report of a run is written."""
    program, _ = filled
    reading, writing = os.pipe()
    os.close(reading)
    done = program.alone(*words, stdout=writing)
    os.close(writing)
    assert (done.code, done.err) == (141, "")
    assert "report.json" not in words or "requests" in (program.folder / "report.json").read_text()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("status",), ("bars", "X:BTCUSD", "-t", "1m"), ("--help",)])
def test_output_that_cannot_be_written_is_told(
    filled: tuple[Gapless, Ended], words: tuple[str, ...], unbuffered: str
) -> None:
    """On a full disk in one sentence with the exit code of a full disk."""
    with Path("/dev/full").open("w") as full:
        done = filled[0].alone(*words, stdout=full.fileno(), PYTHONUNBUFFERED=unbuffered)
    assert done.code == 7
    assert done.error == "error: Standard output could not be written: No space left on device."


def test_closed_output_is_told(filled: tuple[Gapless, Ended]) -> None:
    """Before anything is done; standard error that is closed or full changes no exit code."""
    program, _ = filled
    line = shlex.join([sys.executable, "-m", "gapless", "status"])
    done = subprocess.run(f"{line} >&-", shell=True, cwd=program.folder, capture_output=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"error: Standard output is closed.")
    silent = subprocess.run(f"{line} 2>&-", shell=True, cwd=program.folder, capture_output=True, check=False)
    assert (silent.returncode, b"100.0%" in silent.stdout) == (0, True)
    wrong = subprocess.run(f"{line} -t 7m 2>/dev/full", shell=True, cwd=program.folder, check=False)
    assert wrong.returncode == 2


def test_the_key_is_not_shown(gapless: Gapless) -> None:
    """`config` says only that it is set, and where."""
    done = gapless.alone("config", "--origin", MASSIVE_API_KEY="s3cretKey")
    assert "MASSIVE_API_KEY" in done.out
    assert "s3cretKey" not in done.out + done.err
    assert gapless("config").out.count("set (MASSIVE_API_KEY)") == 1
    assert "massive.key = set  (from MASSIVE_API_KEY)\n    The vendor's API key;" in done.out
    assert max(len(line) for line in done.lines) <= 80


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_gets_colours_unless_it_says_no(filled: tuple[Gapless, Ended], no_color: str) -> None:
    """The matrix is green on a terminal; with NO_COLOR its marks alone tell."""
    program, _ = filled
    done = program.on_terminal("status", NO_COLOR=no_color)
    assert done.code == 0
    assert "100.0%" in done.out
    assert ("\x1b[32m" in done.out) == (not no_color)


def test_a_sandbox_can_be_used_as_it_says(tmp_path: Path) -> None:
    """Its export lines are all that a backfill needs; Ctrl-C ends it quietly."""
    with Gapless(tmp_path).started("sandbox", "--seed", "5", "--for", "60") as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().decode().removeprefix("export ").split() for _ in range(2)]
        exported = dict(pair.split("=", 1) for line in lines for pair in line)
        done = Gapless(tmp_path, exported)("backfill", "SPY", "-t", "1d", "--start", "10d", "--rate", "100/s")
        server.send_signal(signal.SIGINT)
        stopped = ended(server)
    assert done.code == 0, done.err
    assert stopped.code == 0
    assert "Traceback" not in stopped.err


def test_a_demo_keeps_its_folder(tmp_path: Path) -> None:
    """It needs no key, takes a folder that is free, and what it read so far stays when it is stopped."""
    (tmp_path / "gapless-demo").mkdir()
    with Gapless(tmp_path).started("demo") as process:
        journal = tmp_path / "gapless-demo-2" / "market.gapless-wal"
        until(lambda: journal.exists() and journal.stat().st_size > 300_000)  # the first bars are written
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130, done.err
    assert (tmp_path / "gapless-demo-2" / "market.gapless").exists()
    assert list((tmp_path / "gapless-demo").iterdir()) == []
    assert "gapless status --store" in done.err


def test_what_the_demo_says_to_try_is_understood(tmp_path: Path) -> None:
    """Every command in its last words has the name, options and arguments that the program knows."""
    lines = [line.strip() for line in look_around(tmp_path / "market.gapless").splitlines()]
    commands = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("gapless ")]
    assert len(commands) > 5
    for name, *rest in commands:
        command(name).make_context(name, rest, parent=click.Context(cli))


@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_of_ours_is_said_in_one_line(capsys: pytest.CaptureFixture[str], debug: bool) -> None:
    """Exit 1 and what to do; the traceback only with --debug."""

    @click.command()
    @click.option("--debug", is_flag=True, expose_value=False)
    def faulty() -> None:
        raise ZeroDivisionError("by\nnought")

    assert run(faulty, ["--debug"] if debug else []) == 1
    said = capsys.readouterr().err
    assert "error: A fault in gapless: ZeroDivisionError: by nought\nhint: Run the same" in said
    assert ("Traceback" in said) == debug
