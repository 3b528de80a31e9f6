"""Shared drivers: one driver for all policies, which decides as each policy's own."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import problems.base
from evaluators.base import Contract, Method, PolicyError
from metamuse.build import make_problem
from metamuse.config import compose
from metamuse.policy import shared
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load

CONTRACT = Contract(
    ("n",),
    (
        Method("pick", ("x", "seen"), ("int", "float[]"), "int", required=True),
        Method("rate", ("x",), ("float",), "float", required=False),
        Method("fits", ("x",), ("int",), "bool", required=False),
        Method("note", ("x", "again"), ("int", "bool"), "none", required=False),
    ),
)
WHOLE = """
class Policy:
    def __init__(self, n):
        self.n = n
        self.noted = 0

    def pick(self, x, seen):
        return x // (self.n - 3) + int(seen[x % len(seen)]) + self.noted

    def rate(self, x):
        return int(x * 4.0)

    def fits(self, x):
        return x % 3

    def note(self, x, again):
        self.noted += x + again
        return self.noted
"""
LEAST = """
class Policy:
    def __init__(self, n):
        self.n = n

    def pick(self, x, seen):
        return x + self.n
"""


def _rate(state, x):  # type: ignore[no-untyped-def]
    return 0.5 * x


def _fits(state, x):  # type: ignore[no-untyped-def]
    return x > 2


def _note(state, x, again):  # type: ignore[no-untyped-def]
    return


def _defaults() -> dict[str, Any]:
    return {
        name: shared.numba.njit(function)
        for name, function in {"rate": _rate, "fits": _fits, "note": _note}.items()
    }


DEFAULTS = _defaults()


def make_driver(
    pick: Callable[..., int],
    rate: Callable[..., float],
    fits: Callable[..., bool],
    note: Callable[..., Any],
    view: Callable[[Any], Any],
    show: Callable[[Any], Any],
) -> Callable[..., int]:
    def drive(state: Any, given: Any, seen: Any, out: Any) -> int:
        state = view(state)
        seen = show(seen)
        for i in range(len(given)):
            x = int(given[i])
            out[i, 0] = pick(state, x, seen)
            out[i, 1] = rate(state, x / 3.0)
            out[i, 2] = bool(fits(state, x))
            note(state, x, x % 2 == 0)
        return 0

    return drive


def answers(policy: Any, n: int = 5) -> list[list[float]]:
    given = np.random.default_rng(1).integers(0, 60, 100)
    out = np.zeros((100, 3))
    assert policy.bind(make_driver, DEFAULTS)(policy.state(n), given, np.arange(7.0), out) == 0
    listed: list[list[float]] = out.tolist()
    return listed


@pytest.mark.parametrize("source", [WHOLE, LEAST])
def test_all_kinds_of_answers_and_defaults_are_those_of_the_own_driver(source: str) -> None:
    program = load(source, CONTRACT)
    both = [answers(CompiledPolicy(program, (5,), shared=shared)) for shared in (True, False)]
    assert both[0] == both[1] == answers(InterpretedPolicy(program))


def test_policies_share_one_driver_and_keep_apart() -> None:
    loops = []
    for source in (WHOLE, LEAST, LEAST.replace("x + self.n", "x - self.n")):
        policy = CompiledPolicy(load(source, CONTRACT), (5,), shared=True)
        loops.append((policy, policy.bind(make_driver, DEFAULTS)))
    assert len({id(loop._shared.dispatcher) for _, loop in loops}) == 1
    del policy
    gc.collect()  # what is compiled for a method must live as long as its loop
    seen, found = np.arange(7.0), []
    for policy, loop in loops * 2:
        out = np.zeros((1, 3))
        loop(policy.state(5), np.array([9]), seen, out)
        found.append(out[0, 0])
    assert found == [9 // 2 + 2, 14, 4] * 2
    assert len(loops[0][1].signatures) == 1


def test_a_crash_in_a_method_ends_the_driver() -> None:
    policy = CompiledPolicy(load(WHOLE, CONTRACT), (5,), shared=True)
    loop = policy.bind(make_driver, DEFAULTS)
    arguments = (np.array([9]), np.arange(7.0), np.zeros((1, 3)))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            loop(policy.state(3), *arguments)
        assert loop(policy.state(5), *arguments) == 0
    wild = CompiledPolicy(load(WHOLE.replace("x % len(seen)", "x + 10**9"), CONTRACT), (5,), shared=True)
    with pytest.raises(IndexError):
        wild.bind(make_driver, DEFAULTS)(wild.state(5), *arguments)


def test_a_busy_policy_gets_its_own_driver_and_decides_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "PATIENCE", 0.0)
    policy = CompiledPolicy(load(WHOLE, CONTRACT), (5,), shared=True)
    loop = policy.bind(make_driver, DEFAULTS)
    outs = []
    for _ in range(4):
        outs.append(np.zeros((50, 3)))
        loop(policy.state(5), np.arange(50), np.arange(7.0), outs[-1])
    assert loop._driver is not None
    assert all((out == outs[0]).all() for out in outs)


def test_other_constants_need_no_other_loop() -> None:
    source = LEAST.replace("class", "STEP = 2  # tune: 1..5\n\n\nclass").replace("x + ", "STEP * x + ")
    policy = CompiledPolicy(load(source, CONTRACT), (5,), shared=True)
    loop = policy.bind(make_driver, DEFAULTS)
    out = np.zeros((1, 3))
    for step in (2, 3):
        loop(policy.with_values({"STEP": step}).state(5), np.array([9]), np.arange(7.0), out)
        assert out[0, 0] == step * 9 + 5


def test_a_factory_that_is_not_known_again_serves_as_well() -> None:
    def factory(settings: list[int], **functions: Any) -> Callable[..., int]:
        assert settings == [1]
        return make_driver(**functions)

    policy = CompiledPolicy(load(LEAST, CONTRACT), (5,), shared=True)
    loop = policy.bind(functools.partial(factory, settings=[1]), DEFAULTS)
    out = np.zeros((1, 3))
    loop(policy.state(5), np.array([9]), np.arange(7.0), out)
    assert out[0, 0] == 14


def test_what_a_method_may_not_return_is_refused() -> None:
    with pytest.raises(PolicyError, match="pick must return an int"):
        CompiledPolicy(load(LEAST.replace("x + self.n", "x / 2"), CONTRACT), (5,), shared=True)


@pytest.mark.parametrize("name", problems.base.names())
def test_every_problem_decides_the_same(name: str) -> None:
    problem = make_problem(compose([f"problem={name}"]))
    # One that defines the most methods beside the reference; `check` compares all.
    most = max(problem.baselines, key=lambda id: len(load(problem.baselines[id], problem.contract).defined))
    for id in {problem.reference, most}:
        program = load(problem.baselines[id], problem.contract)
        decided = []
        for apart in (False, True):
            policy = CompiledPolicy(program, problem.init_example(), shared=not apart)
            loop = problem.bind(policy)
            decided.append([problem.simulate(policy, loop, probe) for probe in problem.probes()])
        for one, other in zip(*decided, strict=True):
            assert (one.value, one.details, one.decisions) == (other.value, other.details, other.decisions)
