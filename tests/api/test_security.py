"""Who gets in, and what nobody can do to the server from outside."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
import pytest

from api.served import TOKEN, Client, serving
from cli.program import until
from engine.living import OwnedClock
from gapless.api import protocol
from gapless.errors import UsageError

DAY_OF_MINUTES = "/v1/bars/X:BTCUSD?timeframe=1m&start=2026-11-09&end=2026-11-19"
BEARER = f"Bearer {TOKEN}"


@pytest.fixture(scope="module")
def elsewhere(stored: str, clock: OwnedClock) -> Iterator[Client]:
    """A server that others than this machine can reach, which needs a token."""
    with serving(stored, clock, env={"GAPLESS_SERVE_TOKEN": TOKEN}, serve_host="0.0.0.0") as found:
        yield found


@pytest.fixture(scope="module")
def writable(stored: str, clock: OwnedClock) -> Iterator[Client]:
    """A server on loopback that may start runs."""
    with serving(
        stored,
        clock,
        env={"GAPLESS_SERVE_TOKEN": TOKEN},
        serve_allow_write="yes",
        serve_allow_host="bars.lan",
    ) as found:
        yield found


def raw(client: Client, data: bytes, *, wait: float = 5.0) -> bytes:
    """What comes back for these bytes until the other side is done or `wait` seconds pass in silence."""
    where = urlsplit(client.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=wait) as connection:
        connection.sendall(data)
        found = b""
        with suppress(TimeoutError, ConnectionResetError):
            while more := connection.recv(65536):
                found += more
        return found


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.", "1.2.3", "ü"])
def test_a_name_of_somebody_else_is_refused(client: Client, host: str) -> None:
    """A page whose name was made to point here cannot read anything."""
    refused = client("/v1/store", host=host.encode("utf-8").decode("latin-1"))
    assert (refused.status, refused.json()["type"]) == (421, "/problems/wrong-host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8720", "127.0.0.1:1", "[::1]:8720", "192.0.2.7"])
def test_its_own_names_are_heard(client: Client, host: str) -> None:
    """Loopback by any of its names and any port; and any IP address, which no page can take for its own name."""
    assert client("/healthz", host=host).status == 200


def test_a_name_can_be_added(writable: Client) -> None:
    """`--allow-host`."""
    assert writable("/healthz", host="bars.lan").status == 200


def test_no_other_site_may_read(client: Client) -> None:
    """No CORS headers, whatever the origin; no preflight."""
    for method in ("GET", "OPTIONS"):
        got = client("/v1/store", method, origin="https://evil.example", access_control_request_method="POST")
        assert not [name for name in got.headers if name.startswith("access-control-")]
    assert got.status == 405


def test_every_answer_has_the_headers_that_browsers_heed(client: Client) -> None:
    """Success, not changed, error and refusal alike."""
    tag = client("/v1/symbols").headers["etag"]
    answers = [
        client("/v1/symbols"),
        client("/v1/symbols", if_none_match=tag),
        client("/nowhere"),
        client("/v1/bars/AAPL?x=1"),
        client("/healthz", host="evil.example"),
        client("/metrics"),
    ]
    assert [got.status for got in answers] == [200, 304, 404, 400, 421, 200]
    for got in answers:
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in got.headers["content-security-policy"]
        assert "server" not in got.headers


def test_on_loopback_reading_is_free_and_writing_is_not(writable: Client) -> None:
    """Each address that starts something wants the token."""
    assert writable("/v1/store").json()["writes"] is True
    for path in ("/v1/backfill", "/v1/update", "/v1/repair", "/v1/stop"):
        for shown in (
            "",
            "Bearer",
            "Bearer x",
            f"Basic {TOKEN}",
            f"Bearer {TOKEN}x",
            f"Bearer {TOKEN[:-1]}",
            "Bearer \xff",
        ):
            assert writable(path, "POST", {}, authorization=shown).status == 401, (path, shown)
    assert writable("/v1/stop", "POST", {}, authorization=BEARER).json() == {"run_id": None}


def test_beyond_loopback_everything_wants_the_token(elsewhere: Client) -> None:
    """But whether it lives."""
    for path in (
        "/v1/store",
        "/v1/bars/AAPL",
        "/v1/events",
        "/v2/aggs/x",
        "/metrics",
        "/openapi.json",
        "/v1/nope",
    ):
        assert elsewhere(path).status == 401, path
    assert elsewhere("/healthz").status == elsewhere("/readyz").status == 200
    assert elsewhere("/v1/store", authorization=BEARER).json()["exists"] is True


def test_without_leave_to_write_there_is_nothing_to_write_to(client: Client, elsewhere: Client) -> None:
    """A token alone does not make it: the addresses are not there."""
    assert client("/v1/backfill", "POST", {}).status == 404
    assert elsewhere("/v1/backfill", "POST", {}, authorization=BEARER).status == 404
    assert "/v1/backfill" not in client.data("/openapi.json")["paths"]


@pytest.mark.parametrize(("host", "writes"), [("0.0.0.0", "no"), ("::", "no"), ("127.0.0.1", "yes")])
def test_it_does_not_start_open(stored: str, clock: OwnedClock, host: str, writes: str) -> None:
    """No token: not beyond loopback, and nothing to be written."""
    started = serving(stored, clock, serve_host=host, serve_allow_write=writes)
    with pytest.raises(UsageError, match="token"), started:
        pass


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{" + b" " * 70_000 + b"}", "application/json", 413),
        (b"symbols=AAPL", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"symbols": "AAPL", "x": 1}', "application/json", 400),
        (b'{"symbols": [1]}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 10_000, "application/json", 400),
    ],
)
def test_a_body_that_is_no_request(writable: Client, body: bytes, kind: str, status: int) -> None:
    """Too large, of another kind, broken, or of words that are not known."""
    headers = {"content_type": kind, "authorization": BEARER}
    refused = writable("/v1/repair", "POST", body, **headers)
    assert refused.status == status, refused.body
    assert refused.headers["content-type"] == "application/problem+json"


def test_what_is_no_http_is_told_so(client: Client) -> None:
    """400 as a problem, and the connection is closed."""
    answer = raw(client, b"\x16\x03\x01 hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_a_request_without_end_is_cut(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers that trickle in, or never end, hold nothing for long."""
    monkeypatch.setattr(protocol, "_TO_ASK", 0.2)
    monkeypatch.setattr(protocol, "_LOOK", 0.1)
    assert raw(client, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").startswith(b"HTTP/1.1 408 ")
    assert raw(client, b"").startswith(b"HTTP/1.1 408 ")
    endless = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * (2 << 20)
    assert b" 200 " not in raw(client, endless)


def test_an_answer_that_nobody_takes_is_cut(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty large answers asked for at once and not read: the server lets go, long before they are all sent."""
    monkeypatch.setattr(protocol, "_TO_TAKE", 0.3)
    monkeypatch.setattr(protocol, "_LOOK", 0.1)
    whole = len(client(DAY_OF_MINUTES).body)
    where = urlsplit(client.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=10) as connection:
        ours = connection.getsockname()[1]
        connection.sendall(f"GET {DAY_OF_MINUTES} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 60)
        until(lambda: ours in _callers())
        until(lambda: ours not in _callers())
        taken = 0
        with suppress(ConnectionResetError):
            while more := connection.recv(1 << 20):
                taken += len(more)
    assert taken < 30 * whole


def _callers() -> list[int]:
    """The ports of those whose connections this process holds the server's end of."""
    return [one.raddr.port for one in psutil.Process().net_connections() if one.raddr]


def test_a_taken_port_is_told(client: Client, stored: str, clock: OwnedClock) -> None:
    """With what to do."""
    port = str(urlsplit(client.url).port)
    with pytest.raises(UsageError, match="in use") as caught, serving(stored, clock, serve_port=port):
        pass
    assert "--port" in caught.value.hint


def test_a_path_is_looked_up_and_never_joined(client: Client) -> None:
    """No file but those of the dashboard."""
    for path in (
        "/../app.py",
        "/..%2fapp.py",
        "/%2e%2e/app.py",
        "/static/../../app.py",
        "//etc/passwd",
        "/C:/x",
    ):
        assert client(path).status == 404, path


def test_the_secret_is_shown_nowhere(writable: Client) -> None:
    """Neither token nor key in any answer."""
    said = b"".join(
        writable(path).body for path in ("/v1/store", "/openapi.json", "/metrics", "/v1/runs", "/nope")
    )
    assert TOKEN.encode() not in said
    assert b"sandbox" not in said
