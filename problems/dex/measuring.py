"""How claims are measured: policies and other systems on cells of the paper's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluators.base import Score
from evaluators.dex.cell import Cell
from evaluators.dex.systems import SYSTEMS, run_system
from problems.claims import Bench, Run


@dataclass(frozen=True)
class Length:
    """Operations of a server, and how many of them warm up."""

    ops: int
    warm: int


#: Of policies; of recipes, which have next to nothing to warm up; of policies in the short form.
FULL, RECIPE, QUICK = Length(2_400_000, 1_500_000), Length(500_000, 250_000), Length(600_000, 400_000)


def cell(length: Length, **fields: Any) -> Cell:
    """The paper's cell with other fields."""
    name = "paper-" + "-".join(f"{key}={value}" for key, value in sorted(fields.items()))
    if fields.get("mix") == "scan-intensive":
        length = replace(length, ops=length.ops // 4, warm=length.warm // 4)
    return Cell(name, ops=length.ops, warm=length.warm, **fields)


def policy(bench: Bench, baseline: str, at: Cell, **values: float) -> Score:
    """A baseline on a cell, with values of its constants."""
    return bench.scores([Run(bench.problem.baselines[baseline], at, values)])[0]


def system(bench: Bench, id: str, **fields: Any) -> Score:
    """Another system on the paper's cell."""
    return systems(bench, [(id, fields)])[0]


def systems(bench: Bench, wanted: Sequence[tuple[str, dict[str, Any]]]) -> list[Score]:
    """Several systems, each on the paper's cell with other fields."""
    return bench.each(run_named, [(id, cell(RECIPE, **fields)) for id, fields in wanted])


def run_named(id: str, at: Cell) -> Score:
    """A system by name."""
    return run_system(SYSTEMS[id], at)
