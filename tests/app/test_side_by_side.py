"""Work shared among threads: in order, never far ahead, and with its errors."""

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapless.app.side_by_side import side_by_side
from gapless.errors import StoreDamaged


@given(st.lists(st.integers(), max_size=40))
def test_answers_come_in_the_order_of_the_works(numbers: list[int]) -> None:
    """However the threads take turns."""
    assert side_by_side(partial(abs, number) for number in numbers) == [abs(n) for n in numbers]


def test_few_works_are_begun_before_the_first_is_done() -> None:
    """What is begun holds memory: while one work hangs, only a handful of others is asked for."""
    go, begun = threading.Event(), list[int]()

    def works() -> Iterator[Callable[[], int]]:
        for number in range(50):
            begun.append(number)
            if number == 10:  # more than are begun ahead: the first one has to be done by now, or has to hang
                assert go.is_set()
            yield (lambda: int(go.wait(60))) if number == 0 else int

    threading.Timer(0.2, go.set).start()
    assert side_by_side(works()) == [1] + [0] * 49
    assert len(begun) == 50


def test_what_a_work_raises_is_raised() -> None:
    """Damage in one of many is told, whatever comes after it."""

    def damaged() -> int:
        raise StoreDamaged("a segment is not what its checksum says")

    with pytest.raises(StoreDamaged, match="checksum"):
        side_by_side([*[lambda: 0] * 2, damaged, *[lambda: 0] * 20])
