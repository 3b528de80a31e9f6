"""The paper's figures: what is measured for them, and whether the paper's numbers stand beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from evaluators.base import Score
from problems.base import make
from problems.claims import Run
from problems.dex.measuring import Length
from problems.dex.paper import panels

PROBLEM = make(yaml.safe_load((Path(__file__).parents[3] / "conf/problem/dex.yaml").read_text()))


class Stub:
    """Measures nothing: an operation takes as long as there are threads."""

    problem = PROBLEM

    def __init__(self) -> None:
        self.cells: list[Any] = []

    def scores(self, runs: Sequence[Run]) -> list[Score]:
        return [self.score("", run.workload) for run in runs]

    def each(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        return [self.score(*given) for given in arguments]

    def score(self, id: str, cell: Any) -> Score:
        self.cells.append(cell)
        return Score("x", float(cell.servers), {"reads": 0.5, "writes": 0.25, "rpcs": 0.125})


def test_every_number_of_the_paper_has_one_beside_it() -> None:
    bench = Stub()
    found = panels(bench, Length(1000, 500), 16)
    assert {panel.number for panel in found} == {5, 6, 7, 8, 9, 11, 12}
    for panel in found:
        assert set(panel.paper) <= set(panel.measured), panel.number
        for name, values in panel.measured.items():
            assert len(values) == len(panel.at)
            assert len(panel.paper.get(name, ())) <= len(values)
    assert {cell.keys for cell in bench.cells} == {12_500_000}
    assert {cell.servers for cell in bench.cells} == {1, 2, 3, 4}
    assert {cell.cpus for cell in bench.cells if cell.cache_mb == 31 / 16} == {0, 1, 2, 4}
    assert list(found[0].measured["cost-aware"]) == [1.0, 2.0, 3.0, 4.0]
    assert found[-1].measured == {"one-sided": [0.75] * 4, "two-sided": [0.125] * 4}
