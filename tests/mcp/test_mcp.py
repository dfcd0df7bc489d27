"""The MCP door through the official client, over the pipes of a real process and on a real store."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import asking
from cli.program import Gapless, until
from gapless.sandbox import Served, SyntheticMarket, serve_in_process

mcp = pytest.importorskip("mcp", reason="needs the extra `mcp`")

READS = ["coverage", "bars", "gaps", "explain", "plan"]


@asynccontextmanager
async def client(program: Gapless, *words: str) -> AsyncIterator[Any]:
    """The official client, with a server that it started itself."""
    started = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "gapless", "mcp", *words],
        env={"PATH": os.environ["PATH"], "HOME": str(program.folder)} | program.env,
        cwd=program.folder,
    )
    async with mcp.Client(started, read_timeout_seconds=60) as connected:
        yield connected


async def called(connected: Any, name: str, **arguments: object) -> Any:  # noqa: ANN401 - a tool's own answer
    """What a tool answered, the same as text and as structure."""
    answer = await connected.call_tool(name, arguments)
    (content,) = answer.content
    assert not answer.is_error, content.text
    assert json.loads(content.text) == answer.structured_content
    return answer.structured_content


async def failed(connected: Any, name: str, **arguments: object) -> str:  # noqa: ANN401 - the official client
    """The one line that a tool failed with."""
    answer = await connected.call_tool(name, arguments)
    (content,) = answer.content
    assert answer.is_error
    assert "\n" not in content.text
    assert "Traceback" not in content.text
    text: str = content.text
    return text


def files(folder: Path) -> dict[str, str]:
    """The files of the store by name, each with a digest of what is in it."""
    return {one.name: sha256(one.read_bytes()).hexdigest() for one in sorted(folder.glob("market.gapless*"))}


@pytest.mark.parametrize(("words", "names"), [((), READS), (("--allow-write",), [*READS, "backfill"])])
async def test_a_tool_that_writes_is_listed_only_where_it_is_allowed(
    filled: Gapless, words: tuple[str, ...], names: list[str]
) -> None:
    """Each tool says what it is, takes an object that is described, and is marked as one that reads or does not."""
    async with client(filled, *words) as connected:
        tools = (await connected.list_tools()).tools
    assert [tool.name for tool in tools] == names
    for tool in tools:
        assert tool.description
        assert (tool.input_schema["type"], tool.input_schema["additionalProperties"]) == ("object", False)
        assert all("description" in one for one in tool.input_schema["properties"].values())
        assert tool.annotations.read_only_hint == (tool.name != "backfill")


async def test_the_tools_say_what_the_commands_say(filled: Gapless) -> None:
    """The store is the same, so bars, gaps and coverage are, as `--json` prints them. Nothing is written by it."""
    printed = filled("bars", "AAPL", "-t", "1h", "--json").json()
    before = files(filled.folder)
    async with client(filled) as connected:
        bars = await called(connected, "bars", symbol="AAPL", timeframe="1h", limit=2000)
        coverage = await called(connected, "coverage", symbols=["AAPL"])
        gaps = await called(connected, "gaps")
        explained = await called(connected, "explain", symbol="AAPL", instant=printed[0]["time"])
    assert bars["columns"] == ["ts", *list(printed[0])[2:]]
    assert [row[1:] for row in bars["rows"]] == [list(row.values())[2:] for row in printed]
    assert [row[0] for row in bars["rows"]] == [row["time"] for row in printed]
    assert (bars["bars"], bars["cut"], bars["gaps"]) == (len(printed), "", [])
    assert {(one["timeframe"], one["percent"]) for one in coverage["series"]} == {("5m", 100), ("1d", 100)}
    assert gaps == {"cut": "", "gaps": filled("gaps", "--json").json()}
    assert explained["explanation"]["symbol"] == "AAPL"
    assert files(filled.folder) == before


async def test_what_is_cut_says_so_and_how_to_go_on(filled: Gapless, vendor: Served) -> None:
    """The rows before the cut are those that the same call with the named end gives. A plan asks for nothing."""
    before = vendor.stats()["total"]
    async with client(filled) as connected:
        made = await called(connected, "plan", symbols=["MSFT"], timeframes=["1d"], start="2026-01-05")
        whole = await called(connected, "bars", symbol="X:BTCUSD", timeframe="1h", limit=2000)
        last = await called(connected, "bars", symbol="X:BTCUSD", timeframe="1h", limit=7)
        end = last["rows"][0][0]
        earlier = await called(connected, "bars", symbol="X:BTCUSD", timeframe="1h", end=end, limit=7)
    assert last["cut"] == (
        f"These are the last 7 of {len(whole['rows'])} bars: for the ones before, the same with end={end}."
    )
    assert earlier["rows"] + last["rows"] == whole["rows"][-14:]
    assert (made["requests"], len(made["jobs"]), made["cut"]) == (1, 1, "")
    assert vendor.stats()["total"] == before


WRONG: list[tuple[str, dict[str, object], str]] = [
    ("bars", {"symbol": "AAPL", "timeframe": "7m"}, "`7m`"),
    ("bars", {"symbol": "AAPL", "limit": 0}, "The arguments of `bars` cannot be used"),
    ("bars", {"symbol": "AAPL", "colour": "red"}, "unknown field `colour`"),
    ("bars", {}, "missing required field `symbol`"),
    ("bars", {"symbol": "AAPL", "timeframe": "1d", "start": "2020-01-02"}, 'on_gap="mark"'),
    ("coverage", {"symbols": ["MSFT"]}, "`gapless backfill` it first"),
    ("explain", {"symbol": "AAPL", "instant": "yesterday"}, "which is not a date"),
    ("plan", {"symbols": ["AAPL"], "timeframes": ["1d"], "start": "2099-01-01"}, "in the future"),
    ("backfill", {"symbols": ["MSFT"], "timeframes": ["1d"], "start": "5d"}, "--allow-write"),
    ("drop", {}, "`drop` is not a tool. There are: coverage"),
]


async def test_what_cannot_be_answered_is_one_line_with_what_to_do(filled: Gapless) -> None:
    """In the words of every other door; the server goes on."""
    async with client(filled) as connected:
        for name, arguments, said in WRONG:
            assert said in await failed(connected, name, **arguments)
        assert (await called(connected, "gaps"))["gaps"] == []


async def test_a_backfill_fills_a_store_that_was_not_there(vendor: Served, tmp_path: Path) -> None:
    """Before it there is no store, and the answer says so; a word that is not understood makes none."""
    program = asking(tmp_path, vendor)
    wish: dict[str, Any] = {"symbols": ["SPY"], "timeframes": ["1d"], "start": "30d"}
    async with client(program, "--allow-write", "--store", "mine.gapless") as connected:
        assert "There is no store" in await failed(connected, "coverage")
        assert "`SP Y`" in await failed(connected, "backfill", **(wish | {"symbols": ["SP Y"]}))
        assert not (tmp_path / "mine.gapless").exists()
        report = (await called(connected, "backfill", **wish))["report"]
        assert (report["exit_code"], report["completed"], report["gaps"]) == (0, 1, 0)
        assert (await called(connected, "backfill", **wish))["report"]["requests"] == 0
        bars = await called(connected, "bars", symbol="SPY")
    assert len(bars["rows"]) == report["inserted"] > 15


async def test_a_backfill_that_is_given_up_keeps_what_it_read(tmp_path: Path) -> None:
    """Its call is cancelled in the middle; the server goes on, and the same call asks only for the rest."""
    symbols = ["AAPL", "MSFT", "NVDA", "SPY", "QQQ", "DIA"]
    wish = {"symbols": symbols, "timeframes": ["1d"], "start": "30d"}
    with serve_in_process(SyntheticMarket(5)) as vendor:
        async with client(asking(tmp_path, vendor), "--allow-write", "--rate", "1/s") as connected:
            running = asyncio.create_task(connected.call_tool("backfill", wish))
            await asyncio.to_thread(until, lambda: _answered(vendor) > 1)
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled()
            report = (await called(connected, "backfill", **wish))["report"]
        assert report["exit_code"] == 0
        assert report["requests"] < len(symbols) == _answered(vendor)


def _answered(vendor: Served) -> int:
    """How many pages of bars the vendor gave so far."""
    pages = [found for path, found in vendor.stats()["requests"].items() if "/range/" in path]
    return sum(found.get("200", 0) for found in pages)


def test_nothing_but_the_protocol_is_on_standard_output(filled: Gapless) -> None:
    """Each line is a message, also when the client talks nonsense; talk goes to standard error."""
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}),
        '{"jsonrpc":"2.0","method":"notifications/initialized"}',
        "this is not JSON",
        '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"bars","arguments":{"symbol":"AAPL"}}}',
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "gapless", "mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=filled.folder,
        env={"PATH": os.environ["PATH"], "HOME": str(filled.folder)} | filled.env,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(f"{line}\n" for line in lines))
        process.stdin.flush()
        said = [json.loads(process.stdout.readline())]
        while said[-1].get("id") != 2:
            said.append(json.loads(process.stdout.readline()))
        out, err = process.communicate(timeout=120)  # hangs up
    assert (process.returncode, out) == (0, "")
    assert {one["jsonrpc"] for one in said} == {"2.0"}
    assert said[-1]["result"]["structuredContent"]["symbol"] == "AAPL"
    assert err.splitlines() == ["Serving market.gapless to an MCP client on standard input; it only reads."]
