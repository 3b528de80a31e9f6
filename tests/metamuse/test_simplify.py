"""Shorter policies with the same decisions, and only those."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evaluators.base import PolicyError, Score
from evaluators.cache.simulator import Job
from evaluators.cache.trace import Trace
from metamuse.config import compose
from metamuse.evaluation import Candidates
from metamuse.policy.program import load
from metamuse.simplify import Simplified, agreement, length, simplify
from problems.base import Problem, make

TRIALS = 200

#: SLRU-like, with much that decides nothing: PLANTED marks what has to go.
SOURCE = '''
import math

import numpy as np

from metamuse.policykit import Heap, List, hash64

SHARE = 0.5  # tune: 0.1..0.9
NEVER = 1.5  # tune: 0.1..4.0
UNUSED = 3  # tune: 1..9


class Policy:
    """Two queues: what is hit moves to the second one."""

    def __init__(self, capacity, n_slots):
        self.capacity = capacity
        self.first = List(n_slots)
        self.second = List(n_slots)
        self.hits = 0  # PLANTED
        self.total = 0.0  # PLANTED
        self.heap = Heap(n_slots)  # PLANTED

    def on_hit(self, slot, key, size, now):
        self.hits += 1  # PLANTED
        self.total = self.total + math.sqrt(now)  # PLANTED
        self.heap.push(slot, self.total)  # PLANTED
        if slot in self.second:
            self.second.move_to_front(slot)
            return
        self.first.remove(slot)
        self.second.push_front(slot)
        # Room for the new one.
        while len(self.second) > SHARE * self.capacity + 0.0 * now:
            loser = self.second.pop_back()
            self.first.push_front(loser)

    def admit(self, slot, key, size, now):  # PLANTED
        return self.rank(key) >= 0  # PLANTED

    def rank(self, key):  # PLANTED
        return hash64(key, 3) % 7  # PLANTED

    def victim(self, slot, key, size, now):
        if len(self.second) > NEVER * self.capacity:  # PLANTED
            return self.second.front()  # PLANTED
        if len(self.first) > 0:
            return self.first.back()
        return self.second.back()

    def on_evict(self, slot, key, size, now):
        self.heap.discard(slot)  # PLANTED
        if slot in self.first:
            self.first.remove(slot)
        else:
            self.second.remove(slot)

    def on_insert(self, slot, key, size, now, remembered):
        boost = 1  # PLANTED
        if remembered and boost > 1:  # PLANTED
            self.second.push_front(slot)  # PLANTED
        else:  # PLANTED
            self.first.push_front(slot)
'''


def jobs(seed: int, n: int = 4) -> list[Job]:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        keys = np.minimum(rng.pareto(0.8, 1500), 400).astype(np.int64)
        keys[400:600] = 1000 + np.arange(200)
        made.append(Job(Trace.from_keys(f"job-{i}", keys), 20 + 10 * i))
    return made


@pytest.fixture(scope="module")
def problem() -> Problem:
    return make(compose(["problem=cache"])["problem"])


VARIANTS: dict[str, Any] = {
    "alike": {"SHARE": 0.3, "NEVER": 1.4, "UNUSED": 5},
    "other": {"SHARE": 0.5, "NEVER": 0.1, "UNUSED": 5},
}


@pytest.fixture(scope="module")
def found(problem: Problem) -> dict[str, Simplified]:
    return simplify(problem, SOURCE, jobs(1), TRIALS, VARIANTS)


@pytest.fixture(scope="module")
def simplified(found: dict[str, Simplified]) -> str:
    return found[""].source


def test_what_was_planted_is_gone(simplified: str) -> None:
    assert "PLANTED" not in simplified
    for word in ("UNUSED", "NEVER", "heap", "admit", "hash64", "math", "np"):
        assert word not in simplified, word
    assert "SHARE = 0.5  # tune: 0.1..0.9" in simplified
    assert '"""Two queues: what is hit moves to the second one."""' in simplified
    assert (
        "        # Room for the new one.\n        while len(self.second) > SHARE * self.capacity:\n"
        in simplified
    )


def test_nothing_else_is_gone(simplified: str) -> None:
    for line in (
        "self.second.move_to_front(slot)",
        "self.first.push_front(loser)",
        "self.first.push_front(slot)",
        "return self.first.back()",
    ):
        assert line in simplified


def test_the_proof_says_what_was_compared(problem: Problem, found: dict[str, Simplified]) -> None:
    made = found[""]
    again = simplify(problem, made.source, jobs(1), 0)[""]
    assert again.source == made.source
    assert again.digest == made.digest and again.decisions == made.decisions > 1000
    assert made.workloads == len(jobs(1))
    assert (made.before, made.after) == (length(SOURCE), length(made.source))
    assert made.after.lines < 0.7 * made.before.lines
    assert (made.before.constants, made.after.constants) == (3, 1)


def test_other_workloads_may_tell_and_are_asked(problem: Problem) -> None:
    source = SOURCE.replace("if remembered and boost > 1:", "if now > 2000 and slot % 2 == 0:")
    made = simplify(problem, source, jobs(1), TRIALS)[""].source
    assert "2000" not in made, "no trace is that long"
    assert agreement(problem, source, made, jobs(2))[""]["differs"] == []
    keys = np.random.default_rng(3).integers(0, 300, 4000)
    longer = [Job(Trace.from_keys("longer", keys), 40), *jobs(2, 1)]
    found = agreement(problem, source, made, longer)[""]
    assert found["differs"] == ["longer"] and found["workloads"] == 2
    kept = simplify(problem, source, [*jobs(1), *longer], TRIALS)[""].source
    assert "2000" in kept, "the workload that tells is asked, however late it comes"


def test_a_failure_on_one_side_is_a_difference(problem: Problem, simplified: str) -> None:
    broken = simplified.replace("return self.first.back()", "return self.first.front() - 100")
    assert agreement(problem, simplified, broken, jobs(1, 2))[""]["differs"] == ["job-0", "job-1"]


def test_variants_are_shortened_by_the_same_pieces_or_not_at_all(
    problem: Problem, found: dict[str, Simplified]
) -> None:
    assert set(found) == {"", "alike"}, "a NEVER of 0.1 is reached"
    assert "SHARE = 0.3  # tune" in found["alike"].source and "NEVER" not in found["alike"].source
    assert found["alike"].digest != found[""].digest
    assert found["alike"].before.constants == 3
    told = agreement(problem, SOURCE, found[""].source, jobs(1), VARIANTS)
    assert [told[name]["differs"] == [] for name in ("", "alike", "other")] == [True, True, False]


def test_without_trials_only_dead_text_goes(problem: Problem) -> None:
    made = simplify(problem, SOURCE, jobs(1, 1), 0)[""]
    assert "UNUSED" not in made.source and "self.total" not in made.source
    assert "NEVER" in made.source and made.trials == 0


def test_a_baseline_keeps_its_decisions(problem: Problem) -> None:
    source = problem.baselines["sieve"]
    made = simplify(problem, source, jobs(1), TRIALS)[""]
    load(made.source, problem.contract)
    assert made.after.lines <= made.before.lines
    assert agreement(problem, source, made.source, jobs(1))[""]["differs"] == []


def test_a_policy_that_fails_is_not_simplified(problem: Problem) -> None:
    with pytest.raises(PolicyError, match="victim"):
        simplify(problem, SOURCE.replace("return self.first.back()", "return slot"), jobs(1), TRIALS)


def test_without_decisions_nothing_is_claimed(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = problem.simulate

    def simulate(policy: Any, loop: Any, workload: Any) -> Score:
        return replace(plain(policy, loop, workload), decisions=None)

    monkeypatch.setattr(problem, "simulate", simulate)
    assert simplify(problem, SOURCE, jobs(1), TRIALS) == {}


def test_the_scoring_process_does_both_and_the_same_again(problem: Problem, simplified: str) -> None:
    candidates = Candidates(problem, {"validation": jobs(1), "holdout": jobs(2)}, {})
    task = {"source": SOURCE, "variants": {"t": {"SHARE": 0.3}}}
    made = candidates({"op": "simplify", **task, "sets": ["validation"], "trials": TRIALS})["simplified"]
    assert made[""]["source"] == simplified and made["t"]["after"]["constants"] == 1
    checked = candidates({"op": "agreement", **task, "simplified": simplified, "sets": ["holdout"]})
    assert checked["agreement"][""]["differs"] == [] == checked["agreement"]["t"]["differs"]
