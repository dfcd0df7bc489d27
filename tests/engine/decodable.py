"""Work that the tests of decoding hand to another process, which imports it by name."""

import os

import numpy as np

from gapless.errors import BadAnswer
from gapless.vocabulary.batch import Batch


def columns(rows: int) -> Batch:
    """A page's worth of bars."""
    whole, broken = np.arange(rows, dtype=np.int64), np.linspace(1.0, 2.0, rows)
    return Batch(whole, broken, broken + 1, broken - 1, broken, broken * 3, broken / 7, whole)


def refuse(words: str) -> None:
    """A decoder that does not like its page."""
    raise BadAnswer(words, request_id="r1", digest="d1")


def where() -> int:
    """Which process this is."""
    return os.getpid()


def stumble() -> None:
    """A fault of our own."""
    raise ZeroDivisionError
