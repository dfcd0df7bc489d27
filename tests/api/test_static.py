"""The files of the dashboard as the server gives them."""

from pathlib import Path

import gapless.api
from api.served import Client

STATIC = Path(gapless.api.__file__).parent / "static"


def test_every_file_is_served_as_it_is_with_its_kind(client: Client) -> None:
    """Byte by byte; scripts and styles as what they are, since the browser is told to guess nothing."""
    kinds = {
        ".js": "text/javascript",
        ".css": "text/css",
        ".html": "text/html",
        ".svg": "image/svg+xml",
        ".txt": "text/plain",
    }
    files = [file for file in STATIC.rglob("*") if file.is_file()]
    assert len(files) > 20
    for file in files:
        got = client(f"/{file.relative_to(STATIC).as_posix()}")
        assert (got.status, got.body) == (200, file.read_bytes())
        assert got.headers["content-type"].split(";")[0] == kinds[file.suffix]
    assert client("/").body == (STATIC / "index.html").read_bytes()


def test_a_file_that_has_not_changed_is_not_sent_again(client: Client) -> None:
    """`304` without a body, and without a word about its length."""
    first = client("/js/main.js")
    again = client("/js/main.js", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert "content-length" not in again.headers
    assert again.headers["etag"] == first.headers["etag"]
    assert client("/js/main.js", if_none_match='"something else"').status == 200


def test_nothing_but_these_files_is_served(client: Client) -> None:
    """Paths are looked up, never joined."""
    for path in ("/../app.py", "/js/../../app.py", "/js/%2e%2e/%2e%2e/app.py", "/js", "/static/index.html"):
        assert client(path).status == 404


def test_the_policy_leaves_no_room_for_others(client: Client) -> None:
    """Scripts, styles and requests from here alone; nothing inline; nobody frames it."""
    policy = client("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
