"""The mechanisms of LLM serving: every part fits every other, and what they make does what it says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import yaml

from evaluators.opscale import simulator
from metamuse.policy.compiled import InterpretedPolicy
from metamuse.policy.program import load
from problems.base import make
from problems.composing import Part, Plan
from problems.opscale.mechanisms import LIBRARY
from problems.opscale.mechanisms.catalogue import MECHANISMS
from problems.opscale.mechanisms.plan import combine, drafted
from problems.opscale.mechanisms.rules import PLACES, RULES
from problems.opscale.mechanisms.structures import STRUCTURES

PROBLEM = make(yaml.safe_load((Path(__file__).parents[3] / "conf/problem/opscale.yaml").read_text()))
SHORT = [
    dataclasses.replace(w, arrivals=w.arrivals[:25], prompts=w.prompts[:25], outputs=w.outputs[:25])
    for w in PROBLEM.probes()
]


def source(structure: str, *rules: str, **numbers: float) -> str:
    return drafted(Plan(Part(structure), tuple(map(Part, rules)), numbers)).source("x")


def run(text: str) -> list[simulator.Score]:
    policy = InterpretedPolicy(load(text, simulator.CONTRACT))
    loop = simulator.bind(policy)
    return [simulator.simulate(policy, loop, workload) for workload in SHORT]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_runs_with_every_rule(structure: str) -> None:
    plain = source(structure)
    run(plain)
    for rule in RULES:
        text = source(structure, rule)
        assert text != plain, rule
        run(text)


def test_random_combinations_run() -> None:
    rng = np.random.default_rng(1)
    for _ in range(25):
        drawn = rng.choice(len(MECHANISMS), 5, replace=False)
        plan = combine([(MECHANISMS[i].parts, float(rng.random())) for i in drawn], rng)
        roles = [rule.role for rule in plan.rules]
        assert all(roles.count(role) <= most for role, most in PLACES.items())
        assert {"margin", "queue", "down"} <= set(roles)
        run(drafted(plan, rng).source("x"))


def test_the_catalogue_names_every_part_and_nothing_else() -> None:
    named = {part for mechanism in MECHANISMS for part in mechanism.parts}
    assert named == set(STRUCTURES) | set(RULES)
    assert len({m.id for m in MECHANISMS}) == len(MECHANISMS) >= 10


def test_plans_survive_a_design() -> None:
    plan = Plan(Part("hot"), (Part("margin_root"), Part("down_fade")), {"FADE": 20.0})
    line = plan.line(drafted(plan).numbers)
    found = LIBRARY.read(f"Kept. {line}")
    assert found is not None
    assert found.structure.name == "hot"
    assert found.numbers["FADE"] == 20.0


def test_structures_scale_what_they_say() -> None:
    groups = {}
    for name in STRUCTURES:
        policy = InterpretedPolicy(load(source(name, "margin_flat"), simulator.CONTRACT))
        state = policy.state(5, 2.0, 1.5, 0.05)
        from evaluators.opscale.world import profile

        prof = profile(SHORT[0])
        glob, obs = np.zeros(16), np.zeros(60)
        for rate in (1.0, 40.0):
            glob[:6] = (2.0, rate, 1.0, 2000.0, 0.5, 100.0)
            state.control(0.0, glob, obs, prof)
        groups[name] = [state.replicas(g) > 0 for g in range(5)]
    assert groups["whole"] == [True, False, False, False, False]
    assert groups["pools"] == [False, True, True, True, True]
    assert groups["hot"] == [True, False, False, False, True]
    assert groups["relief"] == [True, True, True, True, True]


def test_floors_and_margins_enlarge() -> None:
    plain = [s.details["gpu_hours"] for s in run(source("whole"))]
    for rule in ("margin_flat", "margin_root", "floor_spare", "floor_past", "floor_burst", "down_fade"):
        more = [s.details["gpu_hours"] for s in run(source("whole", rule))]
        assert all(b >= a - 1e-9 for a, b in zip(plain, more, strict=True)), rule
        if rule in ("margin_flat", "margin_root", "floor_spare"):  # 25 requests hardly reach the others
            assert sum(more) > sum(plain), rule


def test_slices_are_slices() -> None:
    text = source("pools", "place_slices", SLICE=3)
    policy = InterpretedPolicy(load(text, simulator.CONTRACT))
    state = policy.state(5, 2.0, 1.5, 0.05)
    from evaluators.opscale.world import profile

    glob = np.zeros(16)
    glob[:6] = (2.0, 10.0, 10.0, 2000.0, 0.5, 100.0)
    state.control(0.0, glob, np.zeros(60), profile(SHORT[0]))
    assert [state.share(g) for g in range(5)] == [8, 3, 3, 3, 8]
