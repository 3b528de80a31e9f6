"""Banks: many instances of one policy as one argument of a driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from evaluators.base import Contract, Method, PolicyError
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.observed import Observed
from metamuse.policy.program import load

CONTRACT = Contract(
    ("n",),
    (
        Method("add", ("x",), ("int",), "int", required=False),
        Method("ask", ("x",), ("int",), "int", required=False),
    ),
    alternatives=("add", "ask"),
)
SOURCE = """
import numpy as np
from metamuse.policykit import Ring, Tree

STEP = 2  # tune: 1..5


class Policy:
    def __init__(self, n):
        self.total = 0
        self.seen = np.zeros((n, 3))
        self.few = np.zeros(2, dtype=np.int16)
        self.last = Ring(n)
        self.tree = Tree()

    def add(self, x):
        self.total += STEP * x
        self.seen[x % len(self.seen), 1] += 1.0
        self.few[x % 2] += 1
        if self.last.full():
            self.last.pop()
        self.last.push(x)
        self.tree.set(x, self.total)
        return self.total + len(self.last) + int(np.sum(self.seen)) + self.few[0] + self.tree.get(x)
"""


def make_driver(
    add: Callable[..., int], ask: Any, view: Callable[[Any], Any], show: Any
) -> Callable[..., int]:
    def drive(states: Any, given: Any, out: Any) -> int:
        states = view(states)
        for i in range(len(given)):
            out[i] = add(states[given[i] % 3], given[i])
        return 0

    return drive


@pytest.mark.parametrize("metered", [False, True])
def test_instances_keep_apart_and_both_modes_agree(metered: bool) -> None:
    compiled = CompiledPolicy(load(SOURCE, CONTRACT), (4,), metered=metered)
    given = np.random.default_rng(1).integers(0, 60, 300)
    results = []
    for policy in (compiled, InterpretedPolicy(compiled.program)):
        observed = Observed(policy)
        states = [observed.grow(observed.state(4), 64) for _ in range(3)]
        out = np.zeros(300, dtype=np.int64)
        observed.bind(make_driver, {})(observed.bank(states), given, out)
        results.append(out.tolist())
    assert results[0] == results[1]
    alone = []
    for i in range(3):
        policy = InterpretedPolicy(compiled.program)
        state = policy.grow(policy.state(4), 64)
        alone += [(at, state.add(int(x))) for at, x in enumerate(given) if x % 3 == i]
    assert [value for _, value in sorted(alone)] == results[0]


def test_a_policy_defines_at_least_one_of_the_alternatives() -> None:
    with pytest.raises(PolicyError, match="must define add or ask"):
        load("class Policy:\n    def __init__(self, n):\n        self.n = n\n", CONTRACT)
