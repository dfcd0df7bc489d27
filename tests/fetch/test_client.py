"""One attempt: what comes back, what each failure becomes, and where the key may go."""

import asyncio
import gzip
import hashlib
import logging
import socket
import struct
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from fetch.scripted_vendor import KEY, Act, Asker, Vendor, answer
from gapless.errors import (
    BadAnswer,
    GaplessError,
    KeyRefused,
    NetworkError,
    RateLimited,
    Refused,
    Rejected,
    ServerError,
    UsageError,
)
from gapless.fetch.client import Timeouts
from gapless.fetch.limiter import Rate
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import Request

BODY = b'{"status":"OK","results":[1,2,3]}' * 50


# -- success -----------------------------------------------------------------


async def test_a_gzip_answer_becomes_a_page_with_its_digest(asker: Asker) -> None:
    """The page holds the decompressed body, the SHA-256 of what came, the first request id and the wire bytes."""
    wire = gzip.compress(BODY)

    page = await asker.ask(answer(200, wire, Content_Encoding="gzip", X_Request_Id="abc1, abc1"))

    assert page.body == BODY
    assert page.digest == hashlib.sha256(wire).hexdigest()
    assert page.request_id == "abc1"
    assert page.wire_bytes == len(wire)


async def test_a_plain_answer_is_read_as_it_is(asker: Asker) -> None:
    """A server that does not compress is understood."""
    assert (await asker.ask(answer(200, BODY))).body == BODY


async def test_an_answer_in_two_gzip_members_is_read_whole(asker: Asker) -> None:
    """Equally long members, of which a careless reader would keep the first."""
    wire = gzip.compress(b"a" * 100) + gzip.compress(b"b" * 100)

    page = await asker.ask(answer(200, wire, Content_Encoding="gzip"))

    assert page.body == b"a" * 100 + b"b" * 100


async def test_an_empty_gzip_body_is_empty(asker: Asker) -> None:
    """A member of length zero is a member."""
    assert (await asker.ask(answer(200, gzip.compress(b""), Content_Encoding="gzip"))).body == b""


async def test_requests_share_one_connection(asker: Asker, vendor: Vendor) -> None:
    """Five requests one after another need one connection, errors included."""
    vendor.script += [answer(), answer(503, b"<html>busy</html>"), answer(), answer(404), answer()]
    client = await asker.open()

    for _ in range(5):
        try:
            await client.fetch(Request(vendor.url + "/x", AssetClass.STOCKS))
        except GaplessError:
            continue

    assert (len(vendor.requests), vendor.connections) == (5, 1)


async def test_the_request_carries_the_key_in_one_header_only(asker: Asker, vendor: Vendor) -> None:
    """Bearer in `Authorization`, never in the address; gzip is asked for; the program says its name."""
    await asker.ask(answer())

    first, *headers = vendor.requests[0].split("\r\n")
    assert first == "GET /v2/x?limit=1 HTTP/1.1"
    assert [h for h in headers if KEY in h] == [f"Authorization: Bearer {KEY}"]
    assert "Accept-Encoding: gzip" in headers
    assert any(h.startswith("User-Agent: gapless/") for h in headers)


# -- statuses ----------------------------------------------------------------

JSON_ERROR = b'{"status":"ERROR","request_id":"r1","error":"Ticker was incorrectly formatted"}'
JSON_MESSAGE = b'{"status":"NOT_AUTHORIZED","request_id":"r1","message":"Your plan doesn\'t include this."}'
HTML = b"<html><head><title>504 Gateway\n Time-out</title></head><body>nginx</body></html>"


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, JSON_ERROR, Rejected, "The vendor answered 400: Ticker was incorrectly formatted"),
        (404, b"404 page not found", Rejected, "The vendor answered 404: 404 page not found"),
        (413, b"", Rejected, "The vendor answered 413."),
        (401, b'{"error":"Unknown API Key"}', KeyRefused, "The vendor answered 401: Unknown API Key"),
        (403, JSON_MESSAGE, Refused, "The vendor answered 403: Your plan doesn't include this."),
        (408, b"", ServerError, "The vendor answered 408."),
        (500, b"[1]", ServerError, "The vendor answered 500: [1]"),
        (504, HTML, ServerError, "The vendor answered 504: 504 Gateway Time-out"),
        (429, b'{"error":"slow down"}', RateLimited, "The vendor answered 429: slow down"),
        (204, b"", BadAnswer, "The vendor answered 204."),
    ],
)
async def test_each_status_becomes_the_error_that_says_what_happens_next(
    asker: Asker, status: int, body: bytes, kind: type[GaplessError], words: str
) -> None:
    """The vendor's own sentence, from `error`, `message`, HTML or text, in one line."""
    with pytest.raises(kind) as caught:
        await asker.ask(answer(status, body))

    assert type(caught.value) is kind
    assert caught.value.message == words


async def test_an_unknown_key_says_what_to_set(asker: Asker) -> None:
    """The hint names the variable."""
    with pytest.raises(KeyRefused) as caught:
        await asker.ask(answer(401, b""))

    assert "MASSIVE_API_KEY" in caught.value.hint


async def test_a_compressed_error_is_read(asker: Asker) -> None:
    """Error bodies come compressed as well."""
    with pytest.raises(Rejected, match="Ticker was incorrectly"):
        await asker.ask(answer(400, gzip.compress(JSON_ERROR), Content_Encoding="gzip"))


async def test_an_error_with_a_damaged_body_keeps_its_status(asker: Asker) -> None:
    """What cannot be read is only the sentence."""
    with pytest.raises(KeyRefused, match=r"^The vendor answered 401\.$"):
        await asker.ask(answer(401, gzip.compress(JSON_ERROR)[:20], Content_Encoding="gzip"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("1.5", 1.5), ("86400", 300.0), ("soon", None), ("", None)]
)
async def test_retry_after_in_seconds(asker: Asker, text: str, seconds: float | None) -> None:
    """Obeyed up to five minutes; nonsense is as good as nothing."""
    with pytest.raises(RateLimited) as caught:
        await asker.ask(answer(429, Retry_After=text))

    assert caught.value.retry_after == seconds


async def test_retry_after_as_a_date(asker: Asker) -> None:
    """A date in the past means now, one far away is capped."""
    for year, seconds in ((2001, 0.0), (2101, 300.0)):
        date = format_datetime(datetime(year, 1, 1, tzinfo=UTC), usegmt=True)
        with pytest.raises(RateLimited) as caught:
            await asker.ask(answer(429, Retry_After=date))
        assert caught.value.retry_after == seconds


async def test_a_429_holds_back_everyone_on_the_store(asker: Asker) -> None:
    """The store is told until when nobody gets a turn of this class."""
    with pytest.raises(RateLimited):
        await asker.ask(answer(429, Retry_After="40"), rates={AssetClass.STOCKS: Rate(5, 60)})

    (profile,) = asker.turns.held
    assert profile == "massive:stocks"
    assert asker.turns.take_turn(profile, calls=5, per=60, now=datetime.now(UTC).timestamp()) > 30


# -- broken answers ----------------------------------------------------------


@pytest.mark.parametrize("cut", [5, 12, -9, -1])
async def test_a_cut_off_gzip_body_is_a_network_error(asker: Asker, cut: int) -> None:
    """Wherever it is cut, nothing of it is used."""
    with pytest.raises(NetworkError, match=r"cut off|damaged"):
        await asker.ask(answer(200, gzip.compress(BODY)[:cut], Content_Encoding="gzip"))


async def test_a_damaged_gzip_body_is_a_network_error(asker: Asker) -> None:
    """One flipped bit in the middle, or in the checksum."""
    for at in (30, -6):
        wire = bytearray(gzip.compress(BODY))
        wire[at] ^= 1
        with pytest.raises(NetworkError, match="damaged"):
            await asker.ask(answer(200, bytes(wire), Content_Encoding="gzip"))


@pytest.mark.parametrize("claimed", [None, 10, 0])
async def test_a_gzip_bomb_is_not_inflated(asker: Asker, claimed: int | None) -> None:
    """Neither when it says its length, nor when it lies about it."""
    wire = gzip.compress(bytes(5_000_000))
    if claimed is not None:
        wire = wire[:-4] + struct.pack("<I", claimed)
    with pytest.raises(BadAnswer, match="holds more than 1 MB"):
        await asker.ask(answer(200, wire, Content_Encoding="gzip"), most_bytes=1 << 20)


async def test_a_body_that_is_too_large_is_not_read(asker: Asker) -> None:
    """The bound on the wire is kept, whatever the headers say."""
    with pytest.raises(BadAnswer, match="larger than 1 MB"):
        await asker.ask(answer(200, bytes(3_000_000)), most_wire_bytes=1 << 20)


async def test_an_unknown_compression_is_not_believed(asker: Asker) -> None:
    """Only gzip was offered."""
    with pytest.raises(BadAnswer, match="compressed as `br`"):
        await asker.ask(answer(200, BODY, Content_Encoding="br"))


async def _reset_in_the_middle(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(200, BODY)[:-100])
    await writer.drain()
    await asyncio.sleep(0.02)
    link = writer.get_extra_info("socket")
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _close_in_the_middle(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(200, BODY)[:-100])
    await writer.drain()


async def _cut_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n")
    await writer.drain()


async def _close_at_once(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0)


async def _babble(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    await writer.drain()


async def _stall(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(200, BODY)[:-100])
    await writer.drain()
    await asyncio.sleep(0.6)


async def _trickle(writer: asyncio.StreamWriter) -> None:
    for byte in answer(200, BODY)[:40]:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (_reset_in_the_middle, "the answer broke off|the connection failed"),
        (_close_in_the_middle, "the answer broke off"),
        (_cut_chunks, "the answer broke off"),
        (_close_at_once, "closed without an answer"),
        (_babble, "not HTTP"),
        (_stall, r"not a byte for 0\.2 s"),
    ],
)
async def test_a_connection_that_breaks_is_a_network_error(asker: Asker, act: Act, words: str) -> None:
    """Reset, closed, cut off, silent or not HTTP: ask again, and say what happened."""
    with pytest.raises(NetworkError, match=words):
        await asker.ask(act)


async def test_an_answer_that_trickles_has_an_end(asker: Asker) -> None:
    """Bytes that keep coming do not keep the whole request alive for ever."""
    quick = dict.fromkeys(AssetClass, Timeouts(connect=0.5, idle=0.2, total=0.3))
    with pytest.raises(NetworkError, match=r"longer than 0\.3 s"):
        await asker.ask(_trickle, timeouts=quick)


async def test_nobody_listening_is_a_network_error(asker: Asker, vendor: Vendor) -> None:
    """A port without a server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = await asker.open(base_url=url)
        with pytest.raises(NetworkError, match=r"127\.0\.0\.1: the connection failed"):
            await client.fetch(Request(url + "/x", AssetClass.STOCKS))
    assert vendor.connections == 0


async def test_a_name_that_nobody_knows_is_a_network_error(asker: Asker) -> None:
    """In words that a sentence can end with; `.invalid` is a name that never is."""
    url = "https://nowhere.invalid"
    client = await asker.open(base_url=url)
    with pytest.raises(NetworkError, match=r"not known, or there is no network\.$"):
        await client.fetch(Request(url + "/x", AssetClass.STOCKS))


async def test_a_request_is_never_sent_twice_behind_the_limiter(asker: Asker, vendor: Vendor) -> None:
    """A kept connection that dies costs an attempt, which is counted; it is not silently made again."""
    vendor.script += [answer(), _close_at_once, answer()]
    client = await asker.open()
    await client.fetch(Request(vendor.url + "/1", AssetClass.STOCKS))

    with pytest.raises(NetworkError):
        await client.fetch(Request(vendor.url + "/2", AssetClass.STOCKS))

    assert len(vendor.requests) == 2


# -- where the key may go ----------------------------------------------------


async def test_a_redirect_is_not_followed(asker: Asker, vendor: Vendor) -> None:
    """It names the host that it was sent to, and no second request is made."""
    for location, words in (("https://evil.example/x", "evil.example"), ("http://[bad", "cannot be read")):
        with pytest.raises(BadAnswer, match=words):
            await asker.ask(answer(302, Location=location))

    assert len(vendor.requests) == 2


@pytest.mark.parametrize(
    "address",
    [
        "http://evil.example/x",
        "https://127.0.0.1/x",
        "http://127.0.0.1:1/x",
        "{0}@evil.example/x",
        "http://someone@{1}/x",
        "ftp://{1}/x",
        "/x",
        "{0}/x y",
        "{0}/x\r\nX-Evil: 1",
        "{0}/x?apiKey=zzz",
        "{0}/x?k=" + KEY,
        "http://evil.example\\@{1}/x",
        "http://{1}:99999999/x",
        "http://[::1/x",
    ],
)
async def test_an_address_elsewhere_is_never_asked(asker: Asker, vendor: Vendor, address: str) -> None:
    """Other host, scheme, port or user, or a key in the address: no byte is sent."""
    client = await asker.open()
    url = address.format(vendor.url, vendor.url.removeprefix("http://"))

    with pytest.raises(BadAnswer, match="address to ask"):
        await client.fetch(Request(url, AssetClass.STOCKS))

    assert vendor.connections == 0


@pytest.mark.parametrize("base_url", ["http://vendor.example", "ftp://127.0.0.1", "vendor", ""])
async def test_plain_http_is_for_this_machine_only(asker: Asker, base_url: str) -> None:
    """A key does not travel in the clear."""
    with pytest.raises(UsageError):
        await asker.open(base_url=base_url)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
async def test_what_cannot_be_a_key_is_refused_before_anything_is_sent(asker: Asker, key: str) -> None:
    """And the message does not repeat it."""
    with pytest.raises(KeyRefused) as caught:
        await asker.open(key=key)

    assert not key or key not in str(caught.value)


def _everything_said(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        at = queue.pop()
        if at is None or id(at) in seen:
            continue
        seen.add(id(at))
        queue += [at.__cause__, at.__context__]
        yield from (repr(at), str(at), repr(vars(at)), *traceback.format_exception(at))


async def test_the_key_is_in_no_error_and_no_log(
    asker: Asker, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    """Every failure, with all errors behind it, at debug level; even where the vendor repeats the key."""
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    client = await asker.open()
    echo = f'{{"error":"Unknown API Key {KEY}"}}'.encode()
    vendor.script += [
        answer(),
        answer(401, echo),
        answer(500, echo),
        _close_in_the_middle,
        _stall,
        _babble,
        _close_at_once,
    ]
    said = [repr(client), repr(await client.fetch(Request(vendor.url + "/x", AssetClass.STOCKS)))]

    for _ in range(6):
        with pytest.raises(GaplessError) as caught:
            await client.fetch(Request(vendor.url + "/x", AssetClass.STOCKS))
        said += _everything_said(caught.value)

    assert len(said) > 30
    assert not [text for text in [*said, caplog.text] if KEY in text]
