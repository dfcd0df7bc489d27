"""Who asks next."""

import asyncio

from gapless.engine.line import Line


async def test_the_longest_chain_goes_first() -> None:
    """Of those who wait, the one with the most requests ahead is served first; equals in order of arrival."""
    line, served = Line(), list[str]()

    async def customer(name: str, ahead: int) -> None:
        async with line.front(ahead):
            served.append(name)
            await asyncio.sleep(0)

    async with line.front(1):
        tasks = [asyncio.create_task(customer(*who)) for who in (("a", 1), ("b", 9), ("c", 1), ("d", 4))]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)

    assert served == ["b", "d", "a", "c"]


async def test_one_who_gives_up_keeps_nobody_waiting() -> None:
    """Whoever is cancelled in the line, even in the moment of being called, makes room for the next."""
    line, served = Line(), list[str]()

    async def customer(name: str) -> None:
        async with line.front(1):
            served.append(name)

    async with line.front(1):
        early, called, last = (asyncio.create_task(customer(name)) for name in "abc")
        await asyncio.sleep(0)
        early.cancel()
        await asyncio.sleep(0)
    called.cancel()
    await asyncio.gather(early, called, last, return_exceptions=True)
    await asyncio.wait_for(customer("d"), 1)

    assert served == ["c", "d"]
