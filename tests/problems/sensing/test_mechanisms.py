"""The mechanisms of soil sensing: every part fits every other, and what they make does what it says."""

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
from problems.sensing.mechanisms import LIBRARY
from problems.sensing.mechanisms.catalogue import MECHANISMS
from problems.sensing.mechanisms.plan import combine, drafted
from problems.sensing.mechanisms.rules import PLACES, RULES
from problems.sensing.mechanisms.structures import STRUCTURES

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


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_runs_with_every_rule(structure: str, task: simulator.Measured) -> None:
    plain = source(structure)
    run(plain, task)
    for rule in RULES:
        text = source(structure, rule)
        assert text != plain, rule
        if structure == "shares":
            run(text, task)
        else:
            load(text, simulator.CONTRACT)


def test_random_combinations_run(task: simulator.Measured) -> None:
    rng = np.random.default_rng(1)
    for _ in range(12):
        drawn = rng.choice(len(MECHANISMS), 5, replace=False)
        plan = combine([(MECHANISMS[i].parts, float(rng.random())) for i in drawn], rng)
        roles = [rule.role for rule in plan.rules]
        assert all(roles.count(role) <= most for role, most in PLACES.items())
        run(drafted(plan, rng).source("x"), task)


def test_the_catalogue_names_every_part_and_nothing_else() -> None:
    named = {part for mechanism in MECHANISMS for part in mechanism.parts}
    assert named == set(STRUCTURES) | set(RULES)
    assert len({m.id for m in MECHANISMS}) == len(MECHANISMS) >= 20


def test_plans_survive_a_design() -> None:
    plan = Plan(Part("priced"), (Part("flux_level"), Part("event_burst")), {"WORTH": 0.5})
    found = LIBRARY.read(f"Kept. {plan.line(drafted(plan).numbers)}")
    assert found is not None
    assert found.structure.name == "priced"
    assert found.numbers["WORTH"] == 0.5


def test_the_energy_goes_where_the_structure_says(task: simulator.Measured) -> None:
    few, many = (run(source("shares", PROBES=part, SESSIONS=0.1), task).details for part in (0.1, 0.5))
    assert many["wakes_a_day"] > 1.5 * few["wakes_a_day"]
    assert many["co2_a_day"] < few["co2_a_day"]


def test_only_the_alert_listens(task: simulator.Measured) -> None:
    assert run(source("shares"), task).details["alert_j"] == 0.0
    assert run(source("shares", "event_alert"), task).details["alert_j"] > 0.0
