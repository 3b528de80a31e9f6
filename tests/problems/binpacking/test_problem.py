"""The problem as the hub sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from evaluators.base import WorkloadError
from problems.base import SETS, Problem, make

CONFIG = Path(__file__).parents[3] / "conf/problem/binpacking.yaml"


@pytest.fixture(scope="module")
def problem() -> Problem:
    return make(yaml.safe_load(CONFIG.read_text()))


def test_sets_and_shifts(problem: Problem) -> None:
    digests = [problem.digest(workload) for which in SETS for workload in problem.workloads(which)]
    shifts = problem.shifts(problem.workloads("holdout"))
    digests += [problem.digest(workload) for workloads in shifts.values() for workload in workloads]
    assert len(set(digests)) == len(digests)


def test_digest_is_of_the_content(problem: Problem, tmp_path: Path) -> None:
    same = [tmp_path / "a.txt", tmp_path / "b.json", tmp_path / "c.txt"]
    same[0].write_text("1\nx\n10 2 1\n3\n4\n")
    same[1].write_text('{"x": {"capacity": 10, "items": [3, 4]}}')
    same[2].write_text("1\nx\n10 2 1\n4\n3\n")
    first, second, third = (problem.digest(problem.load(str(path))[0]) for path in same)
    assert first == second != third


def test_files_of_the_configuration(tmp_path: Path) -> None:
    config = yaml.safe_load(CONFIG.read_text())
    (tmp_path / "a.txt").write_text("2\nx\n10 2 1\n3\n4\ny\n10 1 1\n5\n")
    config["workloads"]["holdout"] = str(tmp_path / "*.txt")
    assert [w.name for w in make(config).workloads("holdout")] == [f"{tmp_path}/a.txt#{n}" for n in "xy"]
    config["workloads"]["holdout"] = str(tmp_path / "*.json")
    with pytest.raises(WorkloadError, match="no file matches"):
        make(config).workloads("holdout")


def test_bound_of_small_instances_has_the_optimum(problem: Problem, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1\nx\n1.0 6 3\n0.6\n0.6\n0.4\n0.3\n0.3\n0.3\n")
    score = problem.bound("l2", problem.load(str(path))[0])
    assert score.details == {"items": 6, "bins": 3, "lower_bound": 3, "optimum": 3}
    assert "optimum" not in problem.bound("l2", problem.workloads("holdout")[0]).details


def test_texts(problem: Problem) -> None:
    for name in ("task", "situation", "contract"):
        assert len(problem.prompt(name).split()) > 20
    assert problem.reference in problem.baselines
    assert set(problem.neighbours) <= set(problem.baselines)
