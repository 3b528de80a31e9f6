"""The compiled network against the plain one, and laws that hold whatever is decided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.sensing import fixed, kernel, noise, recovery
from evaluators.sensing import layout as k
from evaluators.sensing.scenario import FAULTS, Fault, Hardware, Radio, Scenario, Trouble
from evaluators.sensing.scoring import Task, outcome
from evaluators.sensing.suites import KINDS, made
from evaluators.sensing.world import World
from tests.evaluators.sensing.naive import Decision, Naive

_MASK = (1 << 64) - 1


def scenario(kind: str, nodes: int, days: int, seed: int = 3, **changes: object) -> Scenario:
    return replace(made(np.random.default_rng(seed), f"t/{kind}", KINDS[kind], nodes, days), **changes)


def draws(seed: int, n: int, t: int) -> Decision:
    """Decisions that depend on node and tick alone, of every sort."""
    rng = np.random.default_rng((seed, n, t))
    sleep = int(rng.integers(1, 40)) if rng.random() < 0.95 else int(rng.integers(1, 1009))
    packets = int(rng.integers(-4, 60)) if rng.random() < 0.15 else 0
    return sleep, bool(rng.random() < 0.3), packets, bool(rng.random() < 0.4)


def compiled_run(task: Task, seed: int) -> tuple[World, list[tuple[int, int, list[float]]]]:
    world = task.world()
    advance = kernel.compiled()
    seen = []
    advance(world.table)
    while world.ints[k.WAITS] == k.AWAKE:
        n, t = int(world.ints[k.NODE]), int(world.ints[k.TICK])
        seen.append((n, t, world.obs.tolist()))
        world.act[:] = draws(seed, n, t)
        advance(world.table)
    return world, seen


def troubled(base: Scenario, seed: int) -> Scenario:
    """Every kind of fault on some node, leaks, outages and visits."""
    rng = np.random.default_rng(seed)
    days = base.days
    kinds = list(FAULTS)
    faults = tuple(
        Fault(
            i,
            kinds[(i + seed) % len(kinds)],
            ("moisture", "temperature", "flux")[i % 3],
            days * float(rng.random()),
            0.1,
        )
        for i in range(len(base.nodes))
    )
    trouble = Trouble(
        faults, ((0.3 * days, 0.5 * days),), ((0, 0.2 * days, 0.7 * days),), (0.6 * days, 0.8 * days)
    )
    return base.on(trouble=trouble)


CASES = {
    "battery": scenario("text-wood", 5, 12),
    "lean": scenario("text-lean", 4, 14, hardware=Hardware.preset("fitted", store_j=22.0, flash_records=30)),
    "cold": scenario("fitted-wood", 3, 14).on(hardware=Hardware.preset("text", store_j=60.0, cold=2.0)),
    "solar": scenario("text-solar", 5, 12).on(hardware=Hardware.preset("fitted", store_j=6.0, panel_w=4e-4)),
    "relays": scenario("text-relays", 14, 10).on(hardware=Hardware.preset("text", store_j=30.0)),
    "bad links": scenario("text-2.4", 5, 10).on(radio=Radio(band="2.4", good_h=5.0, bad_h=9.0)),
    "no CO2": scenario("text-wood", 3, 8).on(hardware=Hardware.preset("text", co2_sensor=False)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_kernel_does_what_the_description_says(case: str) -> None:
    for seed in (1, 2):
        task = Task(troubled(CASES[case], seed))
        world, seen = compiled_run(task, seed)
        told: list[tuple[int, int, list[float]]] = []

        def decide(naive: Naive, n: int, t: int, obs: list[float], seed: int = seed) -> Decision:
            told.append((n, t, obs))  # noqa: B023
            return draws(seed, n, t)

        naive = Naive(task.scenario, decide).run()
        assert [(n, t) for n, t, _ in told] == [(n, t) for n, t, _ in seen]
        np.testing.assert_allclose([o for _, _, o in told], [o for _, _, o in seen], rtol=1e-9, atol=1e-9)
        for n, node in enumerate(naive.nodes):
            ni, nf = world.node_ints[n], world.node_floats[n]
            assert (ni[k.DIED], ni[k.DOWN_TICKS], ni[k.SEEN_AT]) == (node.died, node.down_ticks, node.seen_at)
            assert (ni[k.SESSIONS], ni[k.FAILED], ni[k.CO2S]) == (node.sessions, node.failed, node.co2s)
            assert ni[k.LOST] == sum(r.lost for r in node.records)
            assert ni[k.SENT] == sum(r.at_base >= 0 for r in node.records)
            assert nf[k.STORE] == pytest.approx(node.store, abs=1e-9)
            assert nf[k.AGE] / task.scenario.field.ticks / 144 == pytest.approx(naive.age_days(n))
            line = np.zeros(task.scenario.field.ticks)
            for q in range(4):
                recovery.recovered(
                    task.scenario.seed,
                    task.scenario.field.values,
                    task.plan.fixed,
                    task.plan.sizes[n],
                    ni[k.REPAIRED],
                    world.flags,
                    q,
                    n,
                    line,
                )
                np.testing.assert_allclose(line, naive.recovered(n, q), atol=1e-9)


def test_errors_are_those_of_what_was_recovered() -> None:
    task = Task(troubled(CASES["battery"], 1))
    world, _ = compiled_run(task, 1)
    naive = Naive(task.scenario, lambda naive, n, t, obs: draws(1, n, t)).run()
    truth = task.scenario.field.values.astype(np.float64)
    found = outcome(task, world)
    for q, name in ((3, "flux_error"), (2, "temperature_error")):
        errors = [np.mean((naive.recovered(n, q) - truth[q, n]) ** 2) for n in range(5)]
        sd = np.sqrt(truth[q].var(axis=1).mean())
        assert found.parts[name] == pytest.approx(np.sqrt(np.mean(errors)) / sd)
    sums = [abs(naive.recovered(n, 3).sum() / truth[3, n].sum() - 1) for n in range(5)]
    assert found.parts["sum_error"] == pytest.approx(np.mean(sums))
    assert found.loss == pytest.approx(
        np.mean([found.parts[name] / getattr(task.scenario.goals, goal) for name, goal in _GOALS.items()])
    )


_GOALS = {
    "flux_error": "flux",
    "moisture_error": "moisture",
    "temperature_error": "temperature",
    "sum_error": "seasonal_sum",
    "missed_wetups": "wetups_missed",
    "age_d": "age_d",
    "fault_d": "fault_d",
    "down": "down",
    "lost": "lost",
}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), case=st.sampled_from(list(CASES)))
def test_no_joule_is_made(seed: int, case: str) -> None:
    """What was spent is what the store lost, but for what the sun gave and what a fresh cell brought."""
    task = Task(CASES[case])
    world, _ = compiled_run(task, seed)
    for n, nf in enumerate(world.node_floats):
        spent = nf[k.SPENT_SLEEP] + nf[k.SPENT_PROBE] + nf[k.SPENT_CO2] + nf[k.SPENT_RADIO]
        spent += nf[k.SPENT_RELAY] + nf[k.SPENT_ALERT]
        had = task.plan.capacity[n] - nf[k.STORE] + nf[k.HARVESTED]
        assert 0.0 <= nf[k.STORE] <= task.plan.capacity[n] + 1e-12
        if task.scenario.hardware.panel_w == 0 and world.node_ints[n, k.DIED] < 0:
            # Sleeping off an empty store takes nothing from nowhere.
            assert spent == pytest.approx(had, abs=1e-9) or nf[k.STORE] == 0.0
        arrived = np.count_nonzero((world.flags[n] & (k.ARRIVED | k.DROPPED)) == k.ARRIVED)
        assert arrived == world.node_ints[n, k.SENT]
        assert (
            world.node_ints[n, k.UNSENT] == world.node_ints[n, k.WAKES] - arrived - world.node_ints[n, k.LOST]
        )


def test_batching_beats_sending_at_once() -> None:
    task = Task(scenario("text-wood", 6, 30))
    often, seldom = (outcome(task, fixed.run(task, fixed.Schedule(6, 36, r))).details for r in (6, 144))
    assert seldom["radio_j"] < 0.5 * often["radio_j"]
    assert seldom["age_d"] > often["age_d"]


def test_the_best_fixed_schedule_is_near_that_of_the_whole_grid() -> None:
    for kind in ("text-wood", "fitted-solar"):
        task = Task(scenario(kind, 4, 20))
        grid = [
            outcome(task, fixed.run(task, fixed.Schedule(p, c, r))).loss
            for p in fixed.PROBE
            for c in fixed.CO2
            for r in fixed.RADIO
        ]
        assert fixed.best(task)[1].loss <= 1.03 * min(grid)


def _mix(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


@settings(deadline=None)  # the first example compiles
@given(st.integers(0, 1 << 62), st.integers(0, 1 << 20), st.integers(0, 1 << 20))
def test_the_hash_is_splitmix(seed: int, a: int, b: int) -> None:
    golden = 0x9E3779B97F4A7C15
    x = _mix(((_mix((seed + a * golden) & _MASK)) + b * golden) & _MASK)
    assert noise.hashed(seed, a, b) & _MASK == x
    assert noise.uniform(seed, a, b) == (x >> 11) / 2**53
    parts = [(x >> shift) & 0xFFFF for shift in (0, 16, 32, 48)]
    assert noise.normal(seed, a, b) == pytest.approx((sum(parts) / 65535 - 2) * 3**0.5)


def test_noise_has_the_moments_it_says() -> None:
    z = np.array([noise.normal(7, 1, t) for t in range(20000)])
    assert abs(z.mean()) < 0.03
    assert z.std() == pytest.approx(1.0, abs=0.02)
