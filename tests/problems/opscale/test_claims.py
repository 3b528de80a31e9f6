"""The claims: those that are cheap are measured here, of the dear ones the machinery."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluators.base import Score
from metamuse.bench import Runner
from problems.base import make
from problems.claims import Run, claims_of
from problems.opscale.claims import gap, station_wait
from problems.opscale.measuring import ARMS, CASES, Tuned, capacity, saving, settings, tuned

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "conf/problem/opscale.yaml").read_text())


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
        ids = [claim.id for claim in claims_of(bench.problem, quick)]
        assert ids == "V1 V2 V3 V4 V5 V6 V6t V7 V7t V8 V8t V9 V10 V11 V12".split()


@pytest.mark.parametrize("id", ["V1", "V2", "V4", "V5", "V11"])
def test_cheap_claims_hold(bench: Bench, id: str) -> None:
    claim = next(c for c in claims_of(bench.problem, True) if c.id == id)
    assert claim.kind == "must"
    assert claim.holds(claim.measure(bench))


def test_outcomes_are_never_musts(bench: Bench) -> None:
    kinds = {c.id: c.kind for c in claims_of(bench.problem, False)}
    assert {id for id, kind in kinds.items() if kind == "outcome"} == set("V6 V6t V7 V7t V8 V8t V12".split())


def test_the_kernel_waits_as_erlang_says() -> None:
    found, exact = zip(*(station_wait(3, 0.7, 200_000, seed) for seed in range(3)), strict=True)
    assert sum(found) == pytest.approx(sum(exact), rel=0.03)


def test_greedy_finds_the_best_plan_of_small_cases() -> None:
    assert gap("llama3-8b", (7,), 2.0, 5.0) <= 8.0
    assert math.isnan(gap("llama3-8b", (7,), 0.9, 5.0))


def test_settings_cover_their_ranges_and_begin_with_the_default(bench: Bench) -> None:
    for source in bench.problem.baselines.values():
        found = settings(source, 9)
        assert found[0] == {}
        assert len(found) == 9
        constants = bench.runner._compiled(source)[0].program.constants
        for name, constant in constants.items():
            values = [setting[name] for setting in found[1:]]
            assert constant.low <= min(values) <= max(values) <= constant.high
            assert type(values[0]) is type(constant.value)


def test_tuning_never_takes_what_misses_the_slo(bench: Bench) -> None:
    best = tuned(bench, ["8b-prefill-smooth"], ["model-40", "model-1"], 3)
    assert all(t.attained and t.score.details["attainment"] >= 0.99 for t in best.values())
    assert saving(best, "8b-prefill-smooth", "model-1", "model-1") == 0.0
    missed = Tuned(best["8b-prefill-smooth", "model-1"].score, False)
    assert math.isnan(
        saving(best | {("8b-prefill-smooth", "model-1"): missed}, "8b-prefill-smooth", "model-1", "model-40")
    )


def test_arms_differ_in_what_they_say_only() -> None:
    case = CASES["8b-prefill-bursty"]
    one, two = case.scenario(ARMS["model-40"]), case.scenario(ARMS["tandem-1"])
    assert (one.arrivals == two.arrivals).all()
    assert one.past == two.past
    assert (two.system.whole, two.system.model_delay) == ("uniform_tandem", 1.0)


def test_pools_serve_more_than_a_uniform_tandem() -> None:
    pools, _ = capacity("8b-prefill-bursty", 8, "pools", minutes=0.5)
    tandem, _ = capacity("8b-prefill-bursty", 8, "tandem", minutes=0.5)
    assert pools > 1.3 * tandem > 0
