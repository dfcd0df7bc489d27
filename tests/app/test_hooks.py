"""A run tells how it ended: to a program of the user's and to an address. Neither can fail it."""

import json
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from engine.living import OwnedClock, living, store_url, utc, warehouse
from gapless.app.hooks import run_command
from gapless.errors import NetworkError
from gapless.fetch.client import Timeouts
from gapless.fetch.webhook import post
from gapless.sandbox import Sandbox, SyntheticMarket
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import DAY, Base

KEEP = """
import json, os, sys
names = [name for name in os.environ if "KEY" in name or name.startswith("GAPLESS")]
with open(sys.argv[1], "w") as file:
    json.dump({"report": json.load(sys.stdin), "env": {name: os.environ[name] for name in names}}, file)
print("not for anybody's standard output")
"""
"""A program that keeps what it was told in a file."""


class Hearer:
    """A web server on loopback that keeps what it is sent, and answers with `status`."""

    def __init__(self) -> None:
        self.status, self.seconds = 200, 0.0
        self.heard: list[tuple[dict[str, str], Any]] = []
        hearer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hearer.heard.append((dict(self.headers), json.loads(body)))
                time.sleep(hearer.seconds)
                self.send_response(hearer.status)
                self.send_header("Location", f"{hearer.url}elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def hearer() -> Iterator[Hearer]:
    """One that listens for a test."""
    one = Hearer()
    thread = Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


@pytest.fixture(scope="module")
def vendor() -> Iterator[Sandbox]:
    """A made-up market."""
    with living(SyntheticMarket(seed=4), now=OwnedClock()) as sandbox:
        yield sandbox


def keeping(tmp_path: Path) -> tuple[str, Path]:
    """A command that keeps what it was told, and where; both have a space in their names."""
    program, kept = tmp_path / "keep it.py", tmp_path / "told to.json"
    program.write_text(KEEP)
    return f"'{sys.executable}' '{program}' '{kept}'", kept


def test_a_command_gets_the_report_and_not_the_key(
    vendor: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """On its standard input, as JSON; what it prints does not get among our own data."""
    monkeypatch.setenv("MASSIVE_API_KEY", "sandbox")
    command, kept = keeping(tmp_path)
    store = store_url(tmp_path, "packed")
    with warehouse(vendor.url, store, OwnedClock(), on_run_end=command) as house:
        report = house.backfill(["AAPL"], ["1d"], "20d")
        told = json.loads(kept.read_text())
        assert report.problems == ()
        assert told["report"]["run_id"] == report.run_id
        assert (told["report"]["exit_code"], told["report"]["inserted"]) == (0, report.inserted)
        assert told["env"] == {
            "GAPLESS_STORE": store,
            "GAPLESS_RUN_ID": report.run_id,
            "GAPLESS_RUN_EXIT_CODE": "0",
            "GAPLESS_RUN_GAPS": "0",
        }
        assert capfd.readouterr() == ("", "")
        for again in (house.update, house.repair):
            kept.unlink()
            assert json.loads((again(), kept.read_text())[1])["report"]["exit_code"] == 0


def test_a_run_that_leaves_gaps_or_ends_early_tells_that(vendor: Sandbox, tmp_path: Path) -> None:
    """The exit code that the program will have is there, and why."""
    command, kept = keeping(tmp_path)
    store = store_url(tmp_path, "packed")
    with warehouse(vendor.url, store, OwnedClock(), on_run_end=command) as house:
        day = utc("2026-11-18T05:00")
        vendor.market.hide(Instrument.parse("AAPL"), Base.DAY, Span(day, day + DAY))
        assert house.backfill(["AAPL"], ["1d"], "20d").exit_code == 3
        vendor.market.show()
        told = json.loads(kept.read_text())
        assert (told["env"]["GAPLESS_RUN_EXIT_CODE"], told["env"]["GAPLESS_RUN_GAPS"]) == ("3", "1")
    with warehouse(vendor.url, store, OwnedClock(), key="wrong", on_run_end=command) as house:
        assert house.backfill(["SPY"], ["1d"], "20d").exit_code == 4
        assert json.loads(kept.read_text())["report"]["error"].startswith("The vendor answered 401")


def test_a_run_that_a_command_starts_tells_nobody(
    vendor: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hearer: Hearer
) -> None:
    """A command that updates or repairs would start itself for ever."""
    command, kept = keeping(tmp_path)
    monkeypatch.setenv("GAPLESS_RUN_ID", "20260306-023000-0a1b2c3d")
    with warehouse(
        vendor.url, store_url(tmp_path, "packed"), OwnedClock(), on_run_end=command, webhook=hearer.url
    ) as house:
        assert house.backfill(["AAPL"], ["1d"], "20d").problems == ()
    assert (kept.exists(), hearer.heard) == (False, [])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/nowhere/notify --loud", "on_run_end: `/nowhere/notify` cannot be run: No such file or directory."),
        ("false", "on_run_end: `false` ended with 1"),
        ("sh -c 'echo first; echo the reason >&2; exit 7'", "on_run_end: `sh` ended with 7: the reason"),
        ("sh -c 'kill -9 $$'", "on_run_end: `sh` ended with -9"),
        ("true", None),
    ],
)
def test_a_command_that_fails_is_told_and_fails_nothing(
    vendor: Sandbox, tmp_path: Path, command: str, said: str | None
) -> None:
    """The run is as good as without it."""
    with warehouse(vendor.url, store_url(tmp_path, "packed"), OwnedClock(), on_run_end=command) as house:
        report = house.backfill(["AAPL"], ["1d"], "20d")
        assert (report.exit_code, report.problems) == (0, (said,) if said else ())


def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    """Also where a child of it holds on to everything that it was given."""
    left = tmp_path / "pid"
    said = run_command(["sh", "-c", f"sleep 60 & echo $! > {left}; wait"], b"{}", {}, seconds=1.0)
    assert said == "`sh` took longer than 1 s and was killed."
    status = Path(f"/proc/{left.read_text().strip()}/stat")
    deadline = time.monotonic() + 10
    while status.exists() and status.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_there_is_no_shell(tmp_path: Path) -> None:
    """What a shell would do with a word is not done."""
    assert run_command(["echo", f"> {tmp_path}/made; $(touch {tmp_path}/made)"], b"", {}) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_webhook_gets_the_report_and_not_the_key(vendor: Sandbox, tmp_path: Path, hearer: Hearer) -> None:
    """One POST of JSON, for every run."""
    with warehouse(
        vendor.url, store_url(tmp_path, "packed"), OwnedClock(), webhook=f"{hearer.url}T0/B0"
    ) as house:
        report = house.backfill(["AAPL"], ["1d"], "20d")
        house.update()
    assert report.problems == ()
    (headers, told), _ = hearer.heard
    assert (told["run_id"], told["exit_code"], told["inserted"]) == (report.run_id, 0, report.inserted)
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers
    assert "sandbox" not in json.dumps(hearer.heard)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_fails_is_told_without_its_address(
    vendor: Sandbox, tmp_path: Path, hearer: Hearer, status: int
) -> None:
    """A redirect is not followed; the path of the address is a secret with many services."""
    hearer.status = status
    with warehouse(
        vendor.url, store_url(tmp_path, "packed"), OwnedClock(), webhook=f"{hearer.url}s3cret"
    ) as house:
        report = house.backfill(["AAPL"], ["1d"], "20d")
    assert (report.exit_code, report.problems) == (0, (f"webhook: 127.0.0.1 answered {status}.",))
    assert len(hearer.heard) == 1


async def test_a_webhook_that_is_slow_or_gone_is_given_up(hearer: Hearer) -> None:
    """In a few words, without the address."""
    hearer.seconds = 1.0
    with pytest.raises(NetworkError, match=r"^not a byte for 0\.2 s\.$"):
        await post(f"{hearer.url}s3cret", b"{}", Timeouts(idle=0.2))
    with pytest.raises(NetworkError, match=r"^the connection failed \(.+\)\.$"):
        await post("http://127.0.0.1:1/s3cret", b"{}")
