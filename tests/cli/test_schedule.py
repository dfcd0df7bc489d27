"""schedule: real files in a folder of the test's own; systemctl and crontab are programs that note what they hear."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import BACKFILL, asking
from cli.program import Gapless
from gapless.sandbox import Served

SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$NOTES/systemctl"
[ -z "$NO_BUS" ] || { echo "Failed to connect to bus: No medium found" >&2; exit 1; }
"""
CRONTAB = """#!/bin/sh
if [ "$1" = -l ]; then
    [ -f "$NOTES/table" ] || { echo "no crontab for me" >&2; exit 1; }
    cat "$NOTES/table"
else
    cat > "$NOTES/table"
fi
"""


@pytest.fixture(scope="module")
def filled_store(tmp_path_factory: pytest.TempPathFactory, vendor: Served) -> Path:
    """A store to copy."""
    program = asking(tmp_path_factory.mktemp("filled"), vendor)
    assert program(*BACKFILL).code == 0
    return program.folder / "market.gapless"


@pytest.fixture
def scheduling(tmp_path: Path, vendor: Served, filled_store: Path) -> Gapless:
    """The program in a folder with a store and a key file, where systemctl and crontab are ours."""
    folder = tmp_path / 'my "100%" $market'
    (folder / "bin").mkdir(parents=True)
    for name, text in (("systemctl", SYSTEMCTL), ("crontab", CRONTAB)):
        program = folder / "bin" / name
        program.write_text(text)
        program.chmod(0o755)
    shutil.copy(filled_store, folder)
    key = folder / "key"
    key.write_text("sandbox")
    key.chmod(0o600)
    gapless = asking(folder, vendor)
    del gapless.env["MASSIVE_API_KEY"]
    gapless.env |= {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "NOTES": str(tmp_path),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "GAPLESS_MASSIVE_KEY_FILE": "key",
    }
    return gapless


def units(tmp_path: Path) -> list[Path]:
    """What is in the folder of the user's units."""
    return sorted((tmp_path / "config" / "systemd" / "user").glob("*"))


def heard(tmp_path: Path) -> list[str]:
    """What systemctl was told."""
    return (tmp_path / "systemctl").read_text().splitlines()


def test_a_timer_and_a_service_are_written_and_started(scheduling: Gapless, tmp_path: Path) -> None:
    """With whole paths and the settings of this shell, without the key; once more changes nothing."""
    done = scheduling("schedule", "install", MASSIVE_API_KEY="s3cret-key")
    service, timer = units(tmp_path)
    assert (done.code, done.out) == (0, "")
    assert "Every day at 21:30 America/New_York" in done.err
    assert timer.name == f"{service.stem}.timer"
    assert heard(tmp_path)[1:] == ["--user daemon-reload", f"--user enable --now {timer.name}"]
    assert "\nOnCalendar=*-*-* 21:30:00 America/New_York\nPersistent=true\n" in timer.read_text()
    text = service.read_text()
    assert f'ExecStart="{sys.executable}" "-m" "gapless" "update" "--quiet" "--store" "/' in text
    assert '\nEnvironment="GAPLESS_MASSIVE_KEY_FILE=key"\n' in text
    assert '\nEnvironment="GAPLESS_MASSIVE_PLAN=advanced"\n' in text
    assert "s3cret" not in text + done.err
    assert scheduling("schedule", "install").code == 0
    assert [one.read_text() for one in units(tmp_path)] == [text, timer.read_text()]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
def test_systemd_understands_what_is_written(scheduling: Gapless, tmp_path: Path) -> None:
    """Also a store whose path has spaces, quotes, `%` and `$` in it."""
    assert scheduling("schedule", "install", "--at", "06:00 Europe/Berlin").code == 0
    (tmp_path / "run").mkdir()
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--user", *units(tmp_path)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path / "run")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    moment = units(tmp_path)[1].read_text().split("OnCalendar=")[1].splitlines()[0]
    assert subprocess.run(["systemd-analyze", "calendar", moment], check=True, capture_output=True).stdout


def test_another_time_replaces_the_first(scheduling: Gapless, tmp_path: Path) -> None:
    """As does cron instead of systemd, and the other way round: a store is never updated by both."""
    scheduling("schedule", "install")
    scheduling("schedule", "install", "--at", "02:30Z")
    assert "OnCalendar=*-*-* 02:30:00 UTC" in units(tmp_path)[1].read_text()
    assert scheduling("schedule", "install", "--cron").code == 0
    assert units(tmp_path) == []
    assert len((tmp_path / "table").read_text().splitlines()) == 1
    assert scheduling("schedule", "install").code == 0
    assert (len(units(tmp_path)), (tmp_path / "table").read_text()) == (2, "")


def test_two_stores_have_schedules_of_their_own(scheduling: Gapless, tmp_path: Path) -> None:
    """Removing one leaves the other."""
    shutil.copy(scheduling.folder / "market.gapless", scheduling.folder / "other.gapless")
    scheduling("schedule", "install")
    scheduling("schedule", "install", "--store", "other.gapless")
    assert len(units(tmp_path)) == 4
    removed = scheduling("schedule", "remove", "--store", "other.gapless")
    assert (removed.code, removed.err) == (0, "Removed.\n")
    assert [one.name.startswith("gapless-update-market-") for one in units(tmp_path)] == [True, True]
    assert "Nothing was installed" in scheduling("schedule", "remove", "--store", "other.gapless").err


def test_a_line_of_cron_goes_beside_those_that_are_there(scheduling: Gapless, tmp_path: Path) -> None:
    """Byte by byte the others stay; the shell runs what cron would hand it."""
    others = "# mine\nMAILTO=me\n5 4 * * * echo '50\\%' # gapless-update-other\n"
    (tmp_path / "table").write_text(others)
    for _ in range(2):
        done = scheduling.alone("schedule", "install", "--cron", TZ="America/New_York")
        assert (done.code, done.out) == (0, "")
    table = (tmp_path / "table").read_text()
    assert table.startswith(others)
    (line,) = table.removeprefix(others).splitlines()
    assert line.startswith("30 21 * * * cd ")
    command = line.split(" ", 5)[5].replace("\\%", "%")
    ran = subprocess.run(
        ["/bin/sh", "-c", command], env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert scheduling("schedule", "remove").code == 0
    assert (tmp_path / "table").read_text() == others


@pytest.mark.parametrize(
    ("zone", "minute"), [("UTC", "30 2"), ("America/New_York", "30 21"), ("Europe/Berlin", "30 3")]
)
def test_cron_is_never_too_early(scheduling: Gapless, zone: str, minute: str) -> None:
    """It knows this machine's zone alone: of the times that half past nine in New York is here, the last."""
    shown = scheduling.alone("schedule", "install", "--cron", "--dry-run", TZ=zone)
    assert shown.out.splitlines()[1].startswith(f"{minute} * * * ")


def test_a_dry_run_and_show_write_nothing(scheduling: Gapless, tmp_path: Path) -> None:
    """They print what would be written, and where; once it is installed `show` prints what is."""
    for words in (("install", "--dry-run"), ("show",)):
        shown = scheduling("schedule", *words)
        assert shown.code == 0
        assert "OnCalendar=*-*-* 21:30:00 America/New_York" in shown.out
        assert f"# {tmp_path}/config/systemd/user/gapless-update-market-" in shown.out
        assert (units(tmp_path), (tmp_path / "systemctl").exists()) == ([], False)
    scheduling("schedule", "install", "--at", "01:00Z")
    told = scheduling("schedule", "show", "--json").json()
    assert told["installed"]
    assert told["files"] == {str(one): one.read_text() for one in units(tmp_path)}
    assert scheduling("schedule", "remove", "--dry-run").code == 0
    assert len(units(tmp_path)) == 2


def test_a_key_that_only_this_shell_has_is_refused(scheduling: Gapless, tmp_path: Path) -> None:
    """It would fail every night. What to do is said, and the key is not."""
    del scheduling.env["GAPLESS_MASSIVE_KEY_FILE"]
    refused = scheduling("schedule", "install", MASSIVE_API_KEY="s3cret-key")
    assert refused.code == 4
    assert "would find no key" in refused.error
    assert "massive.key_file" in refused.hint
    assert "s3cret" not in refused.err
    assert units(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (("install", "--at", "25:00"), {}, "`25:00` is not a time of day"),
        (("install", "--at", "21:30 Mars/Phobos"), {}, "`Mars/Phobos` is not a time zone"),
        (("install", "--store", "none.gapless"), {}, "There is no store at `none.gapless`"),
        (("install",), {"NO_BUS": "1"}, "systemd cannot be used: Failed to connect to bus: No medium found."),
        (("install",), {"PATH": "/nowhere"}, "systemd cannot be used: No such file or directory."),
        (("install", "--cron"), {"PATH": "/nowhere"}, "crontab cannot be used: No such file or directory."),
        (("instal",), {}, "'instal' is not one of"),
        ((), {}, "Missing argument"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    scheduling: Gapless, tmp_path: Path, words: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    """One line, exit code 2, and nothing written."""
    refused = scheduling("schedule", *words, **env)
    assert refused.code == 2
    assert said in refused.error
    assert refused.hint
    assert units(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(scheduling: Gapless, tmp_path: Path) -> None:
    """With its name."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config").chmod(stat.S_IRUSR | stat.S_IXUSR)
    refused = scheduling("schedule", "install")
    assert (refused.code, "cannot be written" in refused.error) == (2, True)


def test_a_file_where_the_folder_should_be_is_told(scheduling: Gapless, tmp_path: Path) -> None:
    """Whoever runs it."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "systemd").write_text("")
    refused = scheduling("schedule", "install")
    assert (refused.code, "systemd/user cannot be written" in refused.error) == (2, True)
