"""Tower with Vowpal Wabbit: what it trains on, and where the package is there, that it learns from it."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from benchmarks.autothrottle_vw import VowpalTower, costs, grouped, unpacked
from benchmarks.autothrottle_warm_up import packed
from evaluators.autothrottle.applications import APPLICATIONS
from problems.autothrottle.baselines import tower

# Not a capability (tests/support/capabilities.py): continuous integration demands those, and nobody needs this package.
needs_vw = pytest.mark.skipif(
    importlib.util.find_spec("vowpalwabbit") is None, reason="needs vowpalwabbit: pip install -e '.[vw]'"
)


def test_samples_are_those_of_the_baseline() -> None:
    found = [(80, 312.0, 187.0, 101.5), (0, 90.0, 12345.0, 7.0)]
    numbers = [int(x) for x in packed(found).split(",") if x.strip()]
    assert unpacked(numbers) == found
    assert len(unpacked(tower.WARM_100)) > 300
    assert all(0 <= action < 81 for action, *_ in unpacked(tower.WARM_1000))


def test_costs_are_cores_within_the_objective_and_lateness_beyond() -> None:
    samples = [
        (0, 100.0, 90.0, 50.0),
        (0, 100.0, 100.0, 70.0),
        (0, 100.0, 101.0, 9.0),
        (0, 100.0, 201.0, 9.0),
    ]
    assert costs(samples, 100.0) == [0.0, 1.0, 2.0, 3.0]
    assert costs(samples[1:3], 100.0) == [0.5, 2.5]


def test_equal_actions_at_about_equal_loads_are_one_group() -> None:
    samples = [(3, 101.0, 50.0, 10.0), (3, 99.0, 50.0, 20.0), (3, 95.0, 50.0, 12.0), (3, 131.0, 50.0, 10.0)]
    assert grouped(samples, 100.0, 20.0) == [(3, 100.0, pytest.approx(0.2)), (3, 140.0, 0.0)]


@needs_vw
def test_it_learns_which_action_is_cheap_at_which_load() -> None:
    rng = np.random.default_rng(5)
    samples = []
    for _ in range(400):
        load, action = float(rng.integers(5, 15)) * 20, int(rng.choice([20, 60]))
        cheap = 20 if load < 200 else 60
        samples.append((action, load, 50.0, 10.0 if action == cheap else 40.0))
    law = VowpalTower(APPLICATIONS["social"], samples, 10_000).state()
    assert law.action == tower.MIDDLE
    chosen = []
    for load in (120.0, 280.0):
        law.load = load
        chosen.append(law.chosen())
    assert chosen == [20, 60]
