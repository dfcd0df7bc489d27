"""The server: the tools behind the official SDK, one client over standard input and output."""

from functools import partial
from importlib.metadata import version
from typing import Any

import anyio
import anyio.to_thread
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as Described

from gapless.errors import GaplessError, UsageError
from gapless.mcp.tools import TOOLS, Tool, Work
from gapless.reports.plain import plain
from gapless.settings import Settings

_LOOKS_EVERY = 0.5
"""Seconds between two looks at how far a run is."""

_ABOUT = (
    "Market bars (OHLCV) on this machine's disk, with a proof of which of them exist: for every instant asked for, "
    "the bar, or that nothing traded, or that the market was closed, or that it is missing and why."
)


class _Door:
    """Answers the requests of one client. Reads take turns, and so do writes; a read does not wait for a write."""

    def __init__(self, settings: Settings, *, allow_write: bool) -> None:
        self._settings = settings
        self._tools = {tool.name: tool for tool in TOOLS if allow_write or not tool.writes}
        self._turns = {writes: anyio.CapacityLimiter(1) for writes in (False, True)}

    async def list(
        self, context: ServerRequestContext[Any], asked: PaginatedRequestParams | None
    ) -> ListToolsResult:
        """The tools that there are."""
        del context, asked
        return ListToolsResult(tools=[_described(tool) for tool in self._tools.values()])

    async def call(self, context: ServerRequestContext[Any], asked: CallToolRequestParams) -> CallToolResult:
        """What a tool answers, or one sentence that says what went wrong and what to do.

        Work is on a thread, with progress; one that is cancelled finishes the page in hand first.
        """
        work, tool = Work(self._settings), self._tools.get(asked.name)
        async with anyio.create_task_group() as group:
            group.start_soon(_watch, context, work)
            try:
                # A thread is waited for even where the call is cancelled: the watcher, cancelled too, has it stop.
                answer = await anyio.to_thread.run_sync(
                    self._answer, work, asked, limiter=self._turns[tool is not None and tool.writes]
                )
            finally:
                group.cancel_scope.cancel()
        return answer

    def _answer(self, work: Work, asked: CallToolRequestParams) -> CallToolResult:
        try:
            tool = self._tool(asked.name)
            found = tool.work(work, _read(tool, asked.arguments or {}))
        except GaplessError as error:
            return _failure(f"{error.message} {error.hint}")
        except Exception as error:  # noqa: BLE001 - the door: whatever got here is a fault of ours, and is said
            return _failure(f"A fault in gapless: {type(error).__name__}: {error}")
        # The same data twice, as text and as structure: older clients read text only.
        text = msgspec.json.encode(plain(found))
        return CallToolResult(
            content=[TextContent(type="text", text=text.decode())],
            structured_content=msgspec.json.decode(text),
        )

    def _tool(self, name: str) -> Tool:
        if name in self._tools:
            return self._tools[name]
        if any(name == tool.name for tool in TOOLS):
            raise UsageError(
                f"`{name}` writes, and this server only reads.",
                hint="Whoever runs it can start it with `gapless mcp --allow-write`.",
            )
        raise UsageError(f"`{name}` is not a tool.", hint=f"There are: {', '.join(self._tools)}.")


async def _watch(context: ServerRequestContext[Any], work: Work) -> None:
    try:
        while True:
            await anyio.sleep(_LOOKS_EVERY)
            if work.total:
                await context.session.report_progress(work.done, work.total, "jobs")
    finally:
        work.stop()


def _described(tool: Tool) -> Described:
    _, schemas = msgspec.json.schema_components([tool.takes])
    (schema,) = schemas.values()
    return Described(
        name=tool.name,
        title=tool.title,
        description=tool.about,
        input_schema=schema,
        annotations=ToolAnnotations(
            read_only_hint=not tool.writes,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=tool.writes,
        ),
    )


def _read(tool: Tool, arguments: dict[str, Any]) -> object:
    try:
        return msgspec.convert(arguments, tool.takes)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"The arguments of `{tool.name}` cannot be used: {error}.",
            hint="The tool's input schema says what it takes.",
        ) from None


def _failure(words: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=" ".join(words.split()))], is_error=True)


async def serve(settings: Settings, *, allow_write: bool) -> None:
    """Serve one client until it hangs up. Nothing but the protocol goes to standard output."""
    door = _Door(settings, allow_write=allow_write)
    server: Server[Any] = Server(
        "gapless",
        version=version("gapless"),
        instructions=_ABOUT,
        on_list_tools=door.list,
        on_call_tool=door.call,
    )
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def run(settings: Settings, *, allow_write: bool = False) -> None:
    """The same from plain code."""
    anyio.run(partial(serve, settings, allow_write=allow_write))
