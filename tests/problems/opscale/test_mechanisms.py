"""The mechanisms of LLM serving: what the parts make does what it says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import yaml

from evaluators.opscale import simulator
from metamuse.policy.compiled import InterpretedPolicy
from metamuse.policy.program import load
from problems.base import make
from problems.composing import Part, Plan
from problems.opscale.mechanisms.catalogue import MECHANISMS
from problems.opscale.mechanisms.plan import combine, drafted
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


def test_every_plan_has_a_margin_a_queue_and_a_way_down() -> None:
    rng = np.random.default_rng(1)
    for _ in range(25):
        drawn = rng.choice(len(MECHANISMS), 5, replace=False)
        plan = combine([(MECHANISMS[i].parts, float(rng.random())) for i in drawn], rng)
        assert {"margin", "queue", "down"} <= {rule.role for rule in plan.rules}


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
