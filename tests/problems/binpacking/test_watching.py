"""What the report shows of a packing is the packing."""

from __future__ import annotations

import json

import pytest

from evaluators.base import PolicyError
from evaluators.binpacking import simulator
from metamuse.build import make_problem
from metamuse.config import compose
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load
from problems.binpacking.watching import typical, watched
from problems.figures import Chart, Shares, as_data, from_data

PROBLEM = make_problem(compose(["problem=binpacking"]))


@pytest.mark.parametrize("name", ["first_fit", "best_fit", "next_fit"])
def test_figures_say_what_was_packed(name: str) -> None:
    policy = CompiledPolicy(load(PROBLEM.baselines[name], PROBLEM.contract), PROBLEM.init_example(), {})
    loop = PROBLEM.bind(policy)
    stream = typical(3)
    above, left = watched(policy, loop, stream)
    assert isinstance(above, Chart)
    assert isinstance(left, Shares)
    details = simulator.simulate(policy, loop, stream).details
    assert above.lines[0].values[-1] == details["bins"] - details["lower_bound"]
    assert sum(left.values[""]) == details["bins"]
    for shown in (above, left):
        data = json.loads(json.dumps(as_data(shown)))
        assert as_data(from_data(data)) == data


def test_a_packing_that_cannot_be_is_not_shown() -> None:
    source = "class Policy:\n    def __init__(self, capacity):\n        self.x = 0\n\n    def choose(self, item, remaining, n_open):\n        return 0\n"
    policy = InterpretedPolicy(load(source, PROBLEM.contract))
    with pytest.raises(PolicyError, match="packed item 0 where it cannot be"):
        watched(policy, PROBLEM.bind(policy), typical(3))
