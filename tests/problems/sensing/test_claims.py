"""The claims: the cheap ones are measured here, of the dear ones the machinery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from evaluators.base import Score
from metamuse.bench import Runner
from problems.base import make
from problems.claims import Run, claims_of
from problems.sensing import measuring

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "conf/problem/sensing.yaml").read_text()) | {
    "sites": None
}


class Bench:
    """Everything in this process."""

    def __init__(self) -> None:
        self.problem = make(CONFIG)
        self.runner = Runner(self.problem)

    def scores(self, runs: Sequence[Run]) -> list[Score]:
        return [self.runner.score(run) for run in runs]

    def each(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        return [function(*given) for given in arguments]


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def test_ids_are_those_of_the_fact_sheet(bench: Bench) -> None:
    for quick in (True, False):
        assert [c.id for c in claims_of(bench.problem, quick)] == [f"C{i}" for i in range(1, 13)]


@pytest.mark.parametrize("id", ["C1", "C3", "C4", "C5", "C7", "C9"])
def test_cheap_claims_hold(bench: Bench, id: str) -> None:
    claim = next(c for c in claims_of(bench.problem, True) if c.id == id)
    assert claim.holds(claim.measure(bench))


def test_even_spacing_is_interpolated_between_its_neighbours() -> None:
    task = measuring.unbounded(measuring.seasons(1)[0])
    six, four, two = (measuring.even(task, n) for n in (6.0, 4.0, 2.0))
    assert six < four < two


def test_a_deterministic_flux_is_explained() -> None:
    """The residual is what keeps the claim of R2 from being 1."""
    from dataclasses import replace

    from evaluators.sensing.suites import KINDS, MARYLAND, made

    kind = replace(KINDS["text-wood"], climate=replace(MARYLAND, residual=0.0))
    bare = made(np.random.default_rng(1), "x", kind, 4, 200, trouble=False)
    assert measuring.unexplained([bare.field.values[[0, 2, 3], :, ::6]])["R2"] > 0.93
    assert measuring.unexplained(measuring.years(1))["R2"] < 0.93
