"""Decoding beside this process: the same results and errors, and nothing lost when the other process is."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.decodable import columns, refuse, stumble, where
from gapless.engine.decoding import Decoders, Process
from gapless.errors import BadAnswer

CHILD_OF_A_PARENT = """
import sys, time
from gapless.engine.decoding import Process
print(Process().pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process beside finds the tests' own functions."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))


async def ready(decoders: Decoders) -> int:
    """Wait until the process beside has joined in; its number."""
    for _ in range(600):
        if (pid := await decoders.run(where)) != os.getpid():
            return pid
        await asyncio.sleep(0.05)
    raise AssertionError("the process beside never answered")


async def test_columns_come_back_to_the_last_bit() -> None:
    """A batch of a page's size travels through the pipe as it is."""
    async with Decoders(beside=True) as decoders:
        await ready(decoders)
        assert await decoders.run(columns, 50_000) == columns(50_000)


async def test_an_error_keeps_what_it_carries() -> None:
    """What a decoder says of a page arrives with its words, request and digest."""
    async with Decoders(beside=True) as decoders:
        await ready(decoders)
        with pytest.raises(BadAnswer, match="not JSON") as caught:
            await decoders.run(refuse, "not JSON")
    assert (caught.value.request_id, caught.value.digest) == ("r1", "d1")


async def test_a_process_that_dies_costs_nothing_but_speed() -> None:
    """Its page and all that follow are decoded here."""
    async with Decoders(beside=True) as decoders:
        os.kill(await ready(decoders), signal.SIGKILL)
        here = [await decoders.run(where) for _ in range(3)]
    assert set(here) == {os.getpid()}


async def test_a_fault_of_our_own_is_met_here() -> None:
    """It ends the process beside, and is raised where a person can see its trace."""
    async with Decoders(beside=True) as decoders:
        await ready(decoders)
        with pytest.raises(ZeroDivisionError):
            await decoders.run(stumble)


async def test_without_an_interpreter_to_start_everything_is_decoded_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program that embeds Python has no command to start a second one with."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    async with Decoders(beside=True) as decoders:
        assert await decoders.run(where) == os.getpid()


async def test_two_pages_are_decoded_at_a_time() -> None:
    """One here and one beside, as soon as that is ready."""
    async with Decoders(beside=True) as decoders:
        other = await ready(decoders)
        both = await asyncio.gather(decoders.run(time.sleep, 0.3), decoders.run(where), decoders.run(where))
    assert {both[1], both[2]} <= {os.getpid(), other}
    assert len(both) == 3


async def test_every_call_gets_its_own_result() -> None:
    """Pages of all sizes, more than there are places, some of them refused: none gets what another one asked for."""

    async def answer(number: int) -> object:
        if number % 3 == 0:
            with pytest.raises(BadAnswer) as caught:
                await decoders.run(refuse, str(number))
            return caught.value.message
        return len(await decoders.run(columns, number * 500))

    async with Decoders(beside=True) as decoders:
        await ready(decoders)
        answers = await asyncio.gather(*map(answer, range(200)))
    assert answers == [str(number) if number % 3 == 0 else number * 500 for number in range(200)]


async def test_a_process_that_dies_gives_back_all_that_it_was_asked() -> None:
    """The page that it was at, and the one that waited in its pipe."""
    async with Decoders(beside=True) as decoders:
        pid = await ready(decoders)
        asked = [asyncio.create_task(decoders.run(time.sleep, 0.5)) for _ in range(3)]
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        await asyncio.wait_for(asyncio.gather(*asked), 30)
        assert await decoders.run(where) == os.getpid()


def test_a_process_that_was_closed_is_gone_to_whoever_comes_late() -> None:
    """One thread finds it dead and closes it while another waits for its turn with the pipe."""
    process = Process()
    process.close()
    with pytest.raises(EOFError):
        process.call(os.getpid)


async def test_it_ends_with_the_run() -> None:
    """No process is left behind."""
    async with Decoders(beside=True) as decoders:
        pid = await ready(decoders)
    assert not psutil.pid_exists(pid)


def test_the_process_has_no_key_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is private here cannot be looked up there; the rest is as it is here."""
    monkeypatch.setenv("MASSIVE_API_KEY", "sentinel")
    monkeypatch.setenv("Some_Token", "sentinel")
    process = Process()
    try:
        environment = psutil.Process(process.pid).environ()
    finally:
        process.close()
    assert "sentinel" not in environment.values()
    assert environment["PATH"] == os.environ["PATH"]


def test_it_does_not_outlive_a_parent_that_is_killed() -> None:
    """Its standard input ends with the parent, and so does it."""
    with subprocess.Popen([sys.executable, "-c", CHILD_OF_A_PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    for _ in range(200):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.05)
    else:
        raise AssertionError(f"process {pid} is still there")


def test_ctrl_c_is_for_the_parent() -> None:
    """The process is in a group of its own, which a terminal's Ctrl-C does not reach."""
    process = Process()
    try:
        assert os.getpgid(process.pid) != os.getpgid(0)
    finally:
        process.close()
