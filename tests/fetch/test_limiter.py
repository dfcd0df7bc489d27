"""The rate: never exceeded in any window, used to the full, shared, and obedient to the vendor."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetch.scripted_vendor import FakeTurns, Inline, VirtualClock
from gapless.errors import UsageError
from gapless.fetch import Limiter, Rate, Turns
from gapless.vocabulary.events import Event, Waiting

# -- what a person writes ----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "calls", "per"),
    [
        ("5/min", 5, 60),
        ("150/min", 150, 60),
        ("100/s", 100, 1),
        ("2.5/s", 5, 2),
        ("0.1/s", 1, 10),
        ("1.25/minute", 5, 240),
        (" 10 / Second ", 10, 1),
        ("3600/hour", 3600, 3600),
        ("0.000001/s", 1, 1_000_000),
    ],
)
def test_a_rate_is_read_as_the_smallest_whole_numbers(text: str, calls: int, per: int) -> None:
    """A fraction of a call becomes whole calls in a longer window, exactly."""
    assert Rate.parse(text) == Rate(calls, per)


def test_unlimited_is_no_rate() -> None:
    """Said in so many words, never by leaving something out."""
    assert Rate.parse("unlimited") is None


def test_auto_is_a_rate_that_is_sought() -> None:
    """Up to what the vendor asks everybody to stay below."""
    assert Rate.parse("auto") == Rate(100, 1, sought=True)
    assert str(Rate.parse("auto")) == "what the vendor bears, up to 100/s"


@pytest.mark.parametrize(
    "text", ["", "5", "0/s", "-1/s", "5/fortnight", "1e9/s", "5/min/s", "nan/s", "99999/s"]
)
def test_a_word_that_is_no_rate_is_answered_with_examples(text: str) -> None:
    """The message repeats the word, the hint shows how to write it."""
    with pytest.raises(UsageError, match=r"is not a rate") as caught:
        Rate.parse(text)

    assert "2.5/s" in caught.value.hint


# -- the window --------------------------------------------------------------


def _run(
    clock: VirtualClock,
    rate: Rate | None,
    turns: Turns,
    pauses: Sequence[float],
    tell: "list[Event] | None" = None,
) -> list[float]:
    """Take one turn after each pause; the instants at which they were given."""
    given: list[float] = []

    async def take(counter: Inline) -> None:
        limiter = Limiter(
            turns, "p", rate, clock=clock, tell=(tell if tell is not None else []).append, counter=counter
        )
        for pause in pauses:
            clock.seconds += pause
            await limiter.turn()
            given.append(clock.seconds)

    with Inline() as counter:
        asyncio.run(take(counter))
    return given


def _most_in_a_window(instants: Sequence[float], per: float) -> int:
    """The plain answer: windows that begin at each instant and do not hold their end."""
    return max(sum(start <= t < start + per for t in instants) for start in instants)


@settings(deadline=None, max_examples=60)
@given(
    calls=st.integers(1, 12),
    per=st.integers(1, 60),
    pauses=st.lists(st.one_of(st.just(0.0), st.floats(0, 20)), min_size=1, max_size=40),
)
def test_no_window_ever_holds_more_than_the_rate_allows(calls: int, per: int, pauses: list[float]) -> None:
    """Whatever the pauses between the requests are."""
    given = _run(VirtualClock(), Rate(calls, per), FakeTurns(), pauses)

    assert _most_in_a_window(given, per) <= calls


@settings(deadline=None, max_examples=30)
@given(calls=st.integers(1, 12), per=st.integers(1, 60), rounds=st.integers(1, 4))
def test_the_rate_is_used_to_the_full(calls: int, per: int, rounds: int) -> None:
    """Back to back, each window is full; a guard of a fortieth, 10 ms or 250 ms, is all that is lost."""
    given = _run(VirtualClock(), Rate(calls, per), FakeTurns(), [0.0] * (calls * (rounds + 1)))

    guard = min(max(0.025 * per, 0.01), 0.25) + 0.002
    assert rounds * per <= given[-1] - given[0] <= rounds * (per + guard)


class _BusyTurns(FakeTurns):
    """A store whose lock is sometimes taken: it counts from when it was asked, and answers late."""

    def __init__(self, clock: VirtualClock, delays: Sequence[float]) -> None:
        super().__init__()
        self.clock, self.delays = clock, list(delays)

    def take_turn(self, profile: str, *, calls: int, per: float, now: float) -> float:
        """As in `ports.Store`, late."""
        rest = super().take_turn(profile, calls=calls, per=per, now=now)
        self.clock.seconds += self.delays.pop() if self.delays else 0.0
        return rest


@settings(deadline=None, max_examples=40)
@given(calls=st.integers(1, 6), delays=st.lists(st.floats(0, 3), max_size=30))
def test_a_store_that_answers_late_does_not_break_the_rate(calls: int, delays: list[float]) -> None:
    """A turn that is used later than it was counted pushes the ones after it."""
    clock = VirtualClock()

    given = _run(clock, Rate(calls, 2), _BusyTurns(clock, delays), [0.0] * 25)

    assert _most_in_a_window(given, 2) <= calls


async def test_two_processes_share_one_rate() -> None:
    """Two limiters on one store never give more together than one may alone."""
    clock, turns, given = VirtualClock(), FakeTurns(), list[float]()
    with Inline() as counter:
        limiters = [
            Limiter(turns, "p", Rate(5, 60), clock=clock, tell=print, counter=counter) for _ in range(2)
        ]

        async def take(limiter: Limiter) -> None:
            for _ in range(11):
                await limiter.turn()
                given.append(clock.seconds)

        await asyncio.gather(*map(take, limiters))

    assert len(given) == 22
    assert _most_in_a_window(given, 60) <= 5


async def test_turns_are_given_in_the_order_of_asking() -> None:
    """First come, first served."""
    clock, order = VirtualClock(), list[int]()
    with Inline() as counter:
        limiter = Limiter(FakeTurns(), "p", Rate(1, 1), clock=clock, tell=print, counter=counter)

        async def take(number: int) -> None:
            await limiter.turn()
            order.append(number)

        await asyncio.gather(*(take(n) for n in range(8)))

    assert order == list(range(8))


def test_a_long_wait_is_told_with_its_reason() -> None:
    """What the rate is and how long it takes; short waits are not worth a word."""
    told: list[Event] = []

    _run(VirtualClock(), Rate(5, 60), FakeTurns(), [0.0] * 6, told)
    _run(VirtualClock(), Rate(5, 1), FakeTurns(), [0.0] * 6, told)

    (wait,) = told
    assert isinstance(wait, Waiting)
    assert (wait.why, round(wait.seconds, 2)) == ("p: the rate is 5/min", 60.25)


# -- after a 429 -------------------------------------------------------------


async def _holds(rate: Rate | None, answers: Sequence[float | None], *, apart: float = 1000.0) -> list[float]:
    clock, turns, waits, told = VirtualClock(), FakeTurns(), list[float](), list[Event]()
    with Inline() as counter:
        limiter = Limiter(turns, "p", rate, clock=clock, tell=told.append, counter=counter)
        for retry_after in answers:
            began = clock.seconds
            await limiter.hold(retry_after)
            await limiter.turn()
            waits.append(round(clock.seconds - began, 2))
            clock.seconds += apart
    return waits


@pytest.mark.parametrize("rate", [Rate(5, 60), Rate(5, 2), None])
async def test_retry_after_is_obeyed(rate: Rate | None) -> None:
    """Nobody gets a turn before the vendor said so, with or without a rate; five minutes are the most."""
    assert await _holds(rate, [7.0, 40.0, 9999.0]) == [7.0, 40.0, 300.0]


async def test_a_retry_after_of_zero_is_not_an_invitation_to_spin() -> None:
    """A tenth of a second is the least."""
    assert await _holds(None, [0.0, 0.0]) == [0.1, 0.1]


@pytest.mark.parametrize(
    ("rate", "waits"),
    [
        (Rate(5, 60), [12, 24, 48, 60, 60]),
        (Rate(5, 2), [1, 2, 2, 2, 2]),
        (Rate(100, 1), [1, 1, 1, 1, 1]),
        (None, [1, 2, 4, 8, 16]),
    ],
)
async def test_without_retry_after_the_wait_grows_to_a_window(rate: Rate | None, waits: list[float]) -> None:
    """From the even pace of the rate up to a whole window, for as long as the 429s go on."""
    assert await _holds(rate, [None] * 5) == waits


async def test_an_answer_puts_an_end_to_growing() -> None:
    """After a success the next 429 is a first one."""
    clock, turns = VirtualClock(), FakeTurns()
    with Inline() as counter:
        limiter = Limiter(turns, "p", Rate(5, 60), clock=clock, tell=print, counter=counter)
        first = await limiter.hold(None)
        clock.seconds += 1000
        limiter.eased()

        assert (first, await limiter.hold(None)) == (12.0, 12.0)


async def test_a_turn_counts_from_when_its_request_left() -> None:
    """A new connection took 0.7 seconds: the vendor counts from then, and so does the next turn."""
    clock = VirtualClock()
    with Inline() as counter:
        limiter = Limiter(FakeTurns(), "p", Rate(2, 10), clock=clock, tell=lambda _: None, counter=counter)
        began = clock.seconds
        for late in (0.7, 0.1, 0.0):
            await limiter.turn()
            clock.seconds += late
            limiter.sent()

        assert clock.seconds - began == pytest.approx(0.7 + 10.25)


@settings(deadline=None, max_examples=60)
@given(calls=st.integers(1, 5), lates=st.lists(st.floats(0, 1.9), min_size=1, max_size=40))
def test_processes_that_use_their_turns_late_do_not_break_the_rate(calls: int, lates: list[float]) -> None:
    """Two on one store, by turns; whatever each one's connections take, the vendor counts when a request leaves."""
    clock, turns, left = VirtualClock(), FakeTurns(), list[float]()

    async def take(counter: Inline) -> None:
        both = [
            Limiter(turns, "p", Rate(calls, 2), clock=clock, tell=lambda _: None, counter=counter)
            for _ in range(2)
        ]
        for number, late in enumerate(lates):
            limiter = both[number % 2]
            await limiter.turn()
            clock.seconds += late
            limiter.sent()
            left.append(clock.seconds)

    with Inline() as counter:
        asyncio.run(take(counter))

    assert _most_in_a_window(left, 2) <= calls


async def test_429s_to_requests_of_one_burst_count_once() -> None:
    """Ten answers to what was sent before the hold do not make it longer."""
    clock, turns = VirtualClock(), FakeTurns()
    with Inline() as counter:
        limiter = Limiter(turns, "p", Rate(5, 60), clock=clock, tell=print, counter=counter)
        for _ in range(10):
            await limiter.hold(None)

    assert turns.held["p"] == pytest.approx(clock.seconds + 12)


class PutBackClock(VirtualClock):
    """Its date was put back by an hour; its seconds go on."""

    back = 0.0

    def now(self) -> int:
        """Unix milliseconds."""
        return super().now() - round(self.back * 1000)


@pytest.mark.parametrize("fault", ["429", "no answers"])
async def test_a_clock_that_is_put_back_does_not_lengthen_a_hold(fault: str) -> None:
    """What this process holds back for itself ends after as many seconds, whatever the date says."""
    clock = PutBackClock()
    with Inline() as counter:
        limiter = Limiter(FakeTurns(), "p", None, clock=clock, tell=lambda _: None, counter=counter)
        if fault == "429":
            await limiter.hold(30.0)
        for _ in range(20):
            limiter.failed()
        began, clock.back = clock.seconds, 3600.0
        await limiter.turn()

        assert clock.seconds - began <= 60.0


async def test_a_hold_is_told_with_its_reason() -> None:
    """Whoever watches sees that the vendor, not the rate, makes it wait."""
    clock, told = VirtualClock(), list[Event]()
    with Inline() as counter:
        limiter = Limiter(FakeTurns(), "p", Rate(5, 60), clock=clock, tell=told.append, counter=counter)
        await limiter.hold(30.0)
        await limiter.turn()

    (wait,) = told
    assert isinstance(wait, Waiting)
    assert (wait.why, round(wait.seconds, 2)) == ("p: the vendor asked to slow down", 30.0)


# -- while the vendor is down ------------------------------------------------


async def _asked_while_down(seconds: float, rate: Rate | None, workers: int) -> list[float]:
    """The seconds at which a vendor is asked that answers nothing."""
    clock, asked = VirtualClock(), list[float]()
    began = clock.seconds
    with Inline() as counter:
        limiter = Limiter(FakeTurns(), "p", rate, clock=clock, tell=lambda _: None, counter=counter)

        async def worker() -> None:
            while clock.seconds < began + seconds:
                await limiter.turn()
                asked.append(clock.seconds - began)
                limiter.failed()

        await asyncio.gather(*(worker() for _ in range(workers)))
    return asked


@pytest.mark.parametrize(("rate", "window"), [(Rate(150, 60), 60), (None, 60), (Rate(90, 1), 1)])
async def test_a_vendor_that_is_down_is_asked_once_a_window(rate: Rate | None, window: int) -> None:
    """After eight failures in a row one request asks for all, and the waits double up to a window."""
    asked = await _asked_while_down(600.0, rate, 8)

    assert len(asked) <= 8 + 7 + 600 / window + 8
    assert all(later - at > 0.9 * window for at, later in pairwise(asked[20:-8]))


async def test_while_the_vendor_says_no_one_request_asks_for_all() -> None:
    """After a hold the others wait until the first one was answered."""
    clock, order = VirtualClock(), list[str]()
    with Inline() as counter:
        limiter = Limiter(FakeTurns(), "p", Rate(5, 60), clock=clock, tell=lambda _: None, counter=counter)
        await limiter.hold(None)

        async def ask(name: str) -> None:
            await limiter.turn()
            order.append(f"{name} goes")
            await clock.sleep(2.0)
            order.append(f"{name} is answered")
            limiter.eased()

        await asyncio.gather(*map(ask, "ab"))

    assert order[:3] == ["a goes", "a is answered", "b goes"]
