"""The claims: the cheap ones are measured here, of the dear ones the machinery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluators.base import Score
from metamuse.bench import Runner
from problems.base import make
from problems.claims import Claim, Run, claims_of
from problems.dex import claims, measuring

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "conf/problem/dex.yaml").read_text())


class Bench:
    """Everything in this process; ``fields`` make the paper's cell smaller."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.problem = make(CONFIG)
        self.runner = Runner(self.problem)
        self.runs: list[Run] = []
        real = measuring.cell

        def small(length: measuring.Length, **fields: Any) -> Any:
            fields["cache_mb"] = fields.get("cache_mb", 256) / 256
            return real(measuring.Length(3000, 1500), **fields | {"keys": 800_000})

        for module in (claims, measuring):
            monkeypatch.setattr(module, "cell", small)

    def scores(self, runs: Sequence[Run]) -> list[Score]:
        self.runs += runs
        return [self.runner.score(run) for run in runs]

    def each(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        return [function(*given) for given in arguments]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def of(bench: Bench, id: str) -> Claim:
    return next(c for c in claims_of(bench.problem, True) if c.id == id)


def test_ids_are_those_of_the_fact_sheet(bench: Bench) -> None:
    for quick in (True, False):
        assert [c.id for c in claims_of(bench.problem, quick)] == [str(i) for i in range(1, 21)]


def test_the_short_form_says_so_and_bounds_the_same(bench: Bench) -> None:
    for short, full in zip(claims_of(bench.problem, True), claims_of(bench.problem, False), strict=True):
        assert (short.low, short.high, short.kind) == (full.low, full.high, full.kind)
        assert "0.6 M operations" in short.text
        assert "2.4 M operations" in full.text


@pytest.mark.parametrize("id", ["3", "4"])
def test_recipes_hold_at_any_size(bench: Bench, id: str) -> None:
    claim = of(bench, id)
    assert claim.holds(claim.measure(bench))


def test_constants_reach_the_policies(bench: Bench) -> None:
    of(bench, "7").measure(bench)
    assert [dict(run.values) for run in bench.runs] == [{}, {"ADMIT": 1.0}] * 2
    assert len({run.workload.cache_mb for run in bench.runs}) == 2


def test_controls_change_the_cell(bench: Bench) -> None:
    of(bench, "11").measure(bench)
    assert [run.workload.parent_lock for run in bench.runs] == [True, False, True]
    assert [run.workload.cold for run in bench.runs] == [True, True, False]
    found = of(bench, "19").measure(bench)
    assert 0 < found.value < 1
