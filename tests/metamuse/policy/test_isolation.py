"""What a policy can reach, and what its state may become."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from evaluators.base import PolicyError
from evaluators.cache.simulator import CONTRACT
from metamuse.policy import intrinsics, numeric
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.expressions import STATE
from metamuse.policy.interpret import READY, namespace
from metamuse.policy.layout import state_bytes
from metamuse.policy.lower import lower
from metamuse.policy.program import load
from metamuse.policy.vocabulary import BUILTINS, MATH, NUMPY, POLICYKIT
from tests.metamuse.policy.sources import INIT, module


def test_the_interpreted_namespace_holds_the_language_only() -> None:
    space = namespace(load(module(imports="import math\nimport numpy as np\nfrom metamuse import policykit\nfrom metamuse.policykit import List\n"), CONTRACT), {})  # fmt: skip
    assert set(space["__builtins__"]) == BUILTINS | {"__build_class__", "__import__"}
    assert set(vars(space["np"])) == NUMPY
    assert set(vars(space["math"])) == MATH
    assert set(vars(space["policykit"])) == POLICYKIT
    with pytest.raises(ImportError):
        space["__builtins__"]["__import__"]("os")
    own = {"Policy", "np", "math", "policykit", "List", "__name__", "__builtins__"}
    assert {name for name in space if not name.startswith("rt__")} == own


def test_every_name_of_the_machinery_is_out_of_reach() -> None:
    for name in [*intrinsics.NAMES, *numeric.TOOLS, STATE, READY]:
        assert "__" in name


def test_lowered_code_calls_nothing_by_a_name_a_policy_can_bind() -> None:
    source = module(
        "x = 2 ** slot + (1 << now)\nx //= 3\nself.n, y = int(2.5), round(2.5)\nreturn x if self.queue and y else len(self.queue)"
    )
    program = load(source, CONTRACT)
    lowered = lower(program, CompiledPolicy(program, (10, 31)).layout)
    import ast

    called = {
        n.func.id
        for f in lowered.functions.values()
        for n in ast.walk(f)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert called
    assert all("__" in name or name in BUILTINS for name in called)


NAMES = [
    "rec",
    "as_array",
    "store_int",
    "hash63",
    "S",
    "t_1",
    "fn_x",
    "Ring",
    "_power",
    "np_sum",
    "victims",
    "k",
    "r",
    "a_seen",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_other_name_is_free(name: str) -> None:
    """As a function, a method, a local, an attribute and a constant: no collision with generated names."""
    source = module(
        f"{name} = 1\nself.{name}2 = self.{name}2 + {name}\nreturn self.{name}_m(self.{name}2) + {name}_f(2) + {name.upper()}_C",
        top=f"{name.upper()}_C = 100\ndef {name}_f({name}):\n    return {name} * 10",
        init=INIT + f"\nself.{name}2 = 5",
        methods=f"def {name}_m(self, {name}):\n    return {name}",
    )
    program = load(source, CONTRACT)
    compiled = CompiledPolicy(program, (10, 31))
    results = []
    for policy in (InterpretedPolicy(program), compiled):
        loop = policy.bind(_calling_victim, {})
        results.append(loop(policy.state(10, 31)))
    assert results == [126, 126]


def _calling_victim(victim: Any, view: Any, show: Any, **others: Any) -> Any:
    def drive(state: Any) -> int:
        return int(victim(view(state), 0, 0, 1, 0))

    return drive


RULES = {
    "a new attribute": ("self.later = 1", "must be created in __init__"),
    "a structure replaced": ("self.queue = 1", "can only be assigned in __init__"),
    "a number becomes an array": ("self.n = self.seen", "is a number and must stay one"),
    "an int becomes a float": ("self.n = 0.5", "starts as an int but is given a float"),
    "an int array is given floats": ("self.seen = self.seen * 0.5", "holds ints but is given floats"),
}


@pytest.mark.parametrize("name", RULES)
def test_interpreted_state_follows_the_rules_of_compiled_state(name: str) -> None:
    statement, message = RULES[name]
    policy = InterpretedPolicy(load(module(statement + "\nreturn 0"), CONTRACT))
    with pytest.raises(PolicyError, match=message):
        policy.state(10, 31).victim(0, 0, 1, 0)


def test_an_int_attribute_stays_an_int_whatever_it_is_given() -> None:
    policy = InterpretedPolicy(load(module("self.n = slot > 3\nself.n = 7\nreturn self.n"), CONTRACT))
    state = policy.state(10, 31)
    assert state.victim(5, 0, 1, 0) == 7
    assert type(state.n) is int


def test_integers_beyond_64_bits_are_errors_when_interpreted() -> None:
    for body in (
        "return key * key",
        "return key + key",
        "self.n = key * 3\nreturn 0",
        "return 1 << 63",
        "return 3 ** 50",
    ):
        state = InterpretedPolicy(load(module(body), CONTRACT)).state(10, 31)
        with pytest.raises(OverflowError, match="64 bits"):
            state.victim(0, 2**62, 1, 0)


def test_impossible_powers_end_at_once() -> None:
    policy = InterpretedPolicy(load(module("return 7 ** key"), CONTRACT))
    with pytest.raises(OverflowError):
        policy.state(10, 31).victim(0, 10**15, 1, 0)
    with pytest.raises(PolicyError, match="a top-level constant raised OverflowError"):
        InterpretedPolicy(load(module(top="A = 10 ** 10 ** 10"), CONTRACT))


def test_policies_of_one_text_share_nothing() -> None:
    policy = InterpretedPolicy(load(module("self.seen[0] += 1\nreturn self.seen[0]"), CONTRACT))
    first, second = policy.state(10, 31), policy.state(10, 31)
    assert [first.victim(0, 0, 1, 0), first.victim(0, 0, 1, 0), second.victim(0, 0, 1, 0)] == [1, 2, 1]


def test_state_bytes_count_shared_arrays_once() -> None:
    policy = CompiledPolicy(
        load(module("return 0", init="self.a = np.zeros(100)\nself.b = self.a"), CONTRACT), (10, 31)
    )
    state = policy.state(10, 31)
    assert state.a_a is state.a_b
    assert 800 <= state_bytes(state) < 900


def test_nothing_of_the_process_is_changed() -> None:
    before = dict(vars(builtins)), set(vars(np))
    InterpretedPolicy(load(module(), CONTRACT)).state(10, 31)
    assert (dict(vars(builtins)), set(vars(np))) == before
