"""A failing candidate's tiny example: found, true, bounded, the same every time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evaluators.base import PolicyError, Score
from metamuse import minimal
from metamuse.config import compose
from metamuse.evaluation import Candidates
from metamuse.minimal import Example, example
from metamuse.policy.compiled import InterpretedPolicy
from metamuse.policy.program import load
from problems.base import Problem, make
from tests.support.fake_run import POLICY, FakeProblem

LRU = '''
import numpy as np
from metamuse.policykit import List


class Policy:
    """The least recently used goes."""

    def __init__(self, capacity, n_slots):
        self.order = List(n_slots)
        self.capacity = capacity
        self.seen = np.zeros(capacity, dtype=np.int64)
        self.evicted = 0

    def on_hit(self, slot, key, size, now):
        self.order.move_to_back(slot)

    def victim(self, slot, key, size, now):
        return self.order.front()

    def on_evict(self, slot, key, size, now):
        self.order.remove(slot)
        self.evicted += 1

    def on_insert(self, slot, key, size, now, remembered):
        self.order.push_back(slot)
'''

FIRST_FIT = '''
class Policy:
    """The first bin with room."""

    def __init__(self, capacity):
        self.packed = 0

    def choose(self, item, remaining, n_open):
        for b in range(n_open):
            if remaining[b] >= item:
                return b
        return -1

    def on_packed(self, item, bin, opened):
        self.packed += 1
'''

FORGETFUL = LRU.replace("        self.order.remove(slot)\n        self.evicted", "        self.evicted")
TOO_SHORT = LRU.replace(
    "self.order.push_back(slot)\n", "self.order.push_back(slot)\n        self.seen[slot] = now\n"
)


@pytest.fixture(scope="module")
def problems() -> dict[str, Problem]:
    return {name: make(compose([f"problem={name}"])["problem"]) for name in ("cache", "binpacking")}


def find(problem: Problem, source: str, workload: Any = None) -> tuple[PolicyError, Example | None]:
    """How a policy fails under CPython on the first probe that it fails on, and the example."""
    program = load(source, problem.contract)
    policy = InterpretedPolicy(program)
    for probe in problem.probes() if workload is None else [workload]:
        try:
            problem.simulate(policy, problem.bind(policy), probe)
        except PolicyError as error:
            return error, example(problem, program, probe, error)
    raise AssertionError("it does not fail")


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("cache", FORGETFUL, "with capacity 1 on the requests A B C: victim() returned 0"),
        (
            "cache",
            LRU.replace("return self.order.front()", "return slot"),
            "on the requests A B: victim() returned 1",
        ),
        ("cache", TOO_SHORT, "on the requests A B: line 27: IndexError: index 1"),
        (
            "binpacking",
            FIRST_FIT.replace(">= item", "> 0"),
            "whose free space 2 is less than the item, 4 (at item 2)",
        ),
        ("binpacking", FIRST_FIT.replace("-1", "-1 // (2 - n_open)"), "line 12: ZeroDivisionError"),
        (
            "binpacking",
            FIRST_FIT.replace("-1", "n_open"),
            "on the items 1: choose() returned 0, which is not",
        ),
    ],
)
def test_ordinary_mistakes_have_tiny_examples(
    problems: dict[str, Problem], name: str, source: str, says: str
) -> None:
    error, found = find(problems[name], source)
    assert found is not None and says in found.text
    assert len(found.text) <= minimal.LENGTH and found.text.startswith("It fails already with capacity")
    assert (found.line is not None) == (error.kind == "crash")
    assert find(problems[name], source)[1] == found


def test_a_failure_late_in_a_long_workload_is_found_near_it(problems: dict[str, Problem]) -> None:
    cache: Any = problems["cache"]
    keys = np.concatenate([np.zeros(5_000, dtype=np.int64), np.arange(40)])
    probe = cache.probes()[0]
    long = replace(probe, trace=type(probe.trace).from_keys("long", keys))
    _, found = find(cache, FORGETFUL, long)
    assert found is not None and "on the requests A B C: " in found.text
    assert "long" not in found.text, "the tiny workload is another one"


def test_what_takes_long_to_fail_has_no_example(problems: dict[str, Problem]) -> None:
    late = FIRST_FIT.replace("return -1", "return -1 if self.packed < 100 else n_open")
    assert find(problems["binpacking"], late)[1] is None


def test_a_policy_that_never_ends_on_a_smaller_system_ends_the_search(problems: dict[str, Problem]) -> None:
    endless = FORGETFUL.replace(
        "        return self.order",
        "        while self.capacity < 5:\n            self.evicted += 0\n        return self.order",
    )
    _, found = find(problems["cache"], endless)
    assert found is None or "with capacity 1 " not in found.text


def test_what_only_compiling_shows_is_reduced_too(problems: dict[str, Problem]) -> None:
    def check(part: Any, score: Score) -> None:
        if 3 in np.diff(part.items):
            raise PolicyError("nondeterministic", "the compiled policy decides differently")

    problem = problems["binpacking"]
    program = load(FIRST_FIT, problem.contract)
    error = PolicyError("nondeterministic", "the compiled policy decides differently")
    found = example(problem, program, problem.probes()[1], error, check=check)
    assert found is not None
    told = found.text.partition(" on the items ")[2].partition(":")[0].split()
    assert len(told) == 2 and int(told[1]) - int(told[0]) == 3


def test_problems_that_cannot_cut_have_no_examples() -> None:
    problem = FakeProblem()
    program = load(POLICY, problem.contract)
    assert example(problem, program, object(), PolicyError("crash", "it broke")) is None


def test_only_who_asks_is_given_an_example(problems: dict[str, Problem]) -> None:
    candidates = Candidates(problems["binpacking"], {"feedback": problems["binpacking"].probes()}, {})
    task = {"op": "evaluate", "source": FIRST_FIT.replace("-1", "n_open"), "sets": ["feedback"]}
    with pytest.raises(PolicyError) as plain:
        candidates(task)
    with pytest.raises(PolicyError) as told:
        candidates(task | {"example": True})
    assert "It fails already" not in plain.value.message
    assert told.value.message.startswith(plain.value.message + "\nIt fails already")


def test_a_candidate_stops_at_its_first_failure(problems: dict[str, Problem]) -> None:
    problem = problems["binpacking"]
    probes = problem.probes()
    ran: list[str] = []

    class Watched(type(problem)):  # type: ignore[misc]  # the class of a fixture
        def simulate(self, policy: Any, loop: Any, workload: Any) -> Score:
            ran.append(workload.name)
            score: Score = super().simulate(policy, loop, workload)
            return score

    big = replace(probes[1], name="big", capacity=1000)
    sets = {"feedback": [probes[0], big, probes[2]], "validation": probes}
    watched = Watched(problem.config)
    fragile = FIRST_FIT.replace("packed = 0", "packed = capacity").replace(
        "return -1", "return -1 if self.packed < 1000 else n_open"
    )
    with pytest.raises(PolicyError, match="of big"):
        Candidates(watched, sets, {})(
            {"op": "evaluate", "source": fragile, "sets": ["feedback", "validation"]}
        )
    assert ran[-1] == "big" and ran.count("probe-wide") == 3


@pytest.mark.parametrize("given", ["synthetic", "traces/*.txt"])
def test_a_users_workloads_are_never_told(given: str) -> None:
    config = compose(["problem=binpacking"])["problem"]
    problem = make(config | {"workloads": {"feedback": given}})
    secret = replace(problem.probes()[0], name="secret", capacity=977)
    source = FIRST_FIT.replace("packed = 0", "packed = capacity").replace(
        "-1", "-1 if self.packed < 977 else n_open"
    )
    with pytest.raises(PolicyError) as error:
        Candidates(problem, {"feedback": [secret]}, {})(
            {"op": "evaluate", "source": source, "sets": ["feedback"], "example": True}
        )
    assert ("It fails already" in error.value.message) == (given == "synthetic")
