"""The table of the paper's human heuristics: how its numbers follow from miss ratios by trace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evaluators.base import Score
from problems.cache.tables import ALL, DIFFERENT, FIGURE, FIGURE_3, HEURISTICS, STORES_FROM, TABLES, published
from problems.tables import Cell

TABLE = TABLES[0]
HERE = Path()  # the numbers do not depend on the folder

#: From the published file by a separate script: miss ratio; reduction from FIFO at mean, p50, p75, p90.
ALL_TRACES = {
    "fifo": (0.9045, 0.0, 0.0, 0.0, 0.0),
    "lru": (0.8950, 1.90, 0.0, 0.0, 9.30),
    "clock": (0.8934, 2.21, 0.0, 0.04, 10.13),
    "sieve": (0.8835, 3.40, 0.49, 2.26, 13.97),
    "lfu": (0.8835, 3.40, 0.49, 2.26, 13.97),
    "arc": (0.8781, 4.15, 0.53, 2.95, 14.80),
    "wtinylfu": (0.8905, -5.76, 0.0, 16.05, 27.70),
    "s3fifo": (0.8020, 9.69, 17.34, 20.80, 23.17),
    "slru": (0.8002, 11.77, 13.54, 16.29, 17.89),
}


def as_scores(ratios: dict[str, np.ndarray]) -> dict[str, list[Score]]:
    traces = published().traces
    return {p: [Score(t, float(v)) for t, v in zip(traces, row, strict=True)] for p, row in ratios.items()}


def as_published() -> dict[str, np.ndarray]:
    return {policy: row.copy() for policy, row in published().ratios.items()}


def one(cells: list[Cell], section: str, row: str, column: str) -> Cell:
    (cell,) = (c for c in cells if (c.section, c.row, c.column) == (section, row, column))
    return cell


def test_the_published_ratios_give_the_published_rows() -> None:
    cells = TABLE.cells(HERE, as_scores(as_published()))
    assert all(cell.difference == 0 for cell in cells if cell.section != FIGURE)
    for policy, values in ALL_TRACES.items():
        for column, value in zip(("miss ratio", "mean", "p50", "p75", "p90"), values, strict=True):
            cell = one(cells, ALL, policy, column)
            assert round(cell.ours, cell.digits) == value, (policy, column)


def test_every_trace_is_in_one_scenario() -> None:
    cells = TABLE.cells(HERE, as_scores(as_published()))
    traces = {c.section: c.ours for c in cells if (c.row, c.column) == ("fifo", "traces equal")}
    assert traces == {
        ALL: 95,
        "alibaba-storage": 24,
        "ra-fwe": 24,
        "ra-multikey": 24,
        "tencentblock-storage": 23,
    }
    assert {c.row for c in cells if c.section == FIGURE} == set(FIGURE_3)


def test_unrounded_ratios_are_compared_as_the_published_ones_are_given() -> None:
    ratios = {policy: row + 4e-5 for policy, row in as_published().items()}
    assert all(cell.holds for cell in TABLE.cells(HERE, as_scores(ratios)))


def test_one_trace_that_differs_is_seen_in_its_scenario_only() -> None:
    ratios = as_published()
    ratios["lru"][0] += 0.0001  # a trace of alibaba-storage
    cells = TABLE.cells(HERE, as_scores(ratios))
    wrong = {(c.section, c.row, c.column) for c in cells if not c.holds}
    assert (ALL, "lru", "traces equal") in wrong
    assert ("alibaba-storage", "lru", "traces equal") in wrong
    assert {row for _, row, _ in wrong} == {"lru"}
    assert not {section for section, _, _ in wrong} & {"ra-fwe", "ra-multikey", "tencentblock-storage"}
    assert any(note.startswith("lru differs on 1 traces.") for note in TABLE.notes(cells, as_scores(ratios)))


@pytest.mark.parametrize("policy", sorted(STORES_FROM))
def test_caches_in_which_the_published_runs_stored_nothing(policy: str) -> None:
    small = published().capacity < STORES_FROM[policy]
    assert small.any() and (published().ratios[policy][small] == 1).all()
    ratios = as_published()
    ratios[policy][small] = 0.5
    cells = TABLE.cells(HERE, as_scores(ratios))
    label = f"{policy}, storing nothing below {STORES_FROM[policy]} objects"
    assert one(cells, ALL, policy, "traces equal").ours == 95 - small.sum()
    assert one(cells, ALL, policy, "miss ratio").far
    assert one(cells, ALL, label, "traces equal").difference == 0
    assert all(cell.holds for cell in cells), "no equality is claimed where the published run stored nothing"
    (note,) = (n for n in TABLE.notes(cells, as_scores(ratios)) if n.startswith(f"{policy} differs"))
    assert f"differs on {small.sum()} traces; on all of them the published run stored nothing" in note


def test_equality_is_demanded_of_all_heuristics_but_one() -> None:
    cells = TABLE.cells(HERE, as_scores(as_published()))
    demanded = {cell.row.split(",")[0] for cell in cells if cell.exact}
    assert demanded == set(HEURISTICS) - set(DIFFERENT)


@pytest.mark.realdata
def test_the_shipped_figures_are_those_beside_the_traces(data_dir: Path) -> None:
    content = json.loads((data_dir / "cache/metamuse/published_human.json").read_text())
    theirs = published()
    assert sorted(content) == sorted(theirs.traces)
    for i, trace in enumerate(theirs.traces):
        assert content[trace]["capacity"] == theirs.capacity[i]
        for ours, name in HEURISTICS.items():
            assert content[trace]["miss_ratio"][name]["default"] == theirs.ratios[ours][i]
