"""A set of integers that finds its smallest member at once: a 64-ary tree of bitmaps.

The lowest level has one bit for each integer of the universe, each level above one bit for each word below that
is not zero. Every operation takes at most log64(universe) steps; memory is 1.02 bits an integer.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_BIT_INDEX = np.zeros(64, np.int64)  # top six bits of (1 << k) * _DE_BRUIJN -> k
for _k in range(64):
    _BIT_INDEX[((1 << _k) * int(_DE_BRUIJN) & (2**64 - 1)) >> 58] = _k


def empty_set(universe: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Returns (words, first word of each level) of an empty set over [0, universe); level 0 has members."""
    starts, words, size = [], 0, universe
    while True:
        size = -(-size // 64)
        starts.append(words)
        words += size
        if size == 1:
            return np.zeros(words, np.uint64), np.array(starts, np.int64)


@njit(cache=True, inline="always")
def _lowest_bit(word):  # type: ignore[no-untyped-def]
    return _BIT_INDEX[((word & (~word + np.uint64(1))) * _DE_BRUIJN) >> np.uint64(58)]


@njit(cache=True, inline="always")
def contains(words, x):  # type: ignore[no-untyped-def]
    """Whether x is a member."""
    return (words[x >> 6] >> np.uint64(x & 63)) & np.uint64(1) != np.uint64(0)


@njit(cache=True, inline="always")
def insert(words, starts, x):  # type: ignore[no-untyped-def]
    """Puts x in."""
    for level in range(starts.shape[0]):
        at = starts[level] + (x >> 6)
        before = words[at]
        words[at] = before | (np.uint64(1) << np.uint64(x & 63))
        if before != np.uint64(0):  # the levels above already say "not empty"
            return
        x >>= 6


@njit(cache=True, inline="always")
def remove(words, starts, x):  # type: ignore[no-untyped-def]
    """Takes the member x out."""
    for level in range(starts.shape[0]):
        at = starts[level] + (x >> 6)
        words[at] &= ~(np.uint64(1) << np.uint64(x & 63))
        if words[at] != np.uint64(0):
            return
        x >>= 6


@njit(cache=True, inline="always")
def smallest(words, starts):  # type: ignore[no-untyped-def]
    """The smallest member of a set that is not empty."""
    x = 0
    for level in range(starts.shape[0] - 1, -1, -1):
        x = (x << 6) | _lowest_bit(words[starts[level] + x])
    return x


@njit(cache=True)
def at_least(words, starts, x):  # type: ignore[no-untyped-def]
    """The smallest member >= x, -1 if there is none."""
    for level in range(starts.shape[0]):
        end = starts[level + 1] if level + 1 < starts.shape[0] else words.shape[0]
        at = starts[level] + (x >> 6)
        if at >= end:
            return np.int64(-1)
        word = words[at] & (~np.uint64(0) << np.uint64(x & 63))
        if word != np.uint64(0):
            x = (x & ~63) | _lowest_bit(word)
            for below in range(level - 1, -1, -1):
                x = (x << 6) | _lowest_bit(words[starts[below] + x])
            return np.int64(x)
        x = (x >> 6) + 1
    return np.int64(-1)
