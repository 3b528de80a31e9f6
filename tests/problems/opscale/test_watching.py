"""What the report shows of a policy is what it did."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.opscale import simulator
from evaluators.opscale.generators import CODE
from evaluators.opscale.scenario import System
from evaluators.opscale.suites import made
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load
from problems.figures import Chart, Shares, as_data
from problems.opscale.watching import burst, watched

GROWS = """
class Policy:
    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.count = 1

    def control(self, t, glob, obs, prof):
        self.count = 1 if t < 60.0 else 4

    def replicas(self, group):
        if group == 4:
            return self.count
        return 2 if group % 5 == 0 else 0
"""


def scenario(**system: object):
    chosen = System(gpus=12, operator_delay=0.0, **system)  # type: ignore[arg-type]
    return made(np.random.default_rng(3), "x", chosen, "smooth", CODE, 6.0, 121.0)


def test_figures_say_what_was_held_met_and_used() -> None:
    given = scenario()
    policy = InterpretedPolicy(load(GROWS, simulator.CONTRACT))
    loop = simulator.bind(policy)
    gpus, attained, whole, ffn, energy = watched(policy, loop, given)
    for chart in (gpus, attained, whole, ffn):
        assert isinstance(chart, Chart)
    assert isinstance(energy, Shares)
    score = simulator.simulate(policy, loop, given)
    held, demand = (list(line.values) for line in gpus.lines)
    assert held == pytest.approx([3.0] * 10 + [6.0] * 10)
    assert list(whole.lines[0].values) == pytest.approx([2.0] * 20)
    assert list(ffn.lines[0].values) == pytest.approx([1.0] * 10 + [4.0] * 10)
    assert 0.5 < np.mean(demand) < score.details["busy_gpu_hours"] * 3600 / 120
    assert (gpus.start, gpus.end) == (0.0, 2.0)
    assert max(attained.lines[0].values) <= 100.0
    assert np.mean(attained.lines[0].values) == pytest.approx(100 * score.details["attainment"], abs=2.0)
    parts = dict(zip(energy.names, energy.values[""], strict=True))
    assert sum(parts.values()) == pytest.approx(score.details["energy_kept_mj"])
    assert sum(parts.values()) - parts["released GPUs, if kept on"] == pytest.approx(
        score.details["energy_mj"]
    )


def test_watching_changes_nothing_in_either_mode() -> None:
    given = scenario(phases="serve")
    program = load(GROWS, simulator.CONTRACT)
    shown = []
    for policy in (InterpretedPolicy(program), CompiledPolicy(program, (10, 2.0, 1.5, 0.05))):
        loop = simulator.bind(policy)
        alone = simulator.simulate(policy, loop, given)
        seen: list[float] = []
        stepped = simulator.simulate(
            policy, loop, given, lambda world, seen=seen: seen.append(world.glob[11])
        )
        assert stepped.details == alone.details
        assert stepped.decisions == alone.decisions
        assert len(seen) > 60
        shown.append([as_data(figure) for figure in watched(policy, loop, given)])
    assert shown[0] == shown[1]
    titles = [figure["title"] for figure in shown[0]]
    assert titles == [
        "GPUs over time",
        "SLO attainment over time",
        "Replicas: prefill, whole model",
        "Replicas: prefill, FFN",
        "Replicas: decode, whole model",
        "Energy by cause",
    ]


def test_the_bursts_are_of_the_configured_system_and_seed() -> None:
    first, same, other = burst(1, {"model": "qwen2-7b"}), burst(1, {"model": "qwen2-7b"}), burst(2, {})
    assert first.system.model == "qwen2-7b"
    assert first.digest() == same.digest()
    assert not np.array_equal(first.arrivals, other.arrivals)
