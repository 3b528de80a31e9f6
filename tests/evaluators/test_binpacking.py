"""The bin packing simulator: exactness, legality, what a policy can see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import PolicyError
from evaluators.binpacking.simulator import CONTRACT, Stream, bind, simulate
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
        simulate(policy, bind(policy), Stream("s", np.full(9, 60, dtype=np.int64), 100))
    assert caught.value.kind == "illegal"


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
