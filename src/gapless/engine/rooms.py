"""What the conveyor works with: every other room, as one run sees it."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from gapless.engine.decoding import Decoders
from gapless.engine.line import Line
from gapless.engine.patience import Patience
from gapless.engine.skew import Skew
from gapless.errors import Retriable
from gapless.ports import Clock, Http, Provider, Store
from gapless.vocabulary.events import Tell
from gapless.vocabulary.instrument import AssetClass
from gapless.vocabulary.steps import Answer, Page

T = TypeVar("T")
P = ParamSpec("P")
DelayBefore = Callable[[Retriable, int, float], float | None]
"""Seconds to wait before another attempt, None to give up.

Given are the error, how many attempts failed, and which share of the run's other attempts did.
"""
Unpack = Callable[[Answer], Page]
"""Opens an answer as it came over the wire; a plain function, so that another process can be asked to do it."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """One run's view. `spend` raises OwnLimit when the run's own allowance is used up."""

    http: Http
    unpack: Unpack
    provider: Provider
    store: Store
    clock: Clock
    delay_before: DelayBefore
    tell: Tell
    decoders: Decoders
    writer: Executor
    patience: Patience
    stopping: asyncio.Event
    spend: Callable[[], None]
    lines: Mapping[AssetClass, Line]
    skew: Skew

    async def write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something that uses the store, on the one thread that does."""
        work = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.writer, work)
