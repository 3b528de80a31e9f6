"""The table of online bin packing rules: how its numbers follow from bins by instance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluators.base import Score, WorkloadError
from problems.base import make
from problems.binpacking.tables import FUNSEARCH, MCTS_AHD, REFERENCE, SETS, TABLES
from problems.tables import RERUN, Cell

TABLE = TABLES[0]


def write_sets(folder: Path) -> None:
    """Sets of two instances with the names of the public ones: bounds 1 and 3, capacity 10."""
    for columns in SETS.values():
        for names in columns.values():
            if names[0].endswith(".txt"):
                text = "2\n a\n 10 2 1\n6\n4\n b\n 10 5 3\n6\n6\n6\n6\n6\n"
                (folder / names[0]).write_text(text)
            else:
                sets = {"a": {"capacity": 10, "items": [6, 4]}, "b": {"capacity": 10, "items": [6] * 5}}
                (folder / names[0]).write_text(json.dumps(sets))


@pytest.fixture
def cells(tmp_path: Path) -> list[Cell]:
    write_sets(tmp_path)
    streams = TABLE.workloads(None, tmp_path)  # type: ignore[arg-type]  # it does not look at the problem
    assert [stream.lower_bound for stream in streams] == [1, 3] * 11
    scores = {
        policy: [Score(s.name, 0.0, {"bins": float(2 * s.lower_bound + extra)}) for s in streams]
        for policy, extra in zip(TABLE.policies, (0, 1, 2), strict=True)
    }
    return TABLE.cells(tmp_path, scores)


def test_an_excess_is_a_ratio_of_means(cells: list[Cell]) -> None:
    ours = {cell.row: cell.ours for cell in cells if cell.column == "OR1"}
    # Eight, ten and twelve bins over a bound of 4; the means of ratios would be 100, 167 and 233 %.
    assert ours["first_fit"] == pytest.approx(100)
    assert ours["best_fit"] == pytest.approx(150)
    assert ours["sum_of_squares"] == pytest.approx(200)
    # FunSearch's rules are computed here: 6 and 4 share a bin, five items of 6 need five.
    assert ours["funsearch_or"] == pytest.approx(50)


def test_every_reference_has_a_column() -> None:
    assert set(REFERENCE) == set(SETS) == {FUNSEARCH, MCTS_AHD}
    for section, rows in REFERENCE.items():
        assert all(len(values.split()) == len(SETS[section]) for values in rows.values())


def test_first_and_best_fit_are_compared_with_what_is_printed(cells: list[Cell]) -> None:
    printed = [cell for cell in cells if cell.row in ("first_fit", "best_fit")]
    assert len(printed) == 22
    assert all(cell.exact and cell.origin != RERUN for cell in printed)
    assert {cell.origin for cell in cells if cell.row == "sum_of_squares" and cell.exact} == {RERUN}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write_sets(tmp_path)
    (tmp_path / "orlib_binpack3.txt").unlink()
    with pytest.raises(WorkloadError, match="lacks 1 of the 11 files wanted; the first is orlib_binpack3"):
        TABLE.workloads(None, tmp_path)  # type: ignore[arg-type]


def test_the_policies_are_baselines() -> None:
    from metamuse import config

    problem = make(config.compose([f"problem={TABLE.problem}"])["problem"])
    assert set(TABLE.policies) <= set(problem.baselines)
