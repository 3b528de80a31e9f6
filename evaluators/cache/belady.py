"""Belady's rule (MIN, 1966): evict the object whose next request is farthest. The bound for unit sizes.

Rules, the same as for every policy: each request counts, a first touch is a miss, eviction comes before
insertion, and a missed object is always stored unless it is larger than the cache. A policy with `admit` need
not store it: its bound is the rule *with bypass*, in which the missed object is passed by if its own next request
is the farthest. Objects that are never requested again go first, lowest id first. In bytes the rule ignores
sizes, so there it is a strong reference and not a bound: finding the optimum is NP-hard.

How: the residents are kept as a *set of integers* ordered by who leaves first. An object never requested
again is its id; one with next request t is `n_objects + n - 1 - t`. Each t belongs to one object only, so
the set names the residents exactly, request t is a hit if and only if its integer is in the set, and the
victim is the smallest integer. The set (:mod:`evaluators.cache.integers`) finds it in at most
log64(n + n_objects) steps, whatever the capacity, without a heap. Cost: 8 bytes a request for the next
requests and 0.13 bytes for each request and object for the set; 8 bytes an object for the sizes in bytes mode.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from evaluators.cache.integers import contains, empty_set, insert, remove, smallest


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
def _misses(ids, upcoming, n_objects, capacity, bypass, words, starts):  # type: ignore[no-untyped-def]
    n = ids.shape[0]
    used = 0
    misses = 0
    for i in range(n):
        now = n_objects + n - 1 - i
        rank = _rank(ids[i], upcoming[i], n, n_objects)
        if contains(words, now):
            remove(words, starts, now)
        else:
            misses += 1
            if used < capacity:
                used += 1
            else:
                victim = smallest(words, starts)
                if bypass and rank < victim:
                    continue
                remove(words, starts, victim)
        insert(words, starts, rank)
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
        if contains(words, now):
            remove(words, starts, now)
            used -= stored[ids[i]]
        else:
            misses += 1
            missed_bytes += size
        if size > capacity:  # bypassed on a miss; on a hit it has grown too large and leaves
            continue
        # The object of this request is not in the set now, so it cannot be its own victim.
        while used + size > capacity:
            rank = smallest(words, starts)
            remove(words, starts, rank)
            victim = rank if rank < n_objects else np.int64(ids[n_objects + n - 1 - rank])
            used -= stored[victim]
        stored[ids[i]] = size
        used += size
        insert(words, starts, _rank(ids[i], upcoming[i], n, n_objects))
    return misses, missed_bytes


def next_access(ids: NDArray[np.integer[Any]], n_objects: int) -> NDArray[np.int64]:
    """Returns for each request the index of the next request to the same object, or n if there is none.

    Args:
        ids: Dense object ids [n] in [0, n_objects).
        n_objects: Distinct objects.
    """
    result: NDArray[np.int64] = _next_access(ids, n_objects)
    return result


def belady_misses(ids: NDArray[np.integer[Any]], n_objects: int, capacity: int, bypass: bool = False) -> int:
    """Returns the misses of Belady's rule when every object counts 1.

    Args:
        ids: Dense object ids [n] in [0, n_objects).
        n_objects: Distinct objects.
        capacity: Objects the cache holds, at least 1.
        bypass: Whether a missed object may stay outside.

    Raises:
        ValueError: The capacity is below 1.
    """
    _check_capacity(capacity)
    words, starts = empty_set(n_objects + len(ids))
    return int(_misses(ids, _next_access(ids, n_objects), n_objects, capacity, bypass, words, starts))


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
    words, starts = empty_set(n_objects + len(ids))
    upcoming = _next_access(ids, n_objects)
    misses, missed = _misses_bytes(ids, sizes, upcoming, n_objects, capacity_bytes, words, starts)
    return int(misses), int(missed)


def _check_capacity(capacity: int) -> None:
    if capacity < 1:
        raise ValueError(f"capacity is {capacity}; it must be at least 1")
