"""Storms and outages cost no job and are probed gently; a rate that nobody states is found. And: both can fail."""

import asyncio
from collections.abc import Callable

import pytest

from fetch.scripted_vendor import Inline
from gapless.fetch import Limiter, Rate
from gapless.fetch import limiter as limiting
from gapless.fetch.seeking import Seeker
from torture import storms
from torture.virtual_time import LoopClock, VirtualLoop

STORMS, SOUGHT = storms.HARNESSES


def test_storms_and_outages_break_no_promise() -> None:
    """At 5 and 60 requests a minute; the sandbox counts our own faults, the clock is virtual."""
    figure = STORMS.measure(STORMS.small, 1)
    assert (figure.tried, figure.broken) == (STORMS.small, 0), str(figure)


def _deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures do not hold anything back."""
    monkeypatch.setattr(Limiter, "failed", lambda _: None)


def _off_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request more in a window than is allowed."""
    monkeypatch.setattr(Limiter, "_calls", property(lambda self: self._rate.calls + 1))
    monkeypatch.setattr(Limiter, "_rest_here", lambda _: 0.0)


def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 429 counts as a failure like any other."""
    monkeypatch.setattr("gapless.engine.asking._counts", lambda *_: True)
    monkeypatch.setattr("gapless.fetch.retry.RateLimited", type("Nothing", (Exception,), {}))
    monkeypatch.setattr("gapless.fetch.retry.MOST_ATTEMPTS", 6)  # twelve, a minute apart, outlast the storm


def _timid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tenths of every window are not used."""
    monkeypatch.setattr(limiting, "_GUARD_SHARE", 0.3)
    monkeypatch.setattr(limiting, "_GUARD_MOST", 100.0)


@pytest.mark.parametrize(
    ("plant", "kind", "calls"),
    [(_deaf, 1, 5), (_off_by_one, 0, 5), (_impatient, 0, 5), (_timid, 0, 5)],
    ids=["outage not noticed", "limiter off by one", "429 fails a job", "budget not used"],
)
def test_a_planted_bug_is_seen_in_the_storm(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], kind: int, calls: int
) -> None:
    """Each of them breaks at least one promise."""
    plant(monkeypatch)
    (storm,) = (s for s in list(storms._storms(4))[kind::2] if s.calls == calls)
    assert storms.weather_it(storm, 1).broken


# -- a rate that nobody states -----------------------------------------------


def test_a_hidden_rate_is_found_within_a_minute() -> None:
    """Nine tenths of it are used and fewer than one answer in a hundred is a 429."""
    figure = SOUGHT.measure(SOUGHT.small, 2)
    assert (figure.tried, figure.broken) == (SOUGHT.small, 0), str(figure)


@pytest.mark.parametrize(
    ("name", "value"),
    [("_cut", lambda *_: None), ("_growth", lambda _: 0.0)],
    ids=["never slower", "never faster"],
)
def test_a_planted_bug_is_seen_in_the_seeking(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Callable[..., None]
) -> None:
    """A seeker that does not listen, and one that does not dare."""
    monkeypatch.setattr(Seeker, name, value)
    assert SOUGHT.measure(2, 2).broken > 0


def test_rising_latency_slows_the_seeker_down() -> None:
    """A vendor that serves 20 a second and queues the rest, without ever saying 429, is not drowned."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner, Inline() as counter:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        clock = LoopClock(loop, 0)
        limiter = Limiter(
            storms._QuickTurns(), "p", Rate.parse("auto"), clock=clock, tell=lambda _: None, counter=counter
        )
        waits = runner.run(_queueing(limiter, loop))

    served = [wait for at, wait in waits if at > 40]
    assert len(served) > 0.8 * 20 * 30
    assert sorted(served)[len(served) // 2] < 1.0


async def _queueing(limiter: Limiter, loop: VirtualLoop) -> list[tuple[float, float]]:
    """Ask for 70 s, 64 at a time; when each was asked and how long it took."""
    free_at, waits = 0.0, list[tuple[float, float]]()

    async def worker() -> None:
        nonlocal free_at
        while loop.time() < 70:
            await limiter.turn()
            asked = loop.time()
            free_at = max(free_at, asked) + 1 / 20
            await asyncio.sleep(free_at - asked + 0.05)
            waits.append((asked, loop.time() - asked))
            limiter.eased(loop.time() - asked)

    await asyncio.gather(*(worker() for _ in range(64)))
    return waits
