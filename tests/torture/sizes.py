"""Answers that are too much: bombs, bodies without an end, deep nesting. Each is met by a process of its own."""

import asyncio
import json
import random
import resource
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path

from fetch.scripted_vendor import FakeTurns, RealClock
from gapless.errors import GaplessError
from gapless.fetch import unpack
from gapless.fetch.body import MOST_BYTES, MOST_WIRE_BYTES
from gapless.fetch.client import open_http
from gapless.providers import Massive, columns
from gapless.vocabulary.instrument import AssetClass, Instrument
from gapless.vocabulary.span import Span
from gapless.vocabulary.steps import Job, Request
from gapless.vocabulary.timeframe import MINUTE, Base
from torture.harness import Figure, Harness

MOST_GROWTH = 100 << 20
_MB = 1 << 20
_START = 1_704_205_800_000
_JOB = Job(Instrument.parse("AAPL"), Base.MINUTE, Span(_START, _START + 10**6 * MINUTE))
_ROW = b'{"v":1,"vw":1,"o":1,"c":1,"h":1,"l":1,"t":1704205800000,"n":1}'
_HEAD = b'{"ticker":"AAPL","status":"OK","request_id":"1","adjusted":false,"count":1,"results":['

Parts = Callable[[], Iterator[bytes]]


@lru_cache
def _zeros(megabytes: int) -> bytes:
    """A gzip member of so many megabytes of zeros: one of them packed, again and again."""
    packer, crc = zlib.compressobj(9, zlib.DEFLATED, -15), 0
    piece = packer.compress(bytes(_MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(megabytes):
        crc = zlib.crc32(bytes(_MB), crc)
    size = megabytes * _MB % 2**32
    end = b"\x03\x00" + crc.to_bytes(4, "little") + size.to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + piece * megabytes + end


def _bomb() -> Iterator[bytes]:
    yield _zeros(2048)


def _lying_bomb() -> Iterator[bytes]:
    """Its last bytes say that it holds a thousand."""
    yield _zeros(256)[:-4] + (1000).to_bytes(4, "little")


def _many_bombs() -> Iterator[bytes]:
    """A thousand members, each of which is small enough."""
    member = _zeros(8)
    for _ in range(1000):
        yield member


def _endless() -> Iterator[bytes]:
    yield _HEAD
    while True:
        yield (_ROW + b",") * 1000


def _page_of_64_mb() -> Iterator[bytes]:
    yield _HEAD
    for _ in range(64 * _MB // (len(_ROW) + 1) // 1000):
        yield (_ROW + b",") * 1000
    yield _ROW + b"]}"


def _nested(opening: bytes, closing: bytes) -> Parts:
    def parts() -> Iterator[bytes]:
        yield _HEAD + opening * 100_000 + closing * 100_000 + b"]}"

    return parts


def _nested_beside() -> Iterator[bytes]:
    yield _HEAD + _ROW + b'],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def _never_closed() -> Iterator[bytes]:
    yield b"[" * 100_000


def _empty_rows() -> Iterator[bytes]:
    yield _HEAD + b"{}," * (7 * _MB) + b"{}]}"


def _long_number() -> Iterator[bytes]:
    yield _HEAD + b'{"o":' + b"9" * (10 * _MB) + b"}]}"


def _long_text() -> Iterator[bytes]:
    yield b'{"ticker":"' + b"A" * (10 * _MB) + b'","status":"OK","request_id":"1"}'


SUBJECTS: dict[str, tuple[str, Parts]] = {
    "a bomb of 2 GB": ("gzip", _bomb),
    "a bomb that lies about its size": ("gzip", _lying_bomb),
    "a thousand bombs in one body": ("gzip", _many_bombs),
    "a body without an end": ("", _endless),
    "a page of 64 MB": ("", _page_of_64_mb),
    "100,000 arrays in each other": ("", _nested(b"[", b"]")),
    "100,000 objects in each other": ("", _nested(b'{"a":', b"1" + b"}")),
    "100,000 arrays beside the rows": ("", _nested_beside),
    "100,000 arrays never closed": ("", _never_closed),
    "millions of empty rows": ("", _empty_rows),
    "a number of ten million digits": ("", _long_number),
    "a text of ten million letters": ("", _long_text),
}
"""What the vendor answers, by name: the compression that it claims and the parts of the body."""


def _resident() -> int:
    """The most memory that this program ever held, in bytes.

    Where Linux tells it: what `resource` tells there begins with the size of the process that started this one.
    """
    if (status := Path("/proc/self/status")).exists():
        words = status.read_text().split()
        return int(words[words.index("VmHWM:") + 1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@asynccontextmanager
async def _vendor(encoding: str, parts: Parts) -> AsyncIterator[str]:
    """A server in this process that answers every request so, piece by piece."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            kind = f"Content-Encoding: {encoding}\r\n" if encoding else ""
            writer.write(f"HTTP/1.1 200 OK\r\n{kind}Connection: close\r\n\r\n".encode())
            for part in parts():
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            pass  # the client has seen enough
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _read(url: str, bounds: tuple[int, int] = (MOST_WIRE_BYTES, MOST_BYTES)) -> str:
    """Ask, unpack and decode; the name of the error that this ends with."""
    async with open_http(
        key="k",
        base_url=url,
        rates={},
        turns=FakeTurns(),
        clock=RealClock(),
        tell=lambda _: None,
        most_wire_bytes=bounds[0],
    ) as http:
        try:
            answer = await http.fetch(Request(f"{url}/v2/x", AssetClass.STOCKS))
            Massive(url).decode(_JOB, unpack(answer, bounds[1]), asked=_JOB.span)
        except GaplessError as error:
            return type(error).__name__
    return "no error"


async def _meet(name: str, plant: str = "") -> dict[str, str | int]:
    bounds = (1 << 30, 1 << 30) if plant == "no bounds" else (MOST_WIRE_BYTES, MOST_BYTES)
    if plant == "depth is no fault":
        vars(columns)["RecursionError"] = ZeroDivisionError
    encoding, parts = SUBJECTS[name]
    next(parts())  # made before the measuring begins
    async with _vendor("", lambda: iter([_HEAD + _ROW + b"]}"])) as url:
        await _read(url)  # so is what is loaded when it is first used
    before = _resident()
    async with _vendor(encoding, parts) as url:
        ended = await _read(url, bounds)
    return {"ended": ended, "grown": _resident() - before}


def meet(name: str, plant: str = "") -> dict[str, str | int]:
    """Let a process of its own meet one subject: how that ended, and by how many bytes it grew at most.

    `plant` breaks it on purpose: `no bounds`, or `depth is no fault`.
    """
    done = subprocess.run(
        [sys.executable, "-m", "torture.sizes", name, plant],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        return {"ended": f"crashed: {done.stderr.decode()[-300:]}", "grown": 0}
    found: dict[str, str | int] = json.loads(done.stdout)
    return found


def judge(name: str, met: dict[str, str | int]) -> str:
    """What was promised and not kept, in words; empty where all was."""
    if met["ended"] not in ("BadAnswer", "NetworkError"):
        return f"{name}: {met['ended']}"
    if int(met["grown"]) >= MOST_GROWTH:
        return f"{name}: grew by {int(met['grown']) / _MB:.0f} MB"
    return ""


def measure(size: int, seed: int) -> Figure:
    """Meet every subject, in a random order, until there were so many."""
    names = list(SUBJECTS)
    random.Random(seed).shuffle(names)
    met = [(name, meet(name)) for name in (names * (size // len(names) + 1))[:size]]
    broken = [words for name, one in met if (words := judge(name, one))]
    most = max(int(one["grown"]) for _, one in met) / _MB
    return Figure(
        "answers that are too much",
        size,
        "answers",
        len(broken),
        "; ".join([f"{most:.0f} MB grown at most", *broken]),
    )


HARNESS = Harness("answers that are too much", len(SUBJECTS), 10 * len(SUBJECTS), measure)

if __name__ == "__main__":
    print(json.dumps(asyncio.run(_meet(*sys.argv[1:]))))  # noqa: T201 - what the parent reads
