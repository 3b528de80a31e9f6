"""Belady's rule with sizes: evict the largest product of size and distance to the next request.

A heuristic reference for caches that count bytes, not a proved bound: the optimum there is NP-hard. It misses
less than Belady's rule, which ignores sizes, because many small objects fit where one large one was. Exactly:
when room is needed at request i, the resident with the largest `size x (next request - i)` leaves, the
larger of two equal ones, until the missed object fits. Objects never requested again have an infinite distance
and go first; their order cannot matter. All other rules are those of :mod:`evaluators.cache.belady`.
All residents are compared; libcachesim's BeladySize draws 128 at random.

How: among residents of one size the farthest next request leaves first, so each distinct size needs its farthest
only: a set of integers holds the next requests, grouped by size and farthest first. Between sizes the products
are straight lines in i, falling the faster the larger the size, so the order changes with time: a kinetic
tournament keeps the largest. Each of its nodes knows the winner of its half of the sizes and the request up
to which that is certain; what is still certain is not looked at. Cost: O(log n) a hit, O(log n + log^2 of the
number of sizes) a store or an eviction, 40 bytes a request.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from evaluators.cache.belady import next_access
from evaluators.cache.integers import at_least, contains, empty_set, insert, remove

_FOREVER = np.int64(2**62)
_NOTHING = np.int64(-1)


def belady_size_misses(
    ids: NDArray[np.integer[Any]], sizes: NDArray[np.int64], n_objects: int, capacity_bytes: int
) -> tuple[int, int]:
    """Returns (misses, missed bytes).

    Args:
        ids: Dense object ids [n] in [0, n_objects).
        sizes: Bytes of each request [n], at least 1; a hit with another size applies it.
        n_objects: Distinct objects.
        capacity_bytes: Bytes the cache holds, at least 1.

    Raises:
        ValueError: The capacity is below 1.
    """
    if capacity_bytes < 1:
        raise ValueError(f"capacity is {capacity_bytes}; it must be at least 1")
    upcoming = next_access(ids, n_objects)
    # Request i leaves its object resident with size sizes[i] until request upcoming[i]. Its place in the set: by
    # size, then the farthest next request first.
    order = np.lexsort((-upcoming, sizes))
    place = np.empty(len(ids), np.int64)
    place[order] = np.arange(len(ids))
    classes, first = np.unique(sizes[order], return_index=True)
    group = np.searchsorted(classes, sizes)
    bounds = np.append(first, len(ids)).astype(np.int64)
    words, starts = empty_set(len(ids))
    leaves = 1 << max(1, int(len(classes) - 1).bit_length())
    winner = np.full(2 * leaves, _NOTHING)
    winner[leaves : leaves + len(classes)] = np.arange(len(classes))
    misses, missed = _run(
        ids, sizes, upcoming, n_objects, capacity_bytes, group,
        (words, starts, place, order, bounds),
        (classes, winner, np.full(2 * leaves, _FOREVER), np.full(len(classes), _NOTHING), np.zeros(64, np.int64)),
    )  # fmt: skip
    return int(misses), int(missed)


@njit(cache=True)
def _run(ids, sizes, upcoming, n_objects, capacity, group, residents, games):  # type: ignore[no-untyped-def]
    words, starts, place, _, bounds = residents
    classes, winner, _, far, _ = games
    n = ids.shape[0]
    last = np.full(n_objects, _NOTHING)  # latest request of an object
    useless = np.empty(n, np.int64)  # sizes of residents never requested again
    n_useless = 0
    used = 0
    misses = 0
    missed_bytes = 0
    for i in range(n):
        size = sizes[i]
        before = last[ids[i]]
        last[ids[i]] = i
        if before >= 0 and contains(words, place[before]):
            used -= sizes[before]
            _take(place[before], group[before], i, upcoming, residents, games)
        else:
            misses += 1
            missed_bytes += size
        if size > capacity:  # bypassed on a miss; on a hit it has grown too large and leaves
            continue
        while used + size > capacity:
            if n_useless > 0:
                n_useless -= 1
                used -= useless[n_useless]
                continue
            _certify(1, i, games)
            k = winner[1]
            used -= classes[k]
            _take(at_least(words, starts, bounds[k]), k, i, upcoming, residents, games)
        used += size
        if upcoming[i] == n:
            useless[n_useless] = size
            n_useless += 1
        else:
            insert(words, starts, place[i])
            if upcoming[i] > far[group[i]]:
                far[group[i]] = upcoming[i]
                _replay(group[i], i, games)
    return misses, missed_bytes


@njit(cache=True)
def _take(at, k, now, upcoming, residents, games):  # type: ignore[no-untyped-def]
    """Takes the resident at a place of the set, of the k-th size, out."""
    words, starts, _, order, bounds = residents
    far = games[3]
    remove(words, starts, at)
    if upcoming[order[at]] == far[k]:
        farthest = at_least(words, starts, bounds[k])
        far[k] = _NOTHING if farthest < 0 or farthest >= bounds[k + 1] else upcoming[order[farthest]]
        _replay(k, now, games)


@njit(cache=True)
def _replay(k, now, games):  # type: ignore[no-untyped-def]
    """Plays all games of the k-th size again."""
    node = (games[1].shape[0] // 2 + k) // 2
    while node > 0:
        _certify(2 * node, now, games)
        _certify(2 * node + 1, now, games)
        _play(node, now, games)
        node //= 2


@njit(cache=True)
def _certify(node, now, games):  # type: ignore[no-untyped-def]
    """Makes the winner of a node right at request `now`."""
    until, path = games[2], games[4]
    path[0] = node
    depth = 1
    while depth > 0:  # no recursion: numba cannot load recursive functions from its cache
        node = path[depth - 1]
        if until[node] > now:
            depth -= 1
        elif until[2 * node] <= now:
            path[depth] = 2 * node
            depth += 1
        elif until[2 * node + 1] <= now:
            path[depth] = 2 * node + 1
            depth += 1
        else:
            _play(node, now, games)  # now it is certain for longer than `now`


@njit(cache=True)
def _play(node, now, games):  # type: ignore[no-untyped-def]
    """Finds the winner of a node from those of its halves, and up to when it is certain."""
    classes, winner, until, far, _ = games
    small = winner[2 * node]
    large = winner[2 * node + 1]
    until[node] = min(until[2 * node], until[2 * node + 1])
    if large < 0 or far[large] < 0:
        winner[node] = small
        return
    if small < 0 or far[small] < 0:
        winner[node] = large
        return
    ahead = float(classes[large]) * (far[large] - now) - float(classes[small]) * (far[small] - now)
    if ahead < 0:
        winner[node] = small  # the larger size falls faster: it stays behind
        return
    winner[node] = large
    meet = now + np.int64(ahead / (classes[large] - classes[small]))
    until[node] = min(until[node], meet + 1)
