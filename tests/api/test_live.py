"""A server beside what writes its store: nothing stale, runs of any process shown, runs of its own started."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.served import TOKEN, Client, serving
from cli.program import until
from engine.living import NOW, OwnedClock, living, stored, utc, warehouse
from gapless.sandbox import Latency, Pinned, Sandbox, SyntheticMarket
from gapless.vocabulary.span import Span
from gapless.vocabulary.timeframe import Base

WEEK = ("2026-11-09", "2026-11-14")
BARS = "/v1/bars/AAPL?timeframe=1m&start=2026-11-09&end=2026-11-14"
COINS = "/v1/bars/X:BTCUSD?timeframe=1m&start=2026-11-09&end=2026-11-14"
BEARER = f"Bearer {TOKEN}"


@pytest.fixture
def slow() -> Iterator[Sandbox]:
    """A vendor that takes a third of a second for an answer."""
    with living(SyntheticMarket(seed=5), now=Pinned(NOW), latency=Latency(0.3)) as sandbox:
        yield sandbox


@pytest.fixture
def going() -> OwnedClock:
    """A clock that goes on as clocks do, which a rate needs."""
    return OwnedClock(speed=1.0, flows=True)


@contextmanager
def listening(client: Client) -> Iterator["Listener"]:
    """Listen to the events of a server until the block ends."""
    where = urlsplit(client.url)
    with closing(HTTPConnection(where.hostname or "", where.port, timeout=20)) as connection:
        connection.request("GET", "/v1/events")
        yield Listener(connection.getresponse())


class Listener:
    """Reads events one by one."""

    def __init__(self, answer: HTTPResponse) -> None:
        self.answer = answer

    def next(self) -> tuple[str, Any]:
        """The next event: its name and its data."""
        name = ""
        while True:
            line = self.answer.readline().decode()
            assert line, "the stream ended"
            line = line.rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                return name, json.loads(line[6:])

    def until_run(self, state: str) -> Iterator[Any]:
        """The runs that are told until one is in this state, that one included."""
        while True:
            name, run = self.next()
            if name == "run":
                yield run
                if run["state"] == state:
                    return


def test_what_another_writes_is_served_at_once(vendor: Sandbox, nowhere: str, clock: OwnedClock) -> None:
    """No store, then one, then more in it; what was not written keeps its ETag."""
    with serving(nowhere, clock) as client:
        assert client("/readyz").status == 503
        assert client.data("/v1/store")["exists"] is False
        assert client(BARS).json()["type"] == "/problems/no-store"
        with warehouse(vendor.url, nowhere, clock) as house:
            house.backfill(["X:BTCUSD"], ["1m"], *WEEK)
            assert client("/readyz").status == 200
            coins = client(COINS)
            assert coins.status == 200
            assert client(BARS).status == 409
            house.backfill(["AAPL"], ["1m"], *WEEK)
            found = client.data(BARS)["columns"]["ts"]
            assert (
                found
                == stored(
                    house, "AAPL", Base.MINUTE, Span(utc("2026-11-09T05:00"), utc("2026-11-14T05:00"))
                ).ts.tolist()
            )
            assert client(COINS, if_none_match=coins.headers["etag"]).status == 304
            assert len(client.data("/v1/symbols")["symbols"]) == 2


def test_a_correction_is_served_at_once(vendor: Sandbox, nowhere: str, clock: OwnedClock) -> None:
    """A revised bar that `repair` or `update` finds changes the answer and its ETag."""
    day = "/v1/bars/AAPL?timeframe=1d&start=2026-11-19&end=2026-11-21"
    with warehouse(vendor.url, nowhere, clock) as house, serving(nowhere, clock) as client:
        house.backfill(["AAPL"], ["1d"], "2026-11-16", "2026-11-24")
        before = client(day)
        bar = before.json()["columns"]
        instrument = house.store.wishes()[0].instrument
        vendor.market.revise(instrument, Base.DAY, bar["ts"][0], volume=bar["volume"][0] + 5)
        house.update()
        after = client(day, if_none_match=before.headers["etag"])
        assert after.status == 200
        assert after.json()["columns"]["volume"][0] == bar["volume"][0] + 5


def test_another_file_in_its_place_is_seen(
    vendor: Sandbox, nowhere: str, clock: OwnedClock, tmp_path: Path
) -> None:
    """A store that is moved away is gone, and the one that comes is served."""
    other = str(tmp_path / "other.gapless")
    with warehouse(vendor.url, nowhere, clock) as house:
        house.backfill(["X:BTCUSD"], ["1d"], *WEEK)
    with warehouse(vendor.url, other, clock) as house:
        house.backfill(["AAPL"], ["1d"], *WEEK)
    with serving(nowhere, clock) as client:
        assert [one["symbol"] for one in client.data("/v1/symbols")["symbols"]] == ["X:BTCUSD"]
        Path(nowhere).unlink()
        assert client("/v1/symbols").status == 503
        Path(other).rename(nowhere)
        assert [one["symbol"] for one in client.data("/v1/symbols")["symbols"]] == ["AAPL"]


def test_a_run_elsewhere_is_watched_to_its_end(slow: Sandbox, nowhere: str, going: OwnedClock) -> None:
    """Its progress, as it notes it, and its report; the server had no part in it."""
    with warehouse(slow.url, nowhere, going, rate="4/s") as house, serving(nowhere, going) as client:
        house.store.remember([])
        with listening(client) as listener:
            run = threading.Thread(
                target=house.backfill, args=(["AAPL", "X:BTCUSD"], ["1m"], "2025-11-09", WEEK[1])
            )
            run.start()
            told = list(listener.until_run("ended"))
            run.join()
    assert {one["run_id"] for one in told} == {told[0]["run_id"]}
    progress = [one["progress"] for one in told if one["progress"]]
    assert progress
    done = [one["requests_done"] for one in progress]
    assert done == sorted(done)
    assert progress[-1]["requests"] >= progress[-1]["requests_done"] > 0
    assert progress[-1]["budget"]["calls"] == 4
    assert progress[-1]["bars"] > 0
    assert told[-1]["report"]["exit_code"] == 0
    assert told[-1]["report"]["requests"] >= done[-1]


def test_a_run_is_started_watched_and_stopped(slow: Sandbox, nowhere: str, going: OwnedClock) -> None:
    """202 with its name; one at a time; a word that is not understood starts nothing; stopping keeps what was read."""
    given = {"GAPLESS_SERVE_TOKEN": TOKEN}
    with serving(nowhere, going, vendor=slow.url, env=given, serve_allow_write="yes", rate="2/s") as client:

        def post(path: str, **body: object) -> Any:  # noqa: ANN401 - an answer
            return client(path, "POST", body, authorization=BEARER)

        wrong = post("/v1/backfill", symbols=["AAPL"], timeframes=["7m"], start="2025-11-09")
        assert (wrong.status, Path(nowhere).exists()) == (400, False)
        asked = {"symbols": ["AAPL", "X:BTCUSD"], "timeframes": ["1m"], "start": "2023-11-09"}
        started = post("/v1/backfill", **asked)
        assert started.status == 202
        run_id = started.json()["run_id"]
        again = post("/v1/update")
        assert (again.status, again.json()["run_id"]) == (409, run_id)
        until(lambda: client.data(started.json()["url"])["progress"])
        assert client.data(started.json()["url"])["state"] == "running"
        assert post("/v1/stop").json() == {"run_id": run_id}
        until(lambda: client.data(started.json()["url"])["state"] == "ended")
        report = client.data(started.json()["url"])["report"]
        assert report["exit_code"] == 130
        assert post("/v1/stop").json() == {"run_id": None}
        metrics = client("/metrics").body.decode()
        assert "gapless_last_run_exit_code 130" in metrics


def test_a_run_that_fell_silent_is_lost(vendor: Sandbox, nowhere: str) -> None:
    """Half a minute after its last note."""
    clock = OwnedClock()
    with warehouse(vendor.url, nowhere, clock) as house, serving(nowhere, clock) as client:
        house.store.begin_run("a", clock.now(), {})
        house.store.note_progress("a", {"at": clock.now() + 5_000})
        clock.at += 34_000
        assert client.data("/v1/runs/a")["state"] == "running"
        clock.at += 60_000
        assert client.data("/v1/runs/a")["state"] == "lost"


def test_streams_end_with_the_server(nowhere: str, clock: OwnedClock) -> None:
    """Nobody who listens keeps it from ending."""
    with ExitStack() as later:
        with serving(nowhere, clock) as client:
            where = urlsplit(client.url)
            connection = later.enter_context(
                closing(HTTPConnection(where.hostname or "", where.port, timeout=20))
            )
            connection.request("GET", "/v1/events")
            answer = connection.getresponse()
            assert answer.readline() == b"retry: 2000\n"
        assert answer.read() == b"\n"
