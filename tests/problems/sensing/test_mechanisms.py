"""The mechanisms of soil sensing: what the parts make does what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from evaluators.sensing import simulator
from evaluators.sensing.suites import KINDS, made
from metamuse.policy.compiled import InterpretedPolicy
from metamuse.policy.program import load
from problems.base import make
from problems.composing import Part, Plan
from problems.sensing.mechanisms.plan import drafted

PROBLEM = make(
    yaml.safe_load((Path(__file__).parents[3] / "conf/problem/sensing.yaml").read_text()) | {"sites": None}
)


@pytest.fixture(scope="module")
def task() -> simulator.Measured:
    return simulator.Measured(made(np.random.default_rng(5), "m", KINDS["text-relays"], 3, 5))


def source(structure: str, *rules: str, **numbers: float) -> str:
    return drafted(Plan(Part(structure), tuple(map(Part, rules)), numbers)).source("x")


def run(text: str, task: simulator.Measured) -> simulator.Score:
    policy = InterpretedPolicy(load(text, simulator.CONTRACT))
    return simulator.simulate(policy, simulator.bind(policy), task)


def test_the_energy_goes_where_the_structure_says(task: simulator.Measured) -> None:
    few, many = (run(source("shares", PROBES=part, SESSIONS=0.1), task).details for part in (0.1, 0.5))
    assert many["wakes_a_day"] > 1.5 * few["wakes_a_day"]
    assert many["co2_a_day"] < few["co2_a_day"]


def test_only_the_alert_listens(task: simulator.Measured) -> None:
    assert run(source("shares"), task).details["alert_j"] == 0.0
    assert run(source("shares", "event_alert"), task).details["alert_j"] > 0.0
