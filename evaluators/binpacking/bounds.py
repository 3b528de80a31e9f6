"""Lower bounds on the number of bins, and the optimum of small instances. All exact.

L1, the sum of the sizes over the capacity, is :attr:`evaluators.binpacking.stream.Stream.lower_bound`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: Instances up to this many items are given to the exact search by :func:`optimum` ...
SMALL = 60
#: ... which gives up after so many nodes (about a tenth of a second).
NODES = 1_000_000


def l2(items: NDArray[np.int64], capacity: int) -> int:
    """Martello and Toth's L2 (Knapsack Problems, 1990, section 8.3), at least L1. O(n log n).

    For a threshold a up to half a bin: items above capacity - a share a bin with no item of a or more; each
    other item above one half needs a bin of its own, too; items between a and one half fill what those
    leave. L2 is the best such bound over all thresholds, of which 0 and the sizes themselves suffice.

    Args:
        items: int64[n], each in 1..capacity.
        capacity: Size of a bin.
    """
    ordered = np.sort(items)
    n = len(ordered)
    # Sums beyond 64 bits are made of Python's integers.
    kind: type = np.int64 if n * capacity < 2**62 else object
    sums = np.concatenate([np.zeros(1, dtype=kind), np.cumsum(ordered.astype(kind))])
    thresholds = np.concatenate([np.zeros(1, dtype=np.int64), np.unique(ordered)])
    thresholds = thresholds[thresholds <= capacity // 2]
    small = np.searchsorted(ordered, thresholds, side="left")  # items below the threshold
    half = int(np.searchsorted(ordered, capacity // 2, side="right"))  # items up to one half
    below = np.searchsorted(ordered, capacity - thresholds, side="right")  # items up to capacity - threshold
    alone = n - below
    paired = below - half
    spare = paired.astype(kind) * capacity - (sums[below] - sums[half])
    excess = sums[half] - sums[small] - spare
    more = np.maximum(0, -(-excess // capacity))
    return int(np.max(alone + paired + more))


def optimum(items: NDArray[np.int64], capacity: int, nodes: int = NODES) -> int | None:
    """The fewest bins, by branch and bound; None where the search was given up.

    Args:
        items: int64[n], each in 1..capacity.
        capacity: Size of a bin, at most 2**62 / n.
        nodes: Placements of one item that are tried before giving up.
    """
    n = len(items)
    if n * capacity > 2**62:
        return None
    ordered = np.sort(items)[::-1]
    rest = np.append(np.cumsum(ordered[::-1])[::-1], 0)
    state = np.array([n + 1, l2(items, capacity), nodes], dtype=np.int64)
    _pack(0, 0, ordered, rest, np.full(n, capacity, dtype=np.int64), state)
    return int(state[_BEST]) if state[_NODES] > 0 else None


_BEST, _ENOUGH, _NODES = range(3)


@njit(cache=True)
def _pack(i, used, items, rest, free, state):  # type: ignore[no-untyped-def]
    """Packs the items from i on into the open bins or new ones; the first descent is first fit decreasing.

    Args:
        i: Next item.
        used: Bins that are open.
        items: int64[n], largest first.
        rest: int64[n + 1], the sum of the items from i on.
        free: int64[n], free space of each bin; the same again on return.
        state: int64[3]: the fewest bins so far, a bound on them, nodes that are left.
    """
    state[_NODES] -= 1
    if state[_NODES] <= 0 or state[_BEST] <= state[_ENOUGH]:
        return
    if i == len(items):
        state[_BEST] = min(state[_BEST], used)
        return
    item = items[i]
    capacity = free[len(free) - 1]
    room = 0  # that the last, smallest item could use
    for b in range(used):
        if free[b] == item:  # nothing better can be done with this item
            free[b] = 0
            _pack(i + 1, used, items, rest, free, state)
            free[b] = item
            return
        if free[b] >= items[-1]:
            room += free[b]
    if used + max(0, -((room - rest[i]) // capacity)) >= state[_BEST]:
        return
    for b in range(used):
        if free[b] < item or np.any(free[:b] == free[b]):  # a bin as full as one that was tried
            continue
        free[b] -= item
        _pack(i + 1, used, items, rest, free, state)
        free[b] += item
    if used + 1 < state[_BEST]:
        free[used] -= item
        _pack(i + 1, used + 1, items, rest, free, state)
        free[used] += item
