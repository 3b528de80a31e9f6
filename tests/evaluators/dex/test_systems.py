"""The other systems: verbs by recipe, and the ceilings that locks and sections set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluators.dex.cell import Cell
from evaluators.dex.systems import SYSTEMS, run_system

CELL = Cell("x", keys=5_000_000, cache_mb=20.0, ops=6000, warm=2000, mix="read-only", theta=0.0)


def test_verbs_of_a_read() -> None:
    found = {id: run_system(system, CELL).details for id, system in SYSTEMS.items()}
    height = CELL.height
    assert found["one-sided"]["reads"] == 3 * height
    assert found["p-one-sided"]["reads"] == pytest.approx(height)
    assert found["sherman"]["reads"] == 3.0  # every inner node is cached
    assert found["p-sherman"]["reads"] == 1.0
    assert found["smart"]["reads"] == pytest.approx(1.44, abs=0.02)
    assert found["p-smart"]["reads"] == pytest.approx(1.15, abs=0.02)
    for details in found.values():
        assert details["writes"] == details["atomics"] == details["rpcs"] == 0
        assert details["p99_us"] >= details["p50_us"] > 1.0


def test_verbs_of_an_update() -> None:
    cell = replace(CELL, mix="write-intensive")
    sherman, private = (run_system(SYSTEMS[id], cell).details for id in ("sherman", "p-sherman"))
    assert sherman["writes"] == pytest.approx(1.0, abs=0.03)
    assert sherman["atomics"] == pytest.approx(0.5, abs=0.02)
    assert private["writes"] == pytest.approx(0.5, abs=0.02)
    assert private["atomics"] == 0


def test_a_hot_leafs_lock_bounds_writers() -> None:
    cell = replace(CELL, mix="write-intensive", theta=1.2, ops=12_000)
    slow = run_system(SYSTEMS["sherman"], cell)
    quick = run_system(SYSTEMS["sherman"], replace(cell, costs=replace(cell.costs, hand_over=0.0)))
    assert slow.value < 0.85 * quick.value
    assert slow.value < 0.5 * run_system(SYSTEMS["sherman"], replace(cell, theta=0.0)).value


def test_a_small_cache_costs_the_way_from_the_root() -> None:
    values = [
        run_system(SYSTEMS["sherman"], replace(CELL, cache_mb=mb)).value for mb in (0.5, 2.0, 20.0, 40.0)
    ]
    assert values[0] < values[1] < values[2] == values[3]


def test_smarts_section_runs_alone() -> None:
    system = SYSTEMS["smart"]
    most = CELL.servers / (system.recipe[0] * CELL.costs.section)
    assert run_system(system, CELL).value == pytest.approx(most, rel=0.03)
    assert run_system(system, replace(CELL, threads=2)).value < 0.5 * most
