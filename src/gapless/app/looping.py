"""Coroutines to their end from plain code, wherever that was called."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_to_end(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`; where a loop runs already, as in a notebook, from a thread beside it."""
    if not _in_a_loop():
        return asyncio.run(work)
    with ThreadPoolExecutor(1, thread_name_prefix="gapless-run") as beside:
        return beside.submit(asyncio.run, work).result()


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
