"""Every baseline is its published rule, and decides alike in both modes."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import problems.autothrottle.baselines
from benchmarks.autothrottle_warm_up import packed
from evaluators.autothrottle.contract import APP, CONTRACT
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import Program, load
from tests.problems.autothrottle.plain import Captain, Law, Tower, Utilisation, Vertical
from tests.problems.autothrottle.rig import (
    CORES,
    DEFAULTS,
    limits,
    make_driver,
    make_minutes,
    plain_limits,
    targets,
)

FOLDER = Path(problems.autothrottle.baselines.__path__[0])
TARGETS = (0.0, 0.02, 0.04, 0.06, 0.10, 0.15, 0.20, 0.25, 0.30)
IDS = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


@functools.cache
def program(policy_id: str) -> Program:
    return load((FOLDER / f"{policy_id}.py").read_text(encoding="utf-8"), CONTRACT)


@functools.cache
def compiled(policy_id: str) -> tuple[Any, Any]:
    policy = CompiledPolicy(program(policy_id), (CORES, 200.0, 3))
    return policy, policy.bind(make_driver, DEFAULTS)


def drawn(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Demand of a service in cores, with calm and bursty stretches, and targets that change each minute."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.normal(0.0, 1.0, n // 100 + 1)).repeat(100)[:n]
    burst = np.where(rng.random(n) < 0.1, rng.exponential(3.0, n), 1.0)
    demand = level * burst * rng.gamma(4.0, 0.25, n)
    return demand, rng.choice(TARGETS, n // 600 + 1).repeat(600)[:n]


def law(policy_id: str) -> Law:
    laws: dict[str, Callable[[], Law]] = {
        "captain": lambda: Captain(CORES),
        "k8s_cpu": lambda: Utilisation(CORES, 150, 0.5),
        "k8s_cpu_fast": lambda: Utilisation(CORES, 10, 0.5),
        "fixed": lambda: lambda used, throttled, theta: CORES,
    }
    return laws[policy_id]()


def test_the_folder_holds_the_baselines() -> None:
    assert set(IDS) >= {"captain", "fixed", "k8s_cpu", "k8s_cpu_fast", "tower", "vpa"}
    assert len({program(policy_id).structure() for policy_id in IDS}) == len(IDS)


@pytest.mark.parametrize("policy_id", IDS)
def test_says_its_idea(policy_id: str) -> None:
    assert len(program(policy_id).doc.split()) >= 15


@pytest.mark.parametrize("policy_id", IDS)
def test_interpreted_and_compiled_decide_alike(policy_id: str) -> None:
    policy, loop = compiled(policy_id)
    slow = InterpretedPolicy(program(policy_id), policy.values, policy.floats)
    demand, target = drawn(1, 3000)
    expected = limits(slow, slow.bind(make_driver, DEFAULTS), demand, target)
    assert np.array_equal(limits(policy, loop, demand, target), expected)


@pytest.mark.parametrize("policy_id", ["captain", "fixed", "k8s_cpu", "k8s_cpu_fast"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 4000))
def test_is_its_definition(policy_id: str, seed: int, n: int) -> None:
    demand, target = drawn(seed, n)
    got = limits(*compiled(policy_id), demand, target)
    np.testing.assert_allclose(got, plain_limits(law(policy_id), demand, target), rtol=1e-9)


@pytest.mark.parametrize(("policy_id", "m"), [("k8s_cpu", 150), ("k8s_cpu_fast", 10)])
def test_the_utilisation_target_can_be_tuned(policy_id: str, m: int) -> None:
    policy, loop = compiled(policy_id)
    demand, target = drawn(5, 2000)
    got = limits(policy.with_values({"T": 0.8}), loop, demand, target)
    np.testing.assert_allclose(got, plain_limits(Utilisation(CORES, m, 0.8), demand, target), rtol=1e-9)


def test_random_demand_takes_every_branch_of_captain() -> None:
    """The comparison above says something only if cuts, taking back and raising all happen."""
    demand, target = drawn(3, 20_000)
    got = plain_limits(Captain(CORES), demand, target)
    steps = got[1:] / got[:-1]
    decisions = np.arange(1, len(got)) % 10 == 9
    assert (steps[decisions] == 0.5).sum() > 3  # cut by half
    assert ((steps[decisions] < 0.9) & (steps[decisions] > 0.5)).sum() > 3
    assert (steps[decisions] > 1.0).sum() > 3
    assert (steps[~decisions] > 1.0).sum() > 3  # taken back


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), percentile=st.floats(0.5, 1.0), half_life=st.floats(5.0, 1440.0))
def test_the_vertical_autoscaler_is_within_a_bucket_of_all_minutes(
    seed: int, percentile: float, half_life: float
) -> None:
    policy, loop = compiled("vpa")
    values = {"PERCENTILE": percentile, "MARGIN": 2.5, "HALF_LIFE": half_life}
    # With that margin nothing is ever cut off, so that what is used does not depend on the limits.
    demand = np.random.default_rng(seed).uniform(1.0, 2.0, 20).repeat(600)
    target = np.full(len(demand), 0.1)
    got = limits(policy.with_values(values), loop, demand, target)
    expected = plain_limits(Vertical(CORES, percentile, 2.5, half_life), demand, target)
    assert np.all(got[:599] == CORES)
    assert np.all(got >= expected * (1 - 1e-9))
    assert np.all(got <= expected * 1.05 * (1 + 1e-9))


def test_tower_decides_alike_in_both_modes() -> None:
    policy, _ = compiled("tower")
    slow = InterpretedPolicy(program("tower"), policy.values, policy.floats)
    rng = np.random.default_rng(4)
    apps = np.zeros((40, APP))
    apps[:, 0] = rng.uniform(100.0, 400.0, 40)
    apps[:, 4] = rng.uniform(20.0, 90.0, 40)
    apps[:, 6] = rng.uniform(20.0, 60.0, 40)
    expected = targets(slow, slow.bind(make_minutes, DEFAULTS), 50.0, apps, CLUSTER)
    assert np.array_equal(targets(policy, bound_minutes(policy), 50.0, apps, CLUSTER), expected)
    assert len(np.unique(expected)) > 2


def bound_minutes(policy: Any) -> Any:
    return policy.bind(make_minutes, DEFAULTS)


CLUSTER = np.array([0, 1, 0])


def test_fixed_targets_go_by_cluster() -> None:
    policy, _ = compiled("captain")
    given_ = targets(
        policy.with_values({"HIGH": 0.04, "REST": 0.25}),
        bound_minutes(policy),
        200.0,
        np.zeros((2, APP)),
        CLUSTER,
    )
    assert given_.tolist() == [[0.25, 0.04, 0.25]] * 2


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_tower_plays_what_it_expects_to_cost_least(seed: int) -> None:
    """Without a warm-up it explores at times: then the action is a neighbour, or was anything before the first sample."""
    policy, _ = compiled("tower")
    rng = np.random.default_rng(seed)
    apps = np.zeros((90, APP))
    apps[:, 0] = rng.choice([120.0, 300.0, 310.0, 480.0], 90)
    apps[:, 4] = rng.choice([30.0, 49.0, 50.0, 51.0, 300.0], 90) + rng.choice([0.0, 0.5], 90)
    apps[:, 6] = rng.uniform(20.0, 60.0, 90)
    given_ = targets(policy, bound_minutes(policy), 50.0, apps, CLUSTER)
    assert np.array_equal(given_[:, 0], given_[:, 2])
    grid = Tower.GRID
    actions = [grid.index(high) * 9 + grid.index(rest) for rest, high, _ in given_.tolist()]
    assert actions[0] == 40
    explored = 0
    for minute in range(1, 90):
        samples = [(actions[i], apps[i, 0], apps[i + 1, 4], apps[i + 1, 6]) for i in range(minute)]
        expected = Tower(50.0, samples).expected(apps[minute, 0])
        played = actions[minute]
        if expected[played] > min(expected) + 1e-9:
            explored += 1
            best = [a for a in range(81) if expected[a] < min(expected) + 1e-9]
            distances = [abs(b // 9 - played // 9) + abs(b % 9 - played % 9) for b in best]
            assert 1 in distances
    assert explored < 30  # one in ten


def warm_samples(slo_ms: int) -> list[tuple[int, float, float, float]]:
    """The samples in Tower's text, read digit by digit."""
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in program("tower").tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    digits = [f"{packed:018d}" for packed in values[f"WARM_{slo_ms}"]]
    return [(int(d[:2]), float(d[2:7]), float(d[7:13]), int(d[13:]) / 10) for d in digits]


@pytest.mark.parametrize("slo_ms", [200, 100, 1000])
def test_a_tower_with_samples_of_its_warm_up_never_explores(slo_ms: int) -> None:
    policy, _ = compiled("tower")
    known = warm_samples(slo_ms)
    assert len({action for action, *_ in known}) == 81
    assert any(p99 <= slo_ms for *_, p99, _ in known)
    assert any(p99 > slo_ms for *_, p99, _ in known)
    rng = np.random.default_rng(slo_ms)
    rates = [rps for _, rps, _, _ in known]
    apps = np.zeros((12, APP))
    apps[:, 0] = rng.uniform(min(rates), max(rates), 12)
    apps[:, 4] = rng.uniform(0.5 * slo_ms, 1.5 * slo_ms, 12)
    apps[:, 6] = rng.uniform(50.0, 150.0, 12)
    given_ = targets(policy, bound_minutes(policy), float(slo_ms), apps, CLUSTER)
    actions = [Tower.GRID.index(high) * 9 + Tower.GRID.index(rest) for rest, high, _ in given_.tolist()]
    for minute in range(1, 12):
        samples = [(actions[i], apps[i, 0], apps[i + 1, 4], apps[i + 1, 6]) for i in range(minute)]
        expected = Tower(float(slo_ms), known + samples).expected(apps[minute, 0])
        assert expected[actions[minute]] <= min(expected) + 1e-9


def test_a_sample_is_packed_as_tower_reads_it() -> None:
    assert packed([(80, 4999.6, 1e9, 2176.04), (3, 90.2, 55.1, 60.0)]).split() == [
        "800500099999921760,",
        "30009000005600600",
    ]
