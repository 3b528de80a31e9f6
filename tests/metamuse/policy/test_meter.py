"""The work meter: what counts as a step, equal counts in both modes, no influence on decisions."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evaluators.binpacking.simulator as packing
import evaluators.cache.simulator as cache
import problems.cache
from evaluators.binpacking.stream import Stream
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.layout import state_bytes
from metamuse.policy.observed import Observed
from metamuse.policy.program import load
from tests.metamuse.policy.twins import Twins, policy

BASELINES = Path(problems.cache.__file__).parent / "baselines"

#: Body of a method and the steps of ``go(3)``: one for the call itself. ``self.given`` and ``self.row`` have 8 elements.
STEPS = {
    "return 1.0 + i": 1,
    "for k in range(i):\n    self.total += k\nreturn self.total": 1 + 3,
    "k = 0\nwhile k < i:\n    k += 1\n    if k == 2:\n        continue\nreturn k": 1 + 3,
    "for a in range(i):\n    for b in range(2):\n        if b == 1:\n            break\nreturn i": 1 + 3 + 6,
    "for x in self.given:\n    self.total += x\nreturn i": 1 + 8,
    "return self.twice(i) + self.twice(1)": 1 + 2,
    "return triple(i)": 1 + 1 + 3,
    "self.queue.push_back(i)\nreturn self.queue.pop_front()": 1 + 2,
    "return 1 if i > 5 and self.queue.contains(1) else 0": 1,
    "return 1 if i < 5 and self.queue.contains(1) else 0": 1 + 1,
    "return 1 if i in self.queue or 7 not in self.queue else 0": 1 + 2,
    "return len(self.queue) + self.row[2] + self.given[1] + abs(i) + max(i, 2) + self.given.size": 1,
    "return np.sum(self.given[:i])": 1 + 3,
    "return self.given[:i].sum() + max(self.given)": 1 + 3 + 8,
    "return np.argmin(self.given + self.row)": 1 + 8 + 8,
    "rest = self.given[:i] - 1\nreturn np.argmin(np.where(rest >= 0, rest, 9))": 1 + 3 + (3 + 3 + 3) + 3,
    "self.row[:i] = self.given[:i]\nself.row = self.given\nself.row[i] = 2\nreturn i": 1 + 3 + 8,
    "part = self.row.copy()\npart += 1\nreturn part[0] + np.zeros(5)[0]": 1 + 8 + 8 + 5,
    "return np.sum(self.grid[1])": 1 + 4,
    "return np.sum(self.part(i))": 1 + 1 + 2 + 2,
    "return np.searchsorted(self.given, i)": 1 + 1,
    "a, b = self.given[:2] + 1, i\nreturn np.sum(a * 2) + b": 1 + 2 + 2 + 2,
}
HELPERS = """
def twice(self, i):
    return 2 * i

def part(self, i):
    return self.row[:2] * i
"""
TRIPLE = "def triple(i):\n    for k in range(3):\n        i += k\n    return i\n"
INIT = """
self.total = 0
self.queue = List(n)
self.given = np.arange(8)
self.row = np.zeros(8, dtype=np.int64)
self.grid = np.zeros((3, 4))
"""


@functools.cache
def steps_counted() -> Twins:
    bodies = {f"go_{i}": body for i, body in enumerate(STEPS)}
    return Twins(policy(INIT, bodies, ["i"], HELPERS, TRIPLE), list(bodies), {"i": "int"}, metered=True)


@pytest.mark.parametrize("body", STEPS)
def test_steps(body: str) -> None:
    both, name = steps_counted(), f"go_{list(STEPS).index(body)}"
    slow, fast = states = both.states()
    outcome = both.call(states, name, 3)
    assert outcome[0] == outcome[1]
    expected = {"max": STEPS[body], "mean": STEPS[body], "calls": 1, "method": name}
    assert both.interpreted.work(slow) == both.compiled.work(fast) == expected


@functools.cache
def baseline(name: str, metered: bool) -> CompiledPolicy:
    program = load((BASELINES / f"{name}.py").read_text(), cache.CONTRACT)
    return CompiledPolicy(program, (16, 49), metered=metered)


def trace() -> Trace:
    rng = np.random.default_rng(11)
    keys = np.concatenate([np.minimum(rng.pareto(0.9, 900), 400).astype(np.int64), np.arange(1000, 1300)])
    return Trace.from_keys("mixture", keys)


def run(policy: Any, job: cache.Job) -> tuple[dict[str, float], dict[str, Any]]:
    observed = Observed(policy)
    score = cache.simulate(observed, cache.bind(policy), job)
    return score.details, policy.work(*observed.states) if policy.metered else {}


@pytest.mark.parametrize("name", ["sieve", "arc", "wtinylfu"])
def test_decisions_are_the_same_and_both_modes_count_the_same(name: str) -> None:
    job = cache.Job(trace(), 30)
    plain, _ = run(baseline(name, False), job)
    compiled, fast = run(baseline(name, True), job)
    slow_details, slow = run(InterpretedPolicy(baseline(name, True).program, metered=True), job)
    assert plain == compiled == slow_details
    assert fast == slow
    assert fast["max"] >= fast["mean"] > 0


@pytest.mark.parametrize(("name", "grows"), [("lru", False), ("sieve", True), ("clock", True)])
def test_worst_call_shows_what_is_constant_and_what_grows(name: str, grows: bool) -> None:
    """Objects that are all requested twice before anything is evicted: a hand must pass all of them."""
    most = []
    for capacity in (32, 256):
        resident = np.arange(capacity)
        keys = np.concatenate([resident, resident, [capacity]])
        most.append(run(baseline(name, True), cache.Job(Trace.from_keys("twice", keys), capacity))[1])
    assert most[0]["max"] == most[1]["max"] <= 5 or grows
    assert (most[1]["max"] > 256 > most[0]["max"] > 32) == grows
    assert most[1]["method"] == "victim" or not grows


LOOP = """
class Policy:
    def __init__(self, capacity):
        self.capacity = capacity

    def choose(self, item, remaining, n_open):
        best = -1
        left = self.capacity + 1
        for b in range(n_open):
            if item <= remaining[b] < left:
                left = remaining[b]
                best = b
        return best
"""
WHOLE = """
import numpy as np

class Policy:
    def __init__(self, capacity):
        self.capacity = capacity

    def choose(self, item, remaining, n_open):
        return int(np.max(remaining[:n_open])) - self.capacity + 59 if n_open > 0 else -1
"""


@pytest.mark.parametrize("source", [LOOP, WHOLE])
def test_work_over_open_bins(source: str) -> None:
    compiled = CompiledPolicy(load(source, packing.CONTRACT), (100,), metered=True)
    observed = Observed(compiled)
    stream = Stream("s", np.full(200, 60, dtype=np.int64), 100)
    packing.simulate(observed, packing.bind(compiled), stream)
    # Call i finds i open bins; the counts survive the growth of the room for bins.
    assert compiled.work(*observed.states) == {"max": 200, "mean": 100.5, "calls": 200, "method": "choose"}


def test_counts_are_no_state_of_the_policy() -> None:
    plain, metered = (baseline("sieve", counts).state(16, 49) for counts in (False, True))
    assert state_bytes(plain) == state_bytes(metered)
    assert not hasattr(plain, "w")


def test_work_of_several_policies_is_taken_together() -> None:
    body = "for k in range(i):\n    self.total += k\nreturn i"
    both = Twins(policy("self.total = 0", {"go": body}, ["i"]), ["go"], {"i": "int"}, metered=True)
    one, other = both.states(), both.states()
    assert both.call(one, "go", 9) == (9, 9)
    assert both.call(other, "go", 1) == (1, 1)
    for metered, states in zip((both.interpreted, both.compiled), zip(one, other, strict=True), strict=True):
        assert metered.work(*states) == {"max": 10, "mean": 6.0, "calls": 2, "method": "go"}
        assert metered.work(metered.state(8)) == {"max": 0, "mean": 0.0, "calls": 0, "method": "go"}
