"""Applications, loads, generators, sets of workloads and traces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluators.autothrottle.application import VARIATIONS, lognormal
from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.bounds import work
from evaluators.autothrottle.generators import HOUR, KINDS, days
from evaluators.autothrottle.load import MOST, Load, think_table
from evaluators.autothrottle.suites import ramped, shifted_suites, synthetic_suite
from evaluators.autothrottle.traces import read_trace
from evaluators.base import WorkloadError

#: Services, objective, size of the cluster with most usage: the authors' released configuration.
SHAPES = {"social": (30, 200.0, 3), "hotel": (17, 100.0, 6), "train": (68, 1000.0, 8)}


@pytest.mark.parametrize("name", SHAPES)
def test_applications_have_the_published_shape(name: str) -> None:
    app = APPLICATIONS[name]
    n, slo, high = SHAPES[name]
    assert len(app.services) == len({s.name for s in app.services}) == n
    assert (app.slo_ms, int(app.clusters.sum()), len(app.high)) == (slo, high, high)
    assert sum(p for p, _ in app.requests) == pytest.approx(1.0)


@pytest.mark.parametrize("name", SHAPES)
def test_the_cluster_holds_much_of_the_demand(name: str) -> None:
    app = APPLICATIONS[name]
    assert app.demand[app.clusters == 1].sum() > 0.5 * app.demand.sum() * (name != "social")


@pytest.mark.parametrize("variation", VARIATIONS)
def test_tables_of_demand_have_their_mean_and_variation(variation: float) -> None:
    values = lognormal(variation) / 65536
    assert values.mean() == pytest.approx(1.0, abs=1e-4)
    assert values.std() == pytest.approx(variation, rel=0.08, abs=1e-6)


def test_users_think_a_second() -> None:
    table = think_table() / 1e9
    assert ((table[1:] + table[:-1]) / 2).mean() == pytest.approx(1.0, rel=2e-3)


#: Mean, smallest and largest value, biggest change from minute to minute of the published traces, with room for chance.
STATISTICS = {
    "diurnal": (205, 275, 90, 400, 1, 0.17),
    "noisy": (140, 175, 81, 245, 12, 0.32),
    "bursty": (125, 215, 81, 397, 2, 0.27),
}


@pytest.mark.parametrize("kind", STATISTICS)
@pytest.mark.parametrize("seed", range(5))
def test_generated_hours_are_like_the_published_ones(kind: str, seed: int) -> None:
    mean_low, mean_high, low, high, step, change = STATISTICS[kind]
    hour = np.round(KINDS[kind](np.random.default_rng(seed), "train", HOUR))
    minutes = hour.reshape(60, 60).mean(axis=1)
    assert mean_low <= hour.mean() <= mean_high
    assert low <= hour.min() and hour.max() <= high
    assert np.abs(np.diff(hour)).max() <= step
    assert np.abs(np.diff(minutes) / minutes[:-1]).max() <= change


def test_days_have_nights_and_weekends() -> None:
    week = days(np.random.default_rng(3), 7 * 86_400).reshape(7, 86_400)
    assert week[:5].mean() > 1.1 * week[5:].mean()
    assert week.max() / week.min() > 3


def test_sets_are_disjoint_and_repeat() -> None:
    seen = set()
    for which in ("feedback", "validation", "holdout"):
        first, again, other = (synthetic_suite(which, seed) for seed in (1, 1, 2))
        for a, b, c in zip(first, again, other, strict=True):
            assert a.name == b.name and a.seed == b.seed and np.array_equal(a.rps, b.rps)
            assert a.seed != c.seed
            seen.add((a.seed, a.rps.tobytes()))
        assert {load.application.name for load in first} == set(APPLICATIONS)
        assert {load.name.rpartition("-")[2] for load in first} == set(KINDS)
    assert len(seen) == 12 + 12 + 24
    assert all(len(loads) == 3 for loads in shifted_suites(1).values())


def test_the_ramp_is_the_authors() -> None:
    load = ramped("hour", APPLICATIONS["social"], np.full(300, 200), 1)
    assert load.seconds == 480
    assert load.rps[180] == 300 and load.rps[175] == round(300 / 1.1) and load.rps[0] == round(300 / 1.1**36)


def test_the_bound_is_less_than_the_work() -> None:
    for load in synthetic_suite("feedback", 1, 3):
        assert 0 < work(load).value < load.demand


def test_traces_are_read_as_published(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_text("3\n14\n 15 \r\n\n")
    assert read_trace(file).tolist() == [3, 14, 15]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "empty"), ("1\nx\n", "line 2 is 'x'"), ("1\n-2\n", "line 2"), (f"{MOST + 1}\n", "line 1")],
)
def test_bad_traces_are_refused_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "t.txt"
    file.write_text(text)
    with pytest.raises(WorkloadError, match=said):
        read_trace(file)


@pytest.mark.parametrize("rps", [np.zeros(90), np.full(90, -1), np.full(90, MOST + 1), np.ones(10)])
def test_bad_loads_are_refused(rps: np.ndarray) -> None:
    with pytest.raises(WorkloadError):
        Load("bad", APPLICATIONS["hotel"], rps.astype(np.int64), 20, 5, 1)
