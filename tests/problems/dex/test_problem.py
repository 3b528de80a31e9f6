"""The problem as the hub sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from evaluators.base import WorkloadError
from evaluators.dex.bounds import ceiling, oracle
from evaluators.dex.cell import MIXES, Cell
from evaluators.dex.keys import zeta
from evaluators.dex.layout import SCAN, UPDATE
from evaluators.dex.popularity import leaf_masses, server_masses
from problems.base import SETS, Problem, make

CONFIG = Path(__file__).parents[3] / "conf/problem/dex.yaml"


def configured(**changes: object) -> Problem:
    return make(yaml.safe_load(CONFIG.read_text()) | changes)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return configured()


def test_sets_and_shifts(problem: Problem) -> None:
    cells = [cell for which in SETS for cell in problem.workloads(which)]
    cells += [cell for part in problem.shifts(problem.workloads("holdout")).values() for cell in part]
    assert len({problem.digest(cell) for cell in cells}) == len(cells) == len({cell.name for cell in cells})
    holdout = problem.workloads("holdout")
    known = [cell for which in SETS[:2] for cell in problem.workloads(which)]
    for name in ("theta", "fanout", "servers", "keys"):
        assert {getattr(c, name) for c in holdout} - {getattr(c, name) for c in known}, name
    assert min(c.frames for c in known) > 3900
    assert any(c.shifts for c in holdout)
    assert any(c.flood for c in holdout)


def test_cells_come_from_files(tmp_path: Path, problem: Problem) -> None:
    one, many = tmp_path / "one.yaml", tmp_path / "many.yaml"
    one.write_text("cache_mb: 64\nmix: read-only\nkeys: 1000000\n")
    many.write_text("- {theta: 0.5}\n- {cpus: 0}\n")
    cell = problem.load(str(one))[0]
    assert (cell.name, cell.cache_mb, cell.mix, cell.keys, cell.theta) == (
        str(one),
        64,
        "read-only",
        1_000_000,
        0.99,
    )
    assert [c.name for c in problem.load(str(many))] == [f"{many}#0", f"{many}#1"]
    files = dict.fromkeys(SETS, str(one))
    given = configured(workloads=files, system={"cpus": 2, "ops": 2000.0}).workloads("holdout")[0]
    assert (given.cpus, given.ops, given.warm) == (2, 2000, 1000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cash: 1", "a cell has no cash; it has keys, fanout"),
        ("mix: all", "there is no mix 'all'"),
        ("keys: many", "keys is a whole number from 1000"),
        ("theta: 3.0", "theta is at least 0 and below 2"),
        ("cache_mb: 0.001", "fewer than 64 frames"),
        ("{keys: 1000, servers: 16, fanout: 58}", "too few keys for 16 servers"),
        ("- 3", "holds no cell"),
        ("[", "is no YAML"),
    ],
)
def test_files_that_make_no_sense(tmp_path: Path, problem: Problem, text: str, message: str) -> None:
    file = tmp_path / "cell.yaml"
    file.write_text(text)
    with pytest.raises(WorkloadError, match=message):
        problem.load(str(file))


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(WorkloadError, match=r"problem\.system has no cash"):
        configured(system={"cash": 1})
    with pytest.raises(WorkloadError, match=r"problem\.system: cpus is a whole number from 0 to 64"):
        configured(system={"cpus": -1})


def test_the_tree_of_the_paper() -> None:
    cell = Cell("paper")
    assert cell.widths == (6_896_552, 237_813, 8_201, 283, 10, 1)
    assert cell.height == 6
    assert cell.frames == 262_144
    assert cell.range_of(0, 0)[1] + 1 == cell.range_of(1, 0)[0]


def test_streams_follow_the_distribution() -> None:
    cell = Cell(
        "x",
        keys=20_000,
        cache_mb=0.1,
        ops=60_000,
        warm=0,
        cold=True,
        mix="read-intensive",
        servers=2,
        memory=2,
    )
    masses = leaf_masses(cell)
    assert masses.sum() == pytest.approx(1.0, rel=1e-9)
    for server in range(2):
        leaves = cell.streams.leaves[server * cell.ops : (server + 1) * cell.ops]
        seen = np.bincount(leaves, minlength=len(server_masses(cell, server, masses))) / cell.ops
        expected = server_masses(cell, server, masses)
        assert abs(seen - expected).sum() < 0.12  # half of it is sampling
        assert seen.argmax() == expected.argmax()
    kinds = np.bincount(cell.streams.kinds, minlength=4) / len(cell.streams.kinds)
    assert kinds[UPDATE] == pytest.approx(0.05, abs=0.004)


def test_the_hot_set_moves_and_floods_scan() -> None:
    moving = Cell(
        "x", keys=20_000, cache_mb=0.1, ops=30_000, warm=10_000, cold=True, shifts=1, servers=1, memory=1
    )
    leaves = moving.streams.leaves
    hot = [
        int(np.bincount(part).argmax()) for part in (leaves[:10_000], leaves[10_000:20_000], leaves[20_000:])
    ]
    assert hot[0] == hot[1] != hot[2]
    flooded = Cell(
        "x", keys=20_000, cache_mb=0.1, ops=32_000, warm=0, cold=True, flood=0.5, servers=1, memory=1
    )
    scans = (flooded.streams.kinds == SCAN).reshape(16, -1).mean(axis=1)
    assert scans[[3, 7, 11, 15]] == pytest.approx(0.5, abs=0.05)
    assert scans[[0, 1, 2, 4]].sum() == 0


def test_zeta() -> None:
    for theta in (0.5, 0.99, 1.0, 1.2):
        exact = float((np.arange(1, 200_001, dtype=np.float64) ** -theta).sum())
        assert zeta(200_000, theta) == pytest.approx(exact, rel=1e-9)


def test_bounds() -> None:
    cell = Cell(
        "x", keys=300_000, cache_mb=1.0, servers=2, memory=2, threads=8, ops=30_000, warm=15_000, cpus=0
    )
    best = oracle(cell)
    assert 0 < best.value < ceiling(cell).value
    masses = leaf_masses(cell)
    for name in ("rejected", "write_backs", "rpcs"):
        assert best.details[name] == 0
    # Every frame holds a leaf or one of the inner nodes, which are all hotter.
    own = [np.sort(server_masses(cell, s, masses))[::-1] for s in range(2)]
    inner = sum(
        cell.range_of(0, level)[1] - cell.range_of(0, level)[0] + 1 for level in range(1, cell.height)
    )
    expected = np.mean([part[cell.frames - inner :].sum() for part in own])
    assert best.details["misses_0"] == pytest.approx(expected, abs=0.01)


def test_mixes_are_shares() -> None:
    assert all(sum(shares) == 1.0 for shares in MIXES.values())


def test_texts(problem: Problem) -> None:
    for name in ("task", "situation", "contract"):
        assert len(problem.prompt(name).split()) > 20
    assert problem.reference in problem.baselines
    assert set(problem.neighbours) <= set(problem.baselines)
