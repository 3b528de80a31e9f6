"""Figures of a policy at work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from evaluators.dex import simulator
from evaluators.dex.cell import Cell
from metamuse.policy.compiled import InterpretedPolicy
from metamuse.policy.program import load
from problems.base import make
from problems.dex.watching import compared, phases, watched
from problems.figures import Chart, Shares

PROBLEM = make(yaml.safe_load((Path(__file__).parents[3] / "conf/problem/dex.yaml").read_text()))


def test_figures_add_up() -> None:
    policy = InterpretedPolicy(load(PROBLEM.baselines["dex"], PROBLEM.contract))
    loop = simulator.bind(policy)
    cell = Cell(
        "x", keys=400_000, cache_mb=0.5, servers=2, memory=2, threads=4, ops=4000, warm=1000, shifts=3
    )
    figures = watched(policy, loop, cell)
    score = simulator.simulate(policy, loop, cell)
    charts = {f.title: f for f in figures if isinstance(f, Chart)}
    shares = {f.title: f for f in figures if isinstance(f, Shares)}
    verbs = charts["Remote verbs at work"]
    assert np.mean(verbs.lines[0].values) == pytest.approx(score.details["verbs"], rel=0.1)
    assert 0 < verbs.start < verbs.end < 100
    assert np.median(charts["Throughput at work"].lines[0].values) == pytest.approx(
        score.details["mean_mops"], rel=0.2
    )
    assert sum(shares["Remote verbs by type"].values[""]) == pytest.approx(score.details["verbs"])
    assert sum(shares["Misses by level"].values[""]) >= 1 - score.details["leaf_hits"] - 1e-9
    assert len(shares["Misses by level"].names) == cell.height - 1


def test_systems_stand_beside_the_policy() -> None:
    policy = InterpretedPolicy(load(PROBLEM.baselines["always_admit"], PROBLEM.contract))
    cell = Cell("x", keys=400_000, cache_mb=0.5, threads=2, ops=400, warm=100)
    threads, caches = compared(policy, simulator.bind(policy), replace(cell, threads=1, keys=200_000))
    assert isinstance(threads, Chart)
    assert isinstance(caches, Chart)
    assert [line.name for line in threads.lines] == ["", "sherman", "p-sherman", "smart", "p-smart"]
    for line in threads.lines:
        assert line.values[-1] > 2.5 * line.values[0]
    assert all(len(line.values) == 6 for line in caches.lines)


def test_it_is_a_cell_of_its_own() -> None:
    digests = {
        PROBLEM.digest(cell)
        for which in ("feedback", "validation", "holdout")
        for cell in PROBLEM.workloads(which)
    }
    assert phases(1).digest() not in digests
    assert phases(1).digest() != phases(2).digest()
