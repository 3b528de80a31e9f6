"""The problem as the hub sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from evaluators.base import WorkloadError
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from problems.base import SETS, Problem, make

CONFIG = Path(__file__).parents[3] / "conf/problem/autothrottle.yaml"


def configured(**settings: Any) -> Problem:
    return make(yaml.safe_load(CONFIG.read_text()) | settings)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return configured()


def test_sets_and_shifts(problem: Problem) -> None:
    digests = [problem.digest(workload) for which in SETS for workload in problem.workloads(which)]
    shifts = problem.shifts(problem.workloads("holdout"))
    digests += [problem.digest(workload) for workloads in shifts.values() for workload in workloads]
    assert len(set(digests)) == len(digests)


def test_a_trace_is_run_on_every_application(problem: Problem, tmp_path: Path) -> None:
    file = tmp_path / "hour.txt"
    file.write_text("100\n" * 300)
    loads = problem.load(str(file))
    assert [load.name.rpartition("#")[2] for load in loads] == ["social", "hotel", "train"]
    assert [int(load.rps[-1]) for load in loads] == [150, 1000, 100]
    one = configured(application="hotel", loop="open", burst=0.5).load(str(file))
    assert [(load.application.name, load.closed, load.burst) for load in one] == [("hotel", False, 0.5)]
    assert problem.digest(loads[1]) != problem.digest(one[0])


def test_synthetic_sets_of_one_application() -> None:
    loads = configured(application="train").workloads("validation")
    assert {load.application.name for load in loads} == {"train"}


@pytest.mark.parametrize(
    "setting", [{"application": "bookshop"}, {"loop": "figure eight"}, {"burst": 2.0}, {"burst": -0.1}]
)
def test_settings_that_make_no_sense(setting: dict[str, Any]) -> None:
    with pytest.raises(WorkloadError, match=f"problem.{next(iter(setting))}"):
        configured(**setting)


def test_a_trace_too_short_for_what_is_not_measured(problem: Problem, tmp_path: Path) -> None:
    file = tmp_path / "short.txt"
    file.write_text("100\n" * 20)
    with pytest.raises(WorkloadError, match="too short"):
        problem.load(str(file))


def test_no_baseline_beats_the_bound_on_a_probe(problem: Problem) -> None:
    source = problem.baselines[problem.reference]
    policy = CompiledPolicy(load(source, problem.contract), problem.init_example())
    loop = problem.bind(policy)
    for probe in problem.probes():
        score = problem.simulate(policy, loop, probe)
        assert np.isfinite(score.value) and score.value > problem.bound("work", probe).value
