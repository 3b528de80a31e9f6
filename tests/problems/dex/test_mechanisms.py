"""The mechanisms of caching and offloading: what the parts make does what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from evaluators.base import Score
from evaluators.dex import simulator
from evaluators.dex.cell import Cell
from metamuse.policy.compiled import InterpretedPolicy
from metamuse.policy.program import load
from problems.base import make
from problems.composing import Part, Plan
from problems.dex.mechanisms.plan import drafted

PROBLEM = make(yaml.safe_load((Path(__file__).parents[3] / "conf/problem/dex.yaml").read_text()))
SHORT: Sequence[Cell] = PROBLEM.probes()[:2]


def source(structure: str, *rules: str, **numbers: float) -> str:
    return drafted(Plan(Part(structure), tuple(map(Part, rules)), numbers)).source("x")


def run(text: str, cells: Sequence[Cell] = SHORT) -> list[Score]:
    policy = InterpretedPolicy(load(text, simulator.CONTRACT))
    loop = simulator.bind(policy)
    return [simulator.simulate(policy, loop, cell) for cell in cells]


@pytest.mark.parametrize("structure", ["counts", "misses", "stamps", "gaps"])
def test_what_is_used_more_is_hotter_and_cools(structure: str) -> None:
    state = InterpretedPolicy(load(source(structure, EVERY=1), simulator.CONTRACT)).state(0, 8, 4, 5)
    once = often = 0
    for now in range(100, 2100, 100):
        often = state.note(0, 0, often, now)
        if hasattr(state, "on_hit"):
            often = state.on_hit(0, 0, often, now)
        if now == 100:
            once = often
    assert 0 <= often < 1 << 32
    assert state.heat(often, 2100) > state.heat(once, 2100) >= 0.0
    assert state.heat(0, 2100) == 0.0
    assert state.heat(often, 10_000_000) < state.heat(often, 2100)


def test_rules_do_what_they_say() -> None:
    few, many = (run(source("plain", "leaf_few", FEW=chance))[0].details for chance in (0.002, 0.3))
    assert few["rejected"] > many["rejected"]
    assert all(score.details["rpcs"] == 0 for score in run(source("plain")))
    assert sum(score.details["rpcs"] for score in run(source("plain", "offload_mix"))) > 0
    dear, cheap = (run(source("plain", "victim_clean", STAIN=stain))[1].details for stain in (4.0, 0.2))
    assert dear["write_backs"] == cheap["write_backs"]  # only the order counts
    several = [replace(SHORT[1], ops=2500, warm=1000, shifts=0, seed=seed) for seed in (3, 4, 5)]
    dear, any_ = (
        sum(score.details["write_backs"] for score in run(text, several))
        for text in (source("plain", "victim_clean", STAIN=4.0), source("plain"))
    )
    assert dear < any_
