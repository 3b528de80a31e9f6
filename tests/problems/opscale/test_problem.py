"""The problem as the hub sees it."""

from __future__ import annotations

import functools
import operator
from pathlib import Path

import numpy as np
import pytest
import yaml

from evaluators.base import WorkloadError
from evaluators.opscale import bounds
from evaluators.opscale import layout as k
from evaluators.opscale.profiles import VIDUR_OPERATORS
from problems.base import SETS, Problem, make

CONFIG = Path(__file__).parents[3] / "conf/problem/opscale.yaml"
HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def configured(**changes: object) -> Problem:
    return make(yaml.safe_load(CONFIG.read_text()) | changes)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return configured()


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "".join(f"{i},{100 + i},{1 + i % 7}\n" for i in range(400)))
    return path


def test_sets_and_shifts(problem: Problem) -> None:
    digests = [problem.digest(workload) for which in SETS for workload in problem.workloads(which)]
    shifts = problem.shifts(problem.workloads("holdout"))
    digests += [problem.digest(workload) for workloads in shifts.values() for workload in workloads]
    assert len(set(digests)) == len(digests)


def test_one_trace_serves_all_sets_by_time(trace: Path) -> None:
    problem = configured(workloads=dict.fromkeys(SETS, str(trace)), windows=2)
    prompts = [w.prompts.tolist() for which in SETS for w in problem.workloads(which)]
    assert functools.reduce(operator.iadd, prompts, []) == list(range(100, 500))
    feedback, holdout = problem.workloads("feedback"), problem.workloads("holdout")
    assert [w.name for w in feedback] == [f"{trace}#0", f"{trace}#1"]
    assert holdout[0].past.prompt < holdout[0].prompts.min()  # what came before, not what comes


def test_the_digest_is_of_content_and_system(trace: Path) -> None:
    first = configured().load(str(trace))[0]
    same = configured().load(str(trace))[0]
    other = configured(system={"model_delay": 1.0}).load(str(trace))[0]
    thick = configured(thicken=3).load(str(trace))[0]
    digests = [problem_digest.digest() for problem_digest in (first, same, other, thick)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    assert len(thick.arrivals) == 1200


def test_switches_reach_all_synthetic_scenarios() -> None:
    problem = configured(system={"whole": "uniform_tandem", "model_delay": 3.0, "gpu": None})
    for workload in problem.workloads("validation"):
        assert workload.system.whole == "uniform_tandem"
        assert workload.system.model_delay == 3.0


def test_own_profiles_reach_every_scenario(tmp_path: Path) -> None:
    head = ",".join(f"time_stats.{name}.median" for name in VIDUR_OPERATORS)
    rows = [",".join([str(0.002 * n)] * 9 + [str(n), "1"]) for n in (1, 8192)]
    table = tmp_path / "a100_llama3-8b.csv"
    table.write_text("\n".join([f"{head},num_tokens,num_tensor_parallel_workers", *rows]) + "\n")
    problem = configured(profiles=str(tmp_path))
    scenario = problem.workloads("feedback")[0]
    plain = configured().workloads("feedback")[0]
    assert scenario.digest() != plain.digest()
    assert np.array_equal(scenario.arrivals, plain.arrivals)
    target = np.array([60, 0, 0, 0, 0])
    slow, quick = (bounds.run_fixed(s, target).requests[:, k.TTFT] for s in (scenario, plain))
    assert np.median(slow) > 4 * np.median(quick) > 0


def test_failures_are_a_switch() -> None:
    failing, calm = (configured(system={"mtbf": mtbf}).workloads("feedback")[0] for mtbf in (300.0, None))
    target = np.array([12, 0, 0, 0, 0])
    died = [int(bounds.run_fixed(s, target).ints[k.FAILED]) for s in (failing, calm)]
    assert died[0] > 5 > died[1] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"system": {"modle": "x"}}, "problem.system has no modle"),
        ({"system": {"model": "x"}}, "there is no model x"),
        ({"system": {"profiles": "x"}}, "problem.system has no profiles"),
        ({"system": {"mtbf": -1.0}}, "nor are mtbf and failure_seed"),
        ({"profiles": "no/such/folder"}, "no/such/folder: No such file or directory"),
        ({"windows": 0}, "problem.windows is at least 1"),
        ({"thicken": 0}, "problem.thicken is at least 1"),
    ],
)
def test_settings_that_make_no_sense(changes: dict, message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        configured(**changes)


def test_bad_parts_and_windows(trace: Path) -> None:
    files = dict.fromkeys(SETS, str(trace))
    with pytest.raises(WorkloadError, match="range within"):
        configured(workloads=files, parts={"feedback": [0.5, 0.2]}).workloads("feedback")
    trace.write_text(HEAD + "0,1,1\n100,1,1\n")
    with pytest.raises(WorkloadError, match="use fewer windows"):
        configured(workloads=files, windows=5).workloads("validation")


def test_bounds(problem: Problem) -> None:
    workload = problem.probes()[0]
    assert 0 < problem.bound("work", workload).value < problem.bound("fixed", workload).value


def test_attainment_is_told_beside_the_metric(problem: Problem) -> None:
    rows = [
        {"requests": 300.0, "attainment": 1.0, "gpu_hours": 2.0},
        {"requests": 100.0, "attainment": 0.9, "gpu_hours": 1.25},
    ]
    (said,) = problem.remarks(rows)
    assert "97.50 % of all requests attain, at least 99 % on 1 of 2 workloads" in said
    assert "without the penalty are 3.2 in all" in said


def test_cuts_are_told(problem: Problem) -> None:
    workload = problem.probes()[0]
    cut = problem.cut(workload, [0, 2])
    assert problem.events(cut) == 2
    assert np.all(cut.prompts == workload.prompts[[0, 2]])
    assert f"{cut.prompts[1]}+{cut.outputs[1]}" in problem.tell(cut)
    assert [w.system.gpus for w in problem.smaller(workload)] == [1, 2, 4]


def test_texts(problem: Problem) -> None:
    for name in ("task", "situation", "contract"):
        assert len(problem.prompt(name).split()) > 20
    assert problem.reference in problem.baselines
    assert set(problem.neighbours) <= set(problem.baselines)
