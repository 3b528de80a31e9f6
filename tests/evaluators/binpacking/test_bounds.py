"""L2 and the optimum against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.binpacking import bounds
from evaluators.binpacking.generators import triplets
from evaluators.binpacking.stream import Stream


def stream(items: list[int], capacity: int) -> Stream:
    return Stream("drawn", np.array(items, dtype=np.int64), capacity)


def plain_l2(items: list[int], capacity: int) -> int:
    """The maximum over thresholds as Martello and Toth write it."""
    best = 0
    for a in {0, *(w for w in items if 2 * w <= capacity)}:
        n1 = sum(w > capacity - a for w in items)
        second = [w for w in items if 2 * w > capacity and w <= capacity - a]
        third = sum(w for w in items if a <= w and 2 * w <= capacity)
        more = third - (len(second) * capacity - sum(second))
        best = max(best, n1 + len(second) + max(0, -(-more // capacity)))
    return best


def plain_optimum(items: list[int], capacity: int) -> int:
    """Every way to put each item into an open bin or a new one."""

    def fewest(i: int, free: list[int]) -> int:
        if i == len(items):
            return len(free)
        outcomes = [fewest(i + 1, [*free, capacity - items[i]])]
        for b, space in enumerate(free):
            if space >= items[i]:
                outcomes.append(fewest(i + 1, [*free[:b], space - items[i], *free[b + 1 :]]))
        return min(outcomes)

    return fewest(0, [])


@st.composite
def instances(draw: st.DrawFn, most: int) -> tuple[list[int], int]:
    capacity = draw(st.integers(1, 40))
    return draw(st.lists(st.integers(1, capacity), min_size=1, max_size=most)), capacity


@settings(max_examples=200, deadline=None)
@given(instances(60))
def test_l2_is_its_definition(instance: tuple[list[int], int]) -> None:
    drawn = stream(*instance)
    assert bounds.l2(drawn.items, drawn.capacity) == plain_l2(*instance)
    assert drawn.lower_bound == -(-sum(instance[0]) // instance[1]) <= bounds.l2(drawn.items, drawn.capacity)


@settings(max_examples=100, deadline=None)
@given(instances(7))
def test_optimum_is_its_definition(instance: tuple[list[int], int]) -> None:
    drawn = stream(*instance)
    optimum = bounds.optimum(drawn.items, drawn.capacity)
    assert optimum == plain_optimum(*instance)
    assert bounds.l2(drawn.items, drawn.capacity) <= optimum


@settings(max_examples=30, deadline=None)
@given(instances(40), st.sampled_from([10**9, 10**15, 10**17]))
def test_bounds_of_huge_sizes_are_exact(instance: tuple[list[int], int], factor: int) -> None:
    items, capacity = instance
    small = stream(items, capacity)
    large = stream([w * factor for w in items], capacity * factor)
    assert large.lower_bound == small.lower_bound
    assert bounds.l2(large.items, large.capacity) == bounds.l2(small.items, small.capacity)


def test_optimum_of_triplets_is_known() -> None:
    drawn = triplets(np.random.default_rng(4), n=15)
    assert bounds.optimum(drawn.items, drawn.capacity) == 5


def test_the_search_gives_up() -> None:
    items = np.random.default_rng(4).integers(20, 101, 60)
    assert bounds.optimum(items, 150, nodes=30) is None
    assert bounds.optimum(np.full(10, 2**61), 2**62) is None


@pytest.mark.parametrize(("items", "capacity", "least"), [([51] * 10, 100, 10), ([60, 40] * 5, 100, 5)])
def test_l2_sees_what_l1_does_not(items: list[int], capacity: int, least: int) -> None:
    assert bounds.l2(stream(items, capacity).items, capacity) == least
