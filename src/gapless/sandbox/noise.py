"""Randomness by address: every number is a pure function of where it is asked for."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from gapless.vocabulary.batch import Floats, Ints

Bits = NDArray[np.uint64]

_OCTAVES = tuple(4**n for n in range(11))
"""Minutes from one knot of the price to the next, for each layer of it: one minute to two years."""


def random_bits(seed: int, ticker: str, stream: str, at: Ints) -> Bits:
    """64 random bits for every instant (splitmix64)."""
    key = hashlib.blake2b(f"{seed}|{ticker}|{stream}".encode(), digest_size=8).digest()
    bits = at.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.frombuffer(key, np.uint64)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def dice_of(bits: Bits) -> list[Floats]:
    """Four independent numbers in [0, 1) from each 64 bits."""
    return [((bits >> np.uint64(16 * n)) & np.uint64(0xFFFF)).astype(np.float64) * 2.0**-16 for n in range(4)]


def wander(seed: int, ticker: str, minutes: Ints) -> Floats:
    """A walk without steps: layers of straight lines between random knots; its moves grow like a root of time."""
    walk = np.zeros(len(minutes))
    for width in _OCTAVES:
        knot = minutes // width
        first = int(knot[0])
        knots = random_bits(seed, ticker, f"walk{width}", np.arange(first, int(knot[-1]) + 2))
        height = ((knots >> np.uint64(11)) * 2.0**-52 - 1.0) * width**0.5
        at = knot - first
        part = (minutes - knot * width) * (1 / width)
        left = height[at]
        walk += left + (height[at + 1] - left) * part
    return walk
