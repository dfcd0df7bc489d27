"""Where pages are decoded: in a thread here and, when that is not enough, in a process beside this one.

Reading text holds the interpreter, so a second thread would only take turns with the first. The process is our
own child with two pipes, not one of `multiprocessing`: that would import the caller's main module a second time.
"""

import asyncio
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import IO, Any, ParamSpec, Self, TypeVar, cast

from gapless.errors import GaplessError

P = ParamSpec("P")
T = TypeVar("T")

_LENGTH = struct.Struct("<Q")
_BESIDE, _HERE, _BESIDE_NEXT = range(3)
"""Places by preference: what the process takes costs this one nothing; with both busy, a page waits in its pipe, so
that it need not wait for this process to hand it the next."""
_SECONDS_TO_LEAVE = 5.0
_PIPE_BYTES = 1 << 20
"""A page takes a few turns through the pipe then, not fifty; where a system does not offer it, it is ignored."""


_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(64 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}
"""A page needs the same few dozen megabytes as the one before: glibc need not give them back in between."""


_PRIVATE = ("KEY", "TOKEN", "SECRET", "PASSWORD")


def _environment() -> dict[str, str]:
    """The child's: decoding needs no key, so the child has none that anybody could look up."""
    kept = {name: text for name, text in os.environ.items() if not any(w in name.upper() for w in _PRIVATE)}
    return kept | _KEEP_MEMORY


class Decoders:
    """Places that take one page at a time each; a call that finds none free waits its turn.

    With `beside`, a process is started next to this one and joins in when it is ready. If it cannot start or
    dies, its pages are decoded here: that is slower, never wrong.
    """

    def __init__(self, *, beside: bool) -> None:
        self._beside = beside
        self._free: asyncio.PriorityQueue[int] = asyncio.PriorityQueue()
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="gapless-decode")
        self._starting: asyncio.Task[None] | None = None
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        self._free.put_nowait(_HERE)
        if self._beside:
            self._starting = asyncio.create_task(self._start())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._starting:
            await self._starting
        if self._process:
            self._process.close()
        self._threads.shutdown()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, or what it raises; what it is given and gives back can be pickled."""
        place = await self._free.get()
        work = partial(function, *args, **kwargs)
        try:
            if place != _HERE and (process := self._process):
                try:
                    return await self._in_thread(partial(process.call, work))
                except (OSError, EOFError):
                    self._process = None
                    process.close()
            return await self._in_thread(work)
        finally:
            if place == _HERE or self._process:
                self._free.put_nowait(place)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _start(self) -> None:
        with suppress(OSError, EOFError):
            self._process = await asyncio.to_thread(Process)
            self._free.put_nowait(_BESIDE)
            self._free.put_nowait(_BESIDE_NEXT)


class Process:
    """A child that runs one call after another; it ends when its standard input does, so it outlives nobody.

    Raises:
        OSError, EOFError: it could not be started, or is gone.
    """

    def __init__(self) -> None:
        command = [sys.executable or "python3", "-P", "-c", f"from {__name__} import serve; serve()"]
        # A group of its own: Ctrl-C in a terminal is for the parent to act on.
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
            env=_environment(),
            pipesize=_PIPE_BYTES,
        )
        self._to = cast("IO[bytes]", self._child.stdin)
        self._from = cast("IO[bytes]", self._child.stdout)
        self._sending, self._receiving = threading.Lock(), threading.Lock()
        self._asked: deque[Future[tuple[bool, Any]]] = deque()
        try:
            _receive(self._from)  # it says hello when everything is imported
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The child's number."""
        return self._child.pid

    def call(self, work: Callable[[], T]) -> T:
        """Run it there and wait for its result, or raise what it raised; threads may ask one behind the other."""
        mine: Future[tuple[bool, Any]] = Future()
        with self._sending:
            _still_open(self._to)
            _send(self._to, work)
            self._asked.append(mine)
        with self._receiving:
            oldest = self._asked.popleft()  # answers come in the order of the questions, whoever reads them
            try:
                _still_open(self._from)
                oldest.set_result(_receive(self._from))
            except (OSError, EOFError) as error:
                oldest.set_exception(error)
        sound, result = mine.result()
        if sound:
            return cast("T", result)
        raise result

    def close(self) -> None:
        """Let the child end; it is killed if it does not. Whoever still waits for its turn is told that it is gone."""
        with self._sending, suppress(OSError):
            self._to.close()
        try:
            self._child.wait(_SECONDS_TO_LEAVE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        with self._receiving:
            self._from.close()


def _still_open(pipe: IO[bytes]) -> None:
    """Raises EOFError once the pipe was closed here: another thread found the child gone."""
    if pipe.closed:
        raise EOFError


def serve() -> None:
    """The child's life."""
    reading, writing = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints does not speak into the answers
    _send(writing, None)
    with suppress(EOFError, BrokenPipeError):  # the parent is done, or gone
        while True:
            work = _receive(reading)
            try:
                outcome: tuple[bool, object] = True, work()
            except GaplessError as error:  # anything else ends this process: the parent meets it as its own
                outcome = False, error
            _send(writing, outcome)
    os._exit(0)  # nothing is left to put in order, and the parent waits


def _send(pipe: IO[bytes], value: object) -> None:
    """Columns travel as they lie in memory, beside the pickle that names them."""
    buffers: list[pickle.PickleBuffer] = []
    parts: list[Any] = [pickle.dumps(value, protocol=5, buffer_callback=buffers.append)]
    parts += [buffer.raw() for buffer in buffers]
    pipe.write(_LENGTH.pack(len(parts)) + b"".join(_LENGTH.pack(len(part)) for part in parts))
    for part in parts:
        pipe.write(part)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:  # noqa: ANN401 - whatever was sent
    (count,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    sizes = [_LENGTH.unpack(_exactly(pipe, _LENGTH.size))[0] for _ in range(count)]
    pickled, *buffers = [_exactly(pipe, size) for size in sizes]
    return pickle.loads(pickled, buffers=buffers)  # noqa: S301 - from our own child or parent, over a private pipe


def _exactly(pipe: IO[bytes], size: int) -> bytearray:
    whole = bytearray(size)
    view, at = memoryview(whole), 0
    while at < size:
        got = cast("Any", pipe).readinto(view[at:])
        if not got:
            raise EOFError
        at += got
    return whole
