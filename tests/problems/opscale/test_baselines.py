"""Every baseline does what it is named after, alike in both modes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from evaluators.opscale import layout as k
from evaluators.opscale import simulator
from evaluators.opscale.generators import CHAT, CODE
from evaluators.opscale.scenario import System
from evaluators.opscale.suites import made
from evaluators.opscale.world import World
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load
from problems.base import make

PROBLEM = make(yaml.safe_load((Path(__file__).parents[3] / "conf/problem/opscale.yaml").read_text()))
REQUIRED = set(
    "static_p95 static_peak hpa token_rate model_erlang pd_joint operator_erlang hybrid uniform_tandem".split()
)


class Recorded:
    """An interpreted policy that remembers what it was asked and answered."""

    def __init__(self, baseline: str, **values: float) -> None:
        self.policy = InterpretedPolicy(load(PROBLEM.baselines[baseline], PROBLEM.contract), values)

    def targets(self, steps: list[dict[str, float]], system: System) -> np.ndarray:
        """Targets by step and group for made-up rates."""
        from evaluators.opscale.world import profile

        rng = np.random.default_rng(1)
        prof = profile(made(rng, "x", system, "smooth", CODE, 5.0, 30.0))
        groups = len(prof) // k.PROF
        state = self.policy.state(groups, 2.0, system.ttft, system.tbt)
        out = []
        for i, step in enumerate(steps):
            glob, obs = np.zeros(k.GLOB), np.zeros(groups * k.OBS)
            glob[:6] = (2.0, step["rate"], step["rate"], 2000.0, 0.5, 100.0)
            glob[12], glob[13], glob[14], glob[15] = 200, 40.0, step.get("peak", 0.0), step.get("p95", 0.0)
            state.control(2.0 * i, glob, obs, prof)
            out.append([state.replicas(g) for g in range(groups)])
        return np.array(out)


def test_the_folder_holds_the_baselines() -> None:
    assert set(PROBLEM.baselines) == REQUIRED


@pytest.mark.parametrize("baseline", sorted(REQUIRED))
def test_modes_agree(baseline: str) -> None:
    program = load(PROBLEM.baselines[baseline], PROBLEM.contract)
    compiled = CompiledPolicy(program, PROBLEM.init_example())
    plain = InterpretedPolicy(program, compiled.values, compiled.floats)
    loops = PROBLEM.bind(compiled), PROBLEM.bind(plain)
    for workload in PROBLEM.probes():
        one, two = PROBLEM.simulate(compiled, loops[0], workload), PROBLEM.simulate(plain, loops[1], workload)
        assert one.decisions == two.decisions
        assert one.value == two.value


def test_static_plans_never_change_and_differ_by_what_they_look_at() -> None:
    steps = [{"rate": r, "p95": 30.0, "peak": 90.0} for r in (5.0, 50.0, 0.0)]
    busy, peak = (Recorded(b).targets(steps, System()) for b in ("static_p95", "static_peak"))
    assert (busy == busy[0]).all()
    assert (peak == peak[0]).all()
    assert peak[0, 0] > 2 * busy[0, 0] > 0
    assert busy[0, 1:].sum() == 0


def test_model_level_scales_whole_models_and_holds_before_it_lets_go() -> None:
    steps = [{"rate": r} for r in [2.0] * 3 + [60.0] * 3 + [2.0] * 40]
    targets = Recorded("model_erlang", HOLD=20.0).targets(steps, System())
    assert targets[:, 1:].sum() == 0
    assert targets[5, 0] > 10 * targets[2, 0] / 2
    assert targets[14, 0] == targets[5, 0]
    assert targets[-1, 0] == targets[0, 0]


def test_operator_level_gives_each_operator_its_own() -> None:
    targets = Recorded("operator_erlang").targets([{"rate": 40.0}] * 2, System())[-1]
    assert targets[0] == 0
    assert targets[4] > 3 * max(targets[1:4])  # the FFN is most of the work
    assert targets[1:4].min() >= 1


@pytest.mark.parametrize("baseline", ["hpa", "token_rate"])
def test_an_overload_is_answered_with_the_whole_cluster(baseline: str) -> None:
    """However long the queue, nobody asks for more than there is (4,096 would end the run)."""
    policy = InterpretedPolicy(load(PROBLEM.baselines[baseline], PROBLEM.contract))
    given = made(np.random.default_rng(1), "x", System(gpus=12), "smooth", CODE, 400.0, 60.0)
    asked: list[int] = []

    def note(world: World) -> None:
        asked.append(int(world.act[0, k.TARGET]))

    simulator.simulate(policy, simulator.bind(policy), given, note)
    assert max(asked) == 12


def test_the_uniform_tandem_is_uniform_and_dearer() -> None:
    operators = Recorded("operator_erlang").targets([{"rate": 40.0}] * 2, System())[-1]
    tandem = Recorded("uniform_tandem").targets([{"rate": 40.0}] * 2, System())[-1]
    assert len(set(tandem[1:].tolist())) == 1
    assert tandem[0] == 0
    assert tandem.sum() > 1.5 * operators.sum()


def test_without_a_split_both_phases_get_the_same() -> None:
    steps = [{"rate": 30.0}] * 2
    system = System(phases="serve")
    joint, split = (Recorded(b).targets(steps, system)[-1] for b in ("pd_joint", "model_erlang"))
    assert joint[0] == joint[5] == max(split[0], split[5])
    assert split[0] != split[5]


def test_hybrid_reinforces_the_ffn_while_whole_models_load() -> None:
    targets = Recorded("hybrid").targets([{"rate": 2.0}, {"rate": 60.0}], System())
    assert targets[1, 0] > targets[0, 0]
    assert targets[1, 4] > 0
    assert targets[:, 1:4].sum() == 0


@pytest.mark.parametrize(("phases", "lengths"), [("prefill", CODE), ("decode", CHAT)])
def test_with_room_every_planner_meets_smooth_traffic(phases: str, lengths) -> None:
    system = System(phases=phases, model_delay=1.0)
    workload = made(np.random.default_rng(2), "x", system, "smooth", lengths, 15.0, 240.0)
    for baseline in ("model_erlang", "operator_erlang", "static_peak"):
        policy = CompiledPolicy(load(PROBLEM.baselines[baseline], PROBLEM.contract), PROBLEM.init_example())
        score = simulator.simulate(policy, PROBLEM.bind(policy), workload)
        assert score.details["attainment"] >= 0.99, baseline
