"""Belady's rule (MIN, 1966): evict the object whose next request is farthest. The bound for unit sizes.

Rules, the same as for every policy: each request counts, a first touch is a miss, eviction comes before
insertion, and a missed object is always stored unless it is larger than the cache. Objects that are never
requested again go first, lowest id first. In bytes the rule ignores sizes, so there it is a strong reference
and not a bound: finding the optimum is NP-hard.

How: the residents are kept as a *set of integers* ordered by who leaves first. An object never requested
again is its id; one with next request t is `n_objects + n - 1 - t`. Each t belongs to one object only, so
the set names the residents exactly, request t is a hit if and only if its integer is in the set, and the
victim is the smallest integer. A 64-ary tree of bitmaps finds it in at most log64(n + n_objects) steps,
whatever the capacity, without a heap. Cost: 8 bytes a request for the next requests and 0.13 bytes for each
request and object for the set; 8 bytes an object for the sizes in bytes mode.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_BIT_INDEX = np.zeros(64, np.int64)  # top six bits of (1 << k) * _DE_BRUIJN -> k
for _k in range(64):
    _BIT_INDEX[((1 << _k) * int(_DE_BRUIJN) & (2**64 - 1)) >> 58] = _k


def _empty_set(universe: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Returns (words, first word of each level) of an empty set over [0, universe); level 0 has members."""
    starts, words, size = [], 0, universe
    while True:
        size = -(-size // 64)
        starts.append(words)
        words += size
        if size == 1:
            return np.zeros(words, np.uint64), np.array(starts, np.int64)


@njit(cache=True, inline="always")
def _contains(words, x):  # type: ignore[no-untyped-def]
    return (words[x >> 6] >> np.uint64(x & 63)) & np.uint64(1) != np.uint64(0)


@njit(cache=True, inline="always")
def _insert(words, starts, x):  # type: ignore[no-untyped-def]
    for level in range(starts.shape[0]):
        at = starts[level] + (x >> 6)
        before = words[at]
        words[at] = before | (np.uint64(1) << np.uint64(x & 63))
        if before != np.uint64(0):  # the levels above already say "not empty"
            return
        x >>= 6


@njit(cache=True, inline="always")
def _remove(words, starts, x):  # type: ignore[no-untyped-def]
    for level in range(starts.shape[0]):
        at = starts[level] + (x >> 6)
        words[at] &= ~(np.uint64(1) << np.uint64(x & 63))
        if words[at] != np.uint64(0):
            return
        x >>= 6


@njit(cache=True, inline="always")
def _smallest(words, starts):  # type: ignore[no-untyped-def]
    """The smallest member of a set that is not empty."""
    x = 0
    for level in range(starts.shape[0] - 1, -1, -1):
        word = words[starts[level] + x]
        lowest = word & (~word + np.uint64(1))
        x = (x << 6) | _BIT_INDEX[(lowest * _DE_BRUIJN) >> np.uint64(58)]
    return x


@njit(cache=True)
def _next_access(ids, n_objects):  # type: ignore[no-untyped-def]
    n = ids.shape[0]
    upcoming = np.full(n_objects, n, np.int64)
    out = np.empty(n, np.int64)
    for i in range(n - 1, -1, -1):
        out[i] = upcoming[ids[i]]
        upcoming[ids[i]] = i
    return out


@njit(cache=True)
def _rank(object_id, upcoming, n, n_objects):  # type: ignore[no-untyped-def]
    """Position of a resident in the order of eviction (see the module)."""
    if upcoming == n:
        return np.int64(object_id)
    return np.int64(n_objects + n - 1 - upcoming)


@njit(cache=True)
def _misses(ids, upcoming, n_objects, capacity, words, starts):  # type: ignore[no-untyped-def]
    n = ids.shape[0]
    used = 0
    misses = 0
    for i in range(n):
        now = n_objects + n - 1 - i
        if _contains(words, now):
            _remove(words, starts, now)
        else:
            misses += 1
            if used == capacity:
                _remove(words, starts, _smallest(words, starts))
            else:
                used += 1
        _insert(words, starts, _rank(ids[i], upcoming[i], n, n_objects))
    return misses


@njit(cache=True)
def _misses_bytes(ids, sizes, upcoming, n_objects, capacity, words, starts):  # type: ignore[no-untyped-def]
    n = ids.shape[0]
    stored = np.zeros(n_objects, np.int64)
    used = 0
    misses = 0
    missed_bytes = 0
    for i in range(n):
        now = n_objects + n - 1 - i
        size = sizes[i]
        if _contains(words, now):
            _remove(words, starts, now)
            used -= stored[ids[i]]
        else:
            misses += 1
            missed_bytes += size
        if size > capacity:  # bypassed on a miss; on a hit it has grown too large and leaves
            continue
        # The object of this request is not in the set now, so it cannot be its own victim.
        while used + size > capacity:
            rank = _smallest(words, starts)
            _remove(words, starts, rank)
            victim = rank if rank < n_objects else np.int64(ids[n_objects + n - 1 - rank])
            used -= stored[victim]
        stored[ids[i]] = size
        used += size
        _insert(words, starts, _rank(ids[i], upcoming[i], n, n_objects))
    return misses, missed_bytes


def next_access(ids: NDArray[np.integer[Any]], n_objects: int) -> NDArray[np.int64]:
    """Returns for each request the index of the next request to the same object, or n if there is none.

    Args:
        ids: Dense object ids [n] in [0, n_objects).
        n_objects: Distinct objects.
    """
    result: NDArray[np.int64] = _next_access(ids, n_objects)
    return result


def belady_misses(ids: NDArray[np.integer[Any]], n_objects: int, capacity: int) -> int:
    """Returns the misses of Belady's rule when every object counts 1.

    Args:
        ids: Dense object ids [n] in [0, n_objects).
        n_objects: Distinct objects.
        capacity: Objects the cache holds, at least 1.

    Raises:
        ValueError: The capacity is below 1.
    """
    _check_capacity(capacity)
    words, starts = _empty_set(n_objects + len(ids))
    return int(_misses(ids, _next_access(ids, n_objects), n_objects, capacity, words, starts))


def belady_misses_bytes(
    ids: NDArray[np.integer[Any]], sizes: NDArray[np.int64], n_objects: int, capacity_bytes: int
) -> tuple[int, int]:
    """Returns (misses, missed bytes) of Belady's rule when objects count their size.

    An object larger than the cache is bypassed. If a resident object is requested with another size, the
    request is a hit, the new size applies, and others leave until it fits; if it now exceeds the whole cache,
    it leaves itself.

    Args:
        ids: Dense object ids [n] in [0, n_objects).
        sizes: Bytes of each request [n], at least 1.
        n_objects: Distinct objects.
        capacity_bytes: Bytes the cache holds, at least 1.

    Raises:
        ValueError: The capacity is below 1.
    """
    _check_capacity(capacity_bytes)
    words, starts = _empty_set(n_objects + len(ids))
    upcoming = _next_access(ids, n_objects)
    misses, missed = _misses_bytes(ids, sizes, upcoming, n_objects, capacity_bytes, words, starts)
    return int(misses), int(missed)


def _check_capacity(capacity: int) -> None:
    if capacity < 1:
        raise ValueError(f"capacity is {capacity}; it must be at least 1")
