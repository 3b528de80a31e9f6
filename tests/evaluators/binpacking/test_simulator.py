"""The bin packing simulator: exactness, legality, what a policy can see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import PolicyError, WorkloadError
from evaluators.binpacking.simulator import CONTRACT, FIRST_ROOM, bind, simulate
from evaluators.binpacking.stream import Stream
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load

BEST_FIT = """
class Policy:
    def __init__(self, capacity):
        self.capacity = capacity

    def choose(self, item, remaining, n_open):
        best = -1
        left = self.capacity + 1
        for b in range(n_open):
            rest = remaining[b] - item
            if rest >= 0 and rest < left:
                left = rest
                best = b
        return best
"""


@pytest.fixture(scope="module")
def best_fit() -> tuple[CompiledPolicy, object]:
    policy = CompiledPolicy(load(BEST_FIT, CONTRACT), (100,))
    return policy, bind(policy)


def naive_best_fit(items: list[int], capacity: int) -> int:
    bins: list[int] = []
    for item in items:
        fitting = [(free - item, i) for i, free in enumerate(bins) if free >= item]
        if fitting:
            bins[min(fitting)[1]] -= item
        else:
            bins.append(capacity - item)
    return len(bins)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=300), st.integers(40, 90))
def test_best_fit_equals_the_definition(
    best_fit: tuple[CompiledPolicy, object], items: list[int], capacity: int
) -> None:
    policy, loop = best_fit
    stream = Stream("s", np.array(items, dtype=np.int64), capacity)
    score = simulate(policy, loop, stream)
    assert score.details["bins"] == naive_best_fit(items, capacity)
    assert score.details["lower_bound"] == -(-sum(items) // capacity)


def choosing(body: str) -> str:
    return f"class Policy:\n    def __init__(self, capacity):\n        self.n = 0\n\n    def choose(self, item, remaining, n_open):\n        {body}\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return n_open", "not an open bin"),
        ("return -2", "not an open bin"),
        ("return 0 if n_open > 0 else -1", "less than the item"),
    ],
)
def test_illegal_choices(body: str, reason: str) -> None:
    policy = CompiledPolicy(load(choosing(body), CONTRACT), (100,))
    with pytest.raises(PolicyError, match=reason) as caught:
        simulate(policy, bind(policy), Stream("/home/ada/s.txt#3", np.full(9, 60, dtype=np.int64), 100))
    assert caught.value.kind == "illegal"
    assert "of s.txt#3)" in caught.value.message, "messages go to the model, a user's folders do not"


def test_the_free_space_cannot_be_written() -> None:
    with pytest.raises(PolicyError) as caught:
        CompiledPolicy(load(choosing("remaining[0] = 1000\n        return -1"), CONTRACT), (100,))
    assert caught.value.kind in ("compile", "contract")


class Remembering(InterpretedPolicy):
    """Keeps the last policy it made."""

    last: Any = None

    def state(self, *init: Any) -> Any:
        self.last = super().state(*init)
        return self.last


@pytest.mark.parametrize(("items", "length"), [(10, 64), (200, 256)])
def test_the_number_of_items_is_not_visible(items: int, length: int) -> None:
    """The array of free space grows by doubling; its length says nothing about what is to come."""
    source = choosing("self.n = max(self.n, len(remaining))\n        return -1")
    policy = Remembering(load(source, CONTRACT))
    simulate(policy, bind(policy), Stream("s", np.full(items, 60, dtype=np.int64), 100))
    assert policy.last.n == length


FIRST_FIT = """
from metamuse.policykit import Tree, Vector

class Policy:
    def __init__(self, capacity):
        self.capacity = capacity
        self.free = Tree()
        self.items = Vector()

    def choose(self, item, remaining, n_open):
        return self.free.first(item)

    def on_packed(self, item, bin, opened):
        free = self.capacity
        if not opened:
            free = self.free.get(bin)
        self.free.set(bin, free - item)
        self.items.set(bin, self.items.get(bin) + 1)
"""

BUCKETS = """
from metamuse.policykit import Buckets

class Policy:
    def __init__(self, capacity):
        self.capacity = capacity
        self.bins = Buckets(capacity)

    def choose(self, item, remaining, n_open):
        return self.bins.at_least(item)

    def on_packed(self, item, bin, opened):
        free = self.capacity
        if not opened:
            free = self.bins.level(bin)
        self.bins.put(bin, free - item)
"""


def naive_first_fit(items: list[int], capacity: int) -> int:
    bins: list[int] = []
    for item in items:
        place = next((i for i, free in enumerate(bins) if free >= item), len(bins))
        if place == len(bins):
            bins.append(capacity)
        bins[place] -= item
    return len(bins)


@pytest.mark.parametrize(("source", "naive"), [(FIRST_FIT, naive_first_fit), (BUCKETS, naive_best_fit)])
def test_structures_grow_with_the_open_bins(source: str, naive: Any) -> None:
    """Three doublings of the room for bins, in both modes."""
    items = np.random.default_rng(3).integers(20, 100, 8 * FIRST_ROOM)
    stream = Stream("s", items, 150)
    program = load(source, CONTRACT)
    compiled = CompiledPolicy(program, (150,))
    fast = simulate(compiled, bind(compiled), stream)
    interpreted = InterpretedPolicy(program)
    slow = simulate(interpreted, bind(interpreted), stream)
    assert fast.details["bins"] == slow.details["bins"] == naive(items.tolist(), 150) > 3 * FIRST_ROOM


@pytest.mark.parametrize(("index", "fails"), [("n_open", False), ("2 * n_open + 1", True)])
def test_there_is_room_for_the_next_bin_and_not_for_any(index: str, fails: bool) -> None:
    source = choosing(f"self.seen.set({index}, item)\n        return -1")
    source = source.replace("self.n = 0", "self.seen = Vector()")
    program = load("from metamuse.policykit import Vector\n" + source, CONTRACT)
    stream = Stream("s", np.full(5 * FIRST_ROOM, 60, dtype=np.int64), 100)
    for policy in (CompiledPolicy(program, (100,)), InterpretedPolicy(program)):
        if not fails:
            assert simulate(policy, bind(policy), stream).details["bins"] == 5 * FIRST_ROOM
            continue
        with pytest.raises(
            PolicyError, match=f"no room at this index.*item {FIRST_ROOM // 2} of s"
        ) as caught:
            simulate(policy, bind(policy), stream)
        assert caught.value.kind == "crash"


@pytest.mark.parametrize(
    ("items", "capacity", "says"),
    [
        ([5, 101, 300], 100, "s: item 1 has size 101, it must be in 1..100"),
        ([5, 7, 0], 100, "s: item 2 has size 0"),
        ([-3], 100, "s: item 0 has size -3"),
        ([1], 0, "s: the capacity must be at least 1"),
        ([], 9, "at least one"),
        ([1.5], 9, "int64"),
    ],
)
def test_items_that_cannot_be_packed_are_an_input_error(items: list[Any], capacity: int, says: str) -> None:
    array = np.array(items) if items else np.zeros(0, dtype=np.int64)
    with pytest.raises(WorkloadError, match=says):
        Stream("s", array, capacity)
