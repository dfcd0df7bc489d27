"""What the process does in which a key is looked for: `work` through every fault, or `follow` hostile addresses."""

import asyncio
import faulthandler
import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from yarl import URL

from engine.living import NOW, OwnedClock
from fetch.scripted_vendor import FakeTurns, RealClock, answer
from gapless.app import open_warehouse
from gapless.cli.errors import run
from gapless.cli.root import cli
from gapless.engine import decoding
from gapless.errors import BadAnswer, GaplessError
from gapless.fetch import client
from gapless.fetch.client import Client, Timeouts, open_http
from gapless.providers import Massive
from gapless.providers.links import Links
from gapless.settings import load
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.events import Event
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import Decoded, Request

KEY = os.environ.get("MASSIVE_API_KEY", "")
CONNECTED: set[str] = set()


def _watch(event: str, args: tuple[Any, ...]) -> None:
    """Python tells of every connection and every name that is looked up."""
    if event == "socket.connect" and isinstance(args[1], tuple):
        CONNECTED.add(f"{args[1][0]}:{args[1][1]}")
    if event == "socket.getaddrinfo":
        CONNECTED.add(f"{args[0]}:{args[1]}")


def _chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield repr(error) + repr(vars(error)) + repr(error.args)
        yield from traceback.format_exception(error)
        yield from _chain(error.__cause__)
        error = error.__context__


# -- through every fault -----------------------------------------------------


def _children() -> Iterator[tuple[str, str]]:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            yield "arguments of a child", " ".join(child.cmdline())
            yield "environment of a child", " ".join(f"{k}={v}" for k, v in child.environ().items())


def work(url: str, folder: Path) -> dict[str, str]:
    """Backfill, update, repair and look around at debug level; every text that came of it."""
    traces = {"own arguments": Path("/proc/self/cmdline").read_text()}

    def tell(event: Event) -> None:
        traces["events"] = traces.get("events", "") + repr(event)
        for place, text in _children():
            traces[place] = traces.get(place, "") + text

    for kind in ("packed", "plain"):
        store = f"sqlite:///{folder}/rows.db" if kind == "plain" else f"{folder}/s.gapless"
        flags = {"store": store, "massive.base_url": url, "massive.plan": "advanced", "rate": "unlimited"}
        found = load(flags, env=os.environ, folder=folder, user_file=None)
        with open_warehouse(found, clock=OwnedClock(at=NOW, flows=True)) as house:
            house._provider.page_bars = 400
            report = house.backfill(["X:BTCUSD", "AAPL"], ["5m", "1d"], "2026-08-03", "2026-08-08", tell=tell)
            traces[f"report {kind}"] = repr(report) + json.dumps(report.as_dict())
            traces[f"runs {kind}"] = json.dumps(house.store.runs()) + repr(house.settings) + repr(found)
            traces[f"gaps {kind}"] = repr(list(house.gaps())) + repr(house.doctor())
            house.repair()
    for words in (["config", "--origin"], ["doctor"], ["status", "--json"], ["backfill", "AAPL", "-t", "1d"]):
        start = ["--start", "2026-11-02"] if words[0] == "backfill" else []
        run(cli, ["--debug", "--store", f"{folder}/s.gapless", *words, *start])
    return traces


# -- next pages elsewhere ----------------------------------------------------


def hostile(here: str, trap: int) -> list[str]:
    """Addresses that must not be followed; `here` is host and port of the vendor, `trap` a port that listens."""
    there, path = f"127.0.0.1:{trap}", "/v2/aggs/ticker/AAPL/range/1/minute/1/2?cursor=YQ"
    port = here.rpartition(":")[2]
    return [
        f"http://{there}{path}", f"https://{there}{path}", f"https://{here}{path}", f"//{there}{path}",
        f"http://localhost:{trap}{path}", f"http://localhost:{port}{path}", f"http://LOCALHOST:{trap}{path}",
        f"http://{here}@{there}{path}", f"http://user:pass@{here}{path}", f"http://{KEY}@{there}{path}",
        f"http://{there}#@{here}{path}", f"http://{there}\\@{here}{path}", f"http://{here}\\@{there}{path}",
        f"http://{there}%2F@{here}{path}", f"http:\\\\{there}{path}", f"http:/{there}{path}", f"http:{there}{path}",
        f"\thttp://{there}{path}", f" http://{there}{path}", f"http://{there}\r\nHost: {here}{path}",
        f"http://{here}\r\n.{there}{path}", f"http://{here}.{there}{path}", f"http://127.1:{trap}{path}",
        f"http://2130706433:{trap}{path}", f"http://0x7f000001:{trap}{path}", f"http://0177.0.0.1:{trap}{path}",
        f"http://[::1]:{trap}{path}", f"http://[::ffff:127.0.0.1]:{trap}{path}", f"http://0:{trap}{path}",
        f"http://0.0.0.0:{trap}{path}", f"http://127.0.0.2:{port}{path}", f"http://\uff11\uff12\uff17.0.0.1:{trap}{path}",
        f"http://127。0。0。1:{trap}{path}", f"http://evil.invalid{path}", f"https://evil.invalid{path}",
        f"http://127.0.0.1.evil.invalid:{port}{path}", f"http://{here}evil.invalid{path}", f"ftp://{there}{path}",
        f"file:///etc/passwd?{path}", f"ws://{there}{path}", f"javascript:{there}", f"gopher://{there}{path}",
        f"http://{here}:{trap}{path}", f"http://127.0.0.1:{port}0{path}", f"http://127.0.0.1:{trap}:{port}{path}",
        f"http://{there};{here}{path}", f"http://{there}?{here}{path}", f"http://{there}/{here}{path}",
        f"HTTP://{there}{path}", f"http://{here}{path}#http://{there}/", "http://", "", f"?u=http://{there}{path}",
        f"http://{here}/v2/reference?apiKey={KEY}", f"http://127.0.0.1\u2024evil.invalid:{trap}{path}",
    ]  # fmt: skip


class _Hosts:
    """A vendor and a trap on loopback; the vendor answers what it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.trapped = 0
        self.reply = b""

    async def vendor(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self.reply)
        await writer.drain()
        writer.close()

    async def trap(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Whoever comes here is lost."""
        self.trapped += 1
        writer.close()


UNTYPED: list[str] = []


async def _ask(http: Client, request: Request) -> list[str]:
    try:
        await http.fetch(request)
    except GaplessError as error:
        return list(_chain(error))
    except Exception as error:  # noqa: BLE001 - that there is none is what is measured
        UNTYPED.append(repr(error))
    return []


async def follow() -> dict[str, Any]:
    """Be pointed elsewhere in every way; how often the trap was sprung, and every text that came of it."""
    hosts, said = _Hosts(), list[str]()
    vendor = await asyncio.start_server(hosts.vendor, "127.0.0.1", 0)
    trap = await asyncio.start_server(hosts.trap, "127.0.0.1", 0)
    port, trap_port = (server.sockets[0].getsockname()[1] for server in (vendor, trap))
    here, tried = f"127.0.0.1:{port}", 0
    provider = Massive(f"http://{here}")
    opened = open_http(
        key=KEY,
        base_url=f"http://{here}",
        rates={},
        turns=FakeTurns(),
        clock=RealClock(),
        tell=lambda _: None,
        timeouts=dict.fromkeys(AssetClass, Timeouts(connect=0.2, idle=0.2, total=0.5)),
    )
    async with opened as http:
        first = Request(f"http://{here}/v2/aggs/ticker/AAPL/range/1/minute/1/2", AssetClass.STOCKS)
        for address in hostile(here, trap_port):
            decoded = Decoded(Batch.empty(), address, full=False, request_id="")
            tried += 3
            try:
                if request := provider.follow(decoded, AssetClass.STOCKS):
                    said += await _ask(http, request)
            except BadAnswer as error:
                said += _chain(error)
            said += await _ask(http, Request(address, AssetClass.STOCKS))
            with suppress(UnicodeEncodeError, ValueError):
                status = (301, 302, 303, 307, 308)[tried % 5]
                place = "".join(address.splitlines()).encode().decode("latin-1")
                hosts.reply = answer(status, b"", Location=place)
                said += await _ask(http, first)
        hosts.reply = answer(400, json.dumps({"status": "ERROR", "error": f"Bearer {KEY} is bad"}).encode())
        said += await _ask(http, first)
    vendor.close()
    trap.close()
    lines = [line for asked in hosts.asked for line in asked.split("\r\n")]
    in_addresses = "\n".join(line for line in lines if not line.startswith("Authorization: "))
    return {
        "traces": {"errors": "\n".join(said), "addresses asked": in_addresses},
        "tried": tried,
        "trapped": hosts.trapped,
        "untyped": UNTYPED,
        "here": here,
    }


# -- planted on purpose ------------------------------------------------------


def _after(owner: Any, name: str, then: Callable[..., Any]) -> None:  # noqa: ANN401 - whatever it is a part of
    """Let `then` have the result of `owner.name`, and what it was called with."""
    before = getattr(owner, name)
    setattr(owner, name, lambda *args, **kwargs: then(before(*args, **kwargs), *args))


def plant(name: str) -> None:
    """Break one thing that keeps the key where it belongs."""
    match name:
        case "in a log":
            _after(Client, "_safe", _logged)
        case "in an error":
            _after(client, "what_happened", lambda words, *_: f"{words} with {KEY}")
        case "in the environment":
            vars(decoding)["_PRIVATE"] = ()
        case "anywhere":
            _open_the_door()


def _logged(url: URL, *_: object) -> URL:
    logging.getLogger("careless").debug("asking %s as %s", url, KEY)
    return url


def _open_the_door() -> None:
    """Neither the provider nor the client looks where it is sent; names that nobody has are left out."""
    careful = Client._safe

    def careless(self: Client, text: str) -> URL:
        return careful(self, text) if "invalid" in text else URL(text)

    for owner, name, value in ((Links, "check", lambda *_: None), (Client, "_safe", careless)):
        setattr(owner, name, value)


def main(mode: str, url: str, told: str, planted: str) -> None:
    """Do it, and write down what was seen."""
    sys.addaudithook(_watch)
    faulthandler.enable()
    warnings.simplefilter("always")
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    logging.captureWarnings(capture=True)
    for name in planted.split(","):
        plant(name)
    found = asyncio.run(follow()) if mode == "follow" else {"traces": work(url, Path(told).parent)}
    Path(told).write_text(json.dumps(found | {"connected": sorted(CONNECTED)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
