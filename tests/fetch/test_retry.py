"""When to ask again, and when to give up."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.errors import BadAnswer, NetworkError, RateLimited, Retriable, ServerError
from gapless.fetch import delay_before

FAILURES = [NetworkError("x"), ServerError("x", status=503)]


@pytest.mark.parametrize(("error", "attempts"), [*((e, 6) for e in FAILURES), (BadAnswer("x"), 4)])
def test_giving_up_after_so_many_attempts(error: Retriable, attempts: int) -> None:
    """Six for what did not come through, four for what cannot be believed."""
    delays = [delay_before(error, n, rng=random.Random(1)) for n in range(1, attempts + 1)]

    assert None not in delays[:-1]
    assert delays[-1] is None


@given(seed=st.integers(), attempt=st.integers(1, 99))
def test_the_wait_is_random_below_a_bound_that_doubles(seed: int, attempt: int) -> None:
    """Half a second, one, two, ... and never more than thirty."""
    delay = delay_before(NetworkError("x"), attempt, rng=random.Random(seed), attempts=100)

    assert delay is not None
    assert 0 <= delay <= min(30, 0.5 * 2 ** (attempt - 1))


def test_many_jobs_do_not_come_back_at_once() -> None:
    """Full jitter: the whole range is used."""
    rng = random.Random(7)
    delays = [delay_before(NetworkError("x"), 5, rng=rng) or 0.0 for _ in range(1000)]

    assert min(delays) < 0.1
    assert max(delays) > 7.9


@given(attempt=st.integers(1, 10_000))
def test_a_rate_limit_never_gives_up(attempt: int) -> None:
    """It waits as long as the vendor said, or a minute at most."""
    rng = random.Random(1)

    assert delay_before(RateLimited("x", retry_after=17.0), attempt, rng=rng) == 17.0
    assert 1 <= (delay_before(RateLimited("x"), attempt, rng=rng) or 0) <= 60


@pytest.mark.parametrize(("pace", "delays"), [(12.0, [12, 24, 48, 60, 60]), (0.4, [1, 2, 4, 8, 16])])
def test_a_rate_limit_without_a_time_waits_from_the_pace_on(pace: float, delays: list[float]) -> None:
    """At 5 a minute from 12 s, at 2.5 a second from 1 s, doubling up to a minute."""
    error = RateLimited("x")

    assert [delay_before(error, n, rng=random.Random(1), pace=pace) for n in range(1, 6)] == delays


@pytest.mark.parametrize(
    ("failing", "attempts"), [(0.0, 4), (0.001, 4), (0.01, 4), (0.12, 8), (0.2, 11), (0.5, 12), (1.0, 12)]
)
def test_a_page_is_not_given_up_for_what_happens_to_all(failing: float, attempts: int) -> None:
    """At one failure in five, eleven in a row are one chance in ten million; twelve are always enough."""
    rng = random.Random(1)
    delays = [delay_before(BadAnswer("x"), n, failing, rng=rng) for n in range(1, attempts + 1)]
    assert [delay is None for delay in delays] == [False] * (attempts - 1) + [True]
