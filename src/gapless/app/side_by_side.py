"""Work that leaves the interpreter alone for most of its time, shared among threads."""

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_THREADS = min(2, os.cpu_count() or 1)
"""More of them only wait for the interpreter."""
_AHEAD = 2 * _THREADS
"""So many works are begun before the first of them has to be done: what they hold is in memory."""


def side_by_side(works: Iterable[Callable[[], T]]) -> list[T]:
    """What the works give, in their order; the iterable itself is only used here, in the caller's thread.

    What a work raises is raised when its turn comes.
    """
    done: list[T] = []
    begun: deque[Future[T]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="gapless-read") as threads:
        for work in works:
            begun.append(threads.submit(work))
            if len(begun) > _AHEAD:
                done.append(begun.popleft().result())
        done.extend(future.result() for future in begun)
    return done
