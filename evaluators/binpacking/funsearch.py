"""FunSearch's two published heuristics in FunSearch's own setting, for tables only, never for a search.

There (Romera-Paredes et al., Nature 625, 2024) a bin for every item exists from the start and unused bins
compete with used ones by score, so a heuristic knows the number of items and may exploit the position of bins
that nobody has opened: ``funsearch_weibull`` compares each bin with its neighbour. Grown lazily, the same
formulas give other numbers. Only the first two unused bins behind the last used one can win, so no more are
looked at. Arithmetic is exact (in floats, ties fall differently: 2002.0 instead of 2001.4 bins on the published
Weibull instances). Written from the formulas, not from the published program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from evaluators.base import Score, WorkloadError
from evaluators.binpacking.stream import Stream

_LARGEST = 30_000  # a product of four sizes fits 64 bits

# The OR heuristic ranks a bin by what the item leaves free in it: up to 2 best of all, then up to 3, 5 and 7;
# then more than 21, up to 21, 15, 12, and 8 or 9 last. Sizes are absolute, made for bins of 150.
_LEFT = np.array([2, 3, 5, 7, 9, 12, 15, 21], dtype=np.int64)
_RANK = np.array([9, 8, 7, 6, 1, 2, 3, 4, 5], dtype=np.int64)


@njit(cache=True)
def _or(item, free, end):  # type: ignore[no-untyped-def]
    best = -1
    best_rank = 0
    for b in range(end):
        left = free[b] - item
        if left >= 0:
            rank = _RANK[np.searchsorted(_LEFT, left)]
            if rank > best_rank:
                best_rank = rank
                best = b
    return best


@njit(cache=True)
def _weibull(item, free, end):  # type: ignore[no-untyped-def]
    """With r the free space of a fitting bin and M the largest: s = (r - M)^2 / w + r^2 / w^2 + r^2 / w^3,
    negative unless the item fits exactly; a bin scores its s less that of the fitting bin before it.

    All times w^3, so that everything is whole.
    """
    largest = 0
    for b in range(end):
        largest = max(largest, free[b])
    best = -1
    best_score = 0
    before = 0
    for b in range(end):
        r = free[b]
        if r < item:
            continue
        s = (r - largest) * (r - largest) * item * item + r * r * item + r * r
        if r > item:
            s = -s
        score = s - before
        before = s
        if best < 0 or score > best_score:
            best_score = score
            best = b
    return best


def _packer(choose: Callable[..., int]) -> Callable[..., Any]:
    @njit
    def pack(items, capacity):  # type: ignore[no-untyped-def]
        n = items.shape[0]
        free = np.full(n, capacity, dtype=np.int64)
        end = 0  # behind the last used bin; a bin before may be unused
        used = 0
        for item in items:
            b = choose(item, free, min(end + 2, n))
            used += free[b] == capacity
            free[b] -= item
            end = max(end, b + 1)
        return used

    packer: Callable[..., Any] = pack
    return packer


#: The heuristics by id: functions of int64[n] items and the capacity that give the number of bins.
HEURISTICS = {"funsearch_or": _packer(_or), "funsearch_weibull": _packer(_weibull)}


def score(heuristic: str, stream: Stream) -> Score:
    """The excess over L1 of one of :data:`HEURISTICS`, with the details of a simulated policy.

    Raises:
        WorkloadError: The capacity is above 30,000, where products of sizes could exceed 64 bits.
    """
    if stream.capacity > _LARGEST:
        raise WorkloadError(
            f"{stream.name}: FunSearch's heuristics are computed for capacities up to {_LARGEST:,}, not {stream.capacity:,}"
        )
    return stream.score(int(HEURISTICS[heuristic](stream.items, stream.capacity)))
