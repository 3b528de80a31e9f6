"""The claims are complete, and their measurements say what they should on made-up outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.autothrottle import hindsight
from evaluators.autothrottle.contract import CONTRACT
from evaluators.autothrottle.hindsight import Choice
from evaluators.base import Score
from metamuse import config
from metamuse.build import make_problem
from metamuse.policy.program import load
from problems.autothrottle.acceptance import ablation, design, quota, savings, throttling
from problems.autothrottle.acceptance.hours import hours
from problems.autothrottle.acceptance.statistics import interval, pearson, spearman
from problems.base import Problem
from problems.claims import Claim, claims_of

MUST = {"S1", "S2", "S4", "S11", "S12", "A1", "A2", "A3"}
SHOULD = {"S3", "S5", "S8", "S9", "S10"}


class Inline:
    """Calls one after the other; policies score what they are told to."""

    def __init__(self, problem: Problem, scores: Sequence[Score] = ()) -> None:
        self.problem = problem
        self._scores = list(scores)

    def scores(self, runs: Sequence[Any]) -> list[Score]:
        return [self._scores.pop(0) for _ in runs]

    def each(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        return [function(*given) for given in arguments]


@pytest.fixture(scope="module")
def problem() -> Problem:
    return make_problem(config.compose(["problem=autothrottle"]))


@pytest.fixture(scope="module")
def by_id(problem: Problem) -> dict[str, Claim]:
    return {claim.id: claim for claim in claims_of(problem, False)}


def test_all_claims_are_there(by_id: dict[str, Claim]) -> None:
    assert list(by_id) == [f"S{i}" for i in range(1, 13)] + ["A1", "A2", "A3"]
    assert {id for id, claim in by_id.items() if claim.kind == "must"} == MUST
    assert {id for id, claim in by_id.items() if claim.kind == "should"} == SHOULD
    assert all(claim.source for claim in by_id.values())


def test_tolerances_are_those_written_down_before(by_id: dict[str, Claim]) -> None:
    bounds = {id: (claim.low, claim.high) for id, claim in by_id.items()}
    assert bounds["S2"] == (100.0, 100.0)
    assert (throttling._BAND, throttling._USED) == ((0.3, 1.5), 0.1)
    assert bounds["S3"] == (70.0, None)
    assert bounds["S4"] == (0.95, None)
    assert bounds["S5"] == (10.0, 40.0)
    assert bounds["S6"] == (15.0, 35.0)
    assert bounds["S7"] == (9.0, None)
    assert bounds["S11"] == (1.0, None)
    assert bounds["S12"] == (5.0, 10.0)


def test_the_short_form_says_so_and_keeps_to_proportions(problem: Problem, by_id: dict[str, Claim]) -> None:
    short = {claim.id: claim for claim in claims_of(problem, True)}
    assert list(short) == list(by_id)
    assert all("Short form" in claim.text for claim in short.values())
    assert short["S7"].low == 9 / 12 * len(hours(problem.config, True))
    same = set(by_id) - {"S7", "S8", "A3"}
    assert all((short[i].low, short[i].high) == (by_id[i].low, by_id[i].high) for i in same)


def test_published_hours_take_the_place_of_generated_ones(tmp_path: Path) -> None:
    (tmp_path / "diurnal.txt").write_text("200\n" * 3600)
    (tmp_path / "noisy").write_text("100\n" * 3600)
    loads = hours({"hours": str(tmp_path)}, False)
    assert len(loads) == 12
    assert np.all(loads["social", "diurnal"].rps[180:] == 300)
    assert np.all(loads["hotel", "noisy"].rps[180:] == 1000)
    assert loads["social", "diurnal"].name.endswith("diurnal.txt#social")
    generated = hours({}, False)
    assert np.array_equal(generated["train", "bursty"].rps, loads["train", "bursty"].rps)
    assert len({load.seed for load in generated.values()}) == 12


def test_correlations() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert pearson(x, 3 - 2 * x) == pytest.approx(-1.0)
    assert pearson(x, np.ones(4)) == 0.0
    assert spearman(x, np.exp(x)) == pytest.approx(1.0)
    # Against ranks by hand: 1, 2.5, 2.5, 4.
    assert spearman(x, np.array([0.0, 5.0, 5.0, 9.0])) == pytest.approx(
        pearson(x, np.array([1, 2.5, 2.5, 4]))
    )


def test_the_quota_is_as_the_kernel_has_it(problem: Problem, by_id: dict[str, Claim]) -> None:
    measured = quota.measure(Inline(problem), seconds=30)
    assert by_id["S1"].holds(measured)
    assert measured.figures["throttled at 0.9 cores"] > measured.figures["throttled at 1.5 cores"] > 0


def test_batches_give_the_error_of_a_series_of_neighbours_that_are_alike() -> None:
    rng = np.random.default_rng(3)
    keep = np.exp(-1 / 30)  # as the demands drift
    errors, means = [], []
    for _ in range(40):
        level, rows = np.zeros(2), []
        for step in rng.standard_normal((3600, 2)):
            level = keep * level + step
            rows.append(level)
        mean, error = throttling.batched(np.array(rows))
        means.append(mean)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.2)


@pytest.mark.parametrize(("ratio", "within"), [(0.31, 100.0), (0.28, 90.0)])
def test_windows_too_short_to_tell_are_measured_again(
    problem: Problem, by_id: dict[str, Claim], monkeypatch: pytest.MonkeyPatch, ratio: float, within: float
) -> None:
    """One service of ten is near the bound at one target of seven: only that target is measured again, all of its services."""
    asked: list[tuple[str, float]] = []

    def made_up(load: Any, target: float) -> throttling.Tracked:
        asked.append((load.name, target))
        ratios = np.full(10, 0.8 * target)
        if target == 0.2:
            ratios[4] = (0.29 if load.name == "short" else ratio) * target
        used = np.full(10, 1.0)
        return throttling.Tracked(
            ratios, np.full(10, (0.03 if load.name == "short" else 0.003) * target), used, ratios
        )

    monkeypatch.setattr(throttling, "tracked", made_up)
    loads = [replace(next(iter(hours({}, True).values())), name=name) for name in ("short", "long", "zero")]
    measured = throttling.tracking(Inline(problem), *[[load] for load in loads])
    assert asked[:8] == [*(("short", x) for x in throttling._TRACKED), ("zero", 0.0)]
    assert asked[8:] == [("long", 0.2)]
    assert measured.value == pytest.approx(100.0 - (100.0 - within) / 7)
    assert by_id["S2"].holds(measured) == (within == 100.0)
    assert measured.figures["targets measured again for longer"] == 1.0


@pytest.mark.parametrize(
    "broken",
    [{"late_share": 0.9}, {"share": 0.5}, {"excess": 0.01}, {"invented": 0.01}, {"lost": 0.01}],
)
def test_a_wrong_quota_is_noticed(
    broken: dict[str, float], problem: Problem, by_id: dict[str, Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    def observe(limit: float, seconds: int) -> dict[str, float]:
        full = float(limit < quota.USAGE)
        return {"share": full, "late_share": full, "excess": 0.0, "invented": 0.0, "lost": 0.0}

    monkeypatch.setattr(quota, "observe", observe)
    assert by_id["S1"].holds(quota.measure(Inline(problem), 1))
    monkeypatch.setattr(quota, "observe", lambda limit, seconds: observe(limit, seconds) | broken)
    assert not by_id["S1"].holds(quota.measure(Inline(problem), 1))


def score(cores: float, p99_ms: float = 100.0, violated: bool = False) -> Score:
    details = {"limit_cores": cores, "cores": cores, "p99_ms": p99_ms, "violated": float(violated)}
    return Score("w", cores, details)


def cell(
    tower: Score, slow: Score, fast: Score, static: Score, slow_t: float = 0.5, fast_t: float = 0.5
) -> savings.Cell:
    choices = (Choice((slow_t,), slow), Choice((fast_t,), fast), Choice((0.1, 0.2), static))
    return savings.Cell(tower, dict(zip((*savings.BASELINES, savings.STATIC), choices, strict=True)))


class Given(savings.Cells):
    """Cells that are made up: the same for every trace unless told otherwise."""

    def __init__(self, problem: Problem, usual: savings.Cell, **others: savings.Cell) -> None:
        super().__init__(hours(problem.config, False), "")
        self._cells = {key: others.get("_".join(key), usual) for key in self.loads}


def test_savings_are_counted_only_where_the_objective_is_met() -> None:
    assert cell(score(80.0), score(100.0), score(90.0), score(70.0)).saving(
        "k8s_cpu_per_trace"
    ) == pytest.approx(20)
    both = cell(score(81.0), score(100.0), score(90.0), score(70.0))
    assert both.saving(*savings.BASELINES) == pytest.approx(10)
    assert np.isnan(
        cell(score(1.0, violated=True), score(2.0), score(2.0), score(1.0)).saving("k8s_cpu_per_trace")
    )
    missed = cell(score(80.0), score(100.0), score(50.0, violated=True), score(70.0))
    assert missed.saving(*savings.BASELINES) == pytest.approx(20)


def test_every_cell_has_to_save(problem: Problem, by_id: dict[str, Claim]) -> None:
    bench = Inline(problem)
    good = cell(score(75.0), score(100.0), score(90.0), score(70.0))
    bad = cell(score(101.0), score(100.0), score(110.0), score(70.0))
    missed = cell(score(75.0, violated=True), score(100.0), score(90.0), score(70.0))
    assert by_id["S5"].holds(savings.against_slow(Given(problem, good), bench))
    assert by_id["S6"].holds(savings.against_best(Given(problem, good), bench))
    for other in (bad, missed):
        cells = Given(problem, good, hotel_noisy=other)
        assert not by_id["S5"].holds(savings.against_slow(cells, bench))
        assert not by_id["S6"].holds(savings.against_best(cells, bench))


def test_tuned_targets_are_compared_with_the_authors(problem: Problem, by_id: dict[str, Claim]) -> None:
    bench = Inline(problem)
    usual = cell(score(1.0), score(1.0), score(1.0), score(1.0), slow_t=0.5, fast_t=0.6)
    measured = savings.tuned_targets(Given(problem, usual), bench)
    # K8s-CPU at 0.5 misses two cells of the hotel by 0.2; the fast one at 0.6 two of the social network and one.
    assert measured.value == min(
        sum(abs(0.5 - slow) < 0.15 for slow, _ in savings.TUNED.values()),
        sum(abs(0.6 - fast) < 0.15 for _, fast in savings.TUNED.values()),
    )
    assert by_id["S7"].holds(measured)
    high = cell(score(1.0), score(1.0), score(1.0), score(1.0), slow_t=0.5, fast_t=0.8)
    assert not by_id["S7"].holds(savings.tuned_targets(Given(problem, usual, train_noisy=high), bench))
    assert by_id["S7"].holds(savings.tuned_targets(Given(problem, usual, hotel_constant=high), bench))


def test_orderings(problem: Problem, by_id: dict[str, Claim]) -> None:
    bench = Inline(problem)
    much = cell(score(50.0, 99.0), score(100.0, 90.0), score(90.0, 80.0), score(70.0))
    little = cell(score(90.0, 99.0), score(100.0, 90.0), score(90.0, 80.0), score(70.0))
    bursty = {f"{app}_bursty": much for app in ("social", "hotel", "train")}
    assert by_id["S8"].holds(savings.by_trace(Given(problem, little, **bursty), bench))
    assert not by_id["S8"].holds(savings.by_trace(Given(problem, little), bench))
    assert by_id["S9"].holds(savings.closeness(Given(problem, little), bench))
    far = cell(score(90.0, 70.0), score(100.0, 90.0), score(90.0, 80.0), score(70.0))
    one, two = {"hotel_noisy": far}, {"hotel_noisy": far, "hotel_bursty": far}
    assert by_id["S9"].holds(savings.closeness(Given(problem, little, **one), bench))
    assert not by_id["S9"].holds(savings.closeness(Given(problem, little, **two), bench))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_clusters_have_the_least_sum_of_squares(k: int) -> None:
    demand = np.random.default_rng(k).exponential(1.0, 7)

    def spread(clusters: Sequence[int]) -> float:
        groups = (demand[np.array(clusters) == c] for c in set(clusters))
        return float(sum(((g - g.mean()) ** 2).sum() for g in groups))

    found = design.split(demand, k)
    assert set(found) == set(range(k))
    assert spread(found.tolist()) == pytest.approx(min(map(spread, product(range(k), repeat=7))))
    assert np.all(np.diff(found[np.argsort(demand)]) >= 0)


def test_static_targets_are_searched_until_nothing_gets_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(design, "targets", lambda values: values)
    wanted = np.array([0.2, 0.04, 0.1])
    monkeypatch.setattr(
        design, "scored", lambda values, load: score(1.0 + float(np.abs(values - wanted).sum()))
    )
    found = design.static(None, np.array([0, 1, 2]), (0.1, 0.1, 0.1))  # type: ignore[arg-type]
    assert found.setting == (0.2, 0.04, 0.1)


def test_fixed_limits_are_halved_until_one_is_too_low(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []

    def made_up(load: None, share: float) -> Choice:
        shares.append(share)
        return Choice((share,), score(100.0 * share, violated=share < 0.2))

    monkeypatch.setattr(design, "fixed", made_up)
    monkeypatch.setattr(design, "scored", lambda law, load: score(30.0 if law else 40.0))
    monkeypatch.setattr(design, "utilisation", lambda application, target, sync: sync == design.FAST)
    load = next(iter(hours({}, True).values()))
    assert design._steepest(load).score.value == 25.0
    assert shares == [1.0, 0.5, 0.25, 0.125]


def test_ablations_are_policies_that_differ(problem: Problem) -> None:
    source = problem.baselines["captain"]
    texts = [source, *(a.text(source) for a in ablation.ABLATIONS.values())]
    assert len({load(text, CONTRACT).structure() for text in texts}) == 3
    assert "MARGIN" in load(texts[2], CONTRACT).constants
    for part in ablation.ABLATIONS.values():
        with pytest.raises(ValueError, match="the text of captain has changed"):
            part.text("class Policy: pass")


class Lossy(Inline):
    """Captain whose cores fall with its targets and rise with a fixed margin, and who is late more often without a part."""

    def __init__(self, problem: Problem, worse: dict[str, float]) -> None:
        super().__init__(problem)
        source = problem.baselines["captain"]
        self.names = {part.text(source): name for name, part in ablation.ABLATIONS.items()} | {source: ""}
        self.worse = worse | {"": 0.0}
        self.runs: list[Any] = []

    def scores(self, runs: Sequence[Any]) -> list[Score]:
        self.runs += runs
        return [self.score(run) for run in runs]

    def score(self, run: Any) -> Score:
        name = self.names[run.source]
        high, rest = run.values["HIGH"], run.values["REST"]
        cores = 100.0 * (high + rest) ** -0.1 * (1.01 if name else 1.0)
        cores *= np.exp(0.04 * (run.values.get("MARGIN", 1.5) - 1.5))
        bad = 10.0 + self.worse[name] * (run.workload.application.name != "train")
        return Score("w", cores, {"limit_cores": cores, "bad_minutes": bad, "p99_ms": 100.0 + bad})


def lossy(problem: Problem, **worse: float) -> tuple[Lossy, ablation.Measured]:
    bench = Lossy(problem, dict(zip(ablation.ABLATIONS, worse.values(), strict=True)))
    cells = savings.Cells(hours(problem.config, False), "")
    static = Choice((0.2, 0.1), score(100.0 * 0.3**-0.1))
    cells._chosen[savings.STATIC] = dict.fromkeys(cells.loads, static)
    return bench, ablation.parts(cells, bench)


def test_ablations_are_compared_at_equal_cores(problem: Problem, by_id: dict[str, Claim]) -> None:
    bench, measured = lossy(problem, back=2.0, margin=5.0)
    assert measured.value == pytest.approx(2.0 * 8 * ablation.SEEDS)
    assert measured.figures["with a fixed margin: train, additional minutes"] == 0.0
    assert [d.value for d in measured.demands[::2]] == pytest.approx([1.0, 1.0], abs=ablation._EQUAL)
    assert by_id["S11"].holds(measured)
    margins = {run.values["MARGIN"] for run in bench.runs if "MARGIN" in run.values}
    assert any(x == pytest.approx(1.5 - 25 * np.log(1.01), abs=0.1) for x in margins)
    targets = {
        run.values["HIGH"] for run in bench.runs if bench.names[run.source] == "without taking cuts back"
    }
    assert max(targets) == pytest.approx(0.2 * 1.01**10, abs=0.005)
    # The whole one is measured with other users than those for which its targets were chosen.
    chosen_on = {load.seed for load in hours(problem.config, False).values()}
    assert not chosen_on & {run.workload.seed for run in bench.runs if not bench.names[run.source]}


@pytest.mark.parametrize("worse", [{"back": 2.0, "margin": -1.0}, {"back": 0.0, "margin": 5.0}])
def test_each_part_has_to_matter(problem: Problem, by_id: dict[str, Claim], worse: dict[str, float]) -> None:
    assert not by_id["S11"].holds(lossy(problem, **worse)[1])


def test_targets_stay_where_limits_can_rise() -> None:
    """Cores that jump at a third are not looked for beyond it."""
    part = ablation.ABLATIONS["without taking cuts back"]
    assert part.values((0.3, 0.25), 1.0) == {"HIGH": 0.33, "REST": 0.33}
    assert part.values((0.2, 0.1), 0.0) == {"HIGH": 0.2, "REST": 0.1}


def test_of_unequal_cores_the_nearest_count(problem: Problem) -> None:
    """The cores jump over those that are wanted; one of the two sides is nearer."""
    part = ablation.ABLATIONS["without taking cuts back"]

    class Jump(Inline):
        def scores(self, runs: Sequence[Any]) -> list[Score]:
            return [score(102.0 if run.values["HIGH"] < 0.21 else 95.0) for run in runs]

    load = next(iter(hours({}, True).values()))
    places = ablation.equal(Jump(problem), part, "", [load], [(0.2, 0.1)], [100.0])
    assert places[0] < np.log(0.21 / 0.2)


def test_an_interval_is_that_of_the_mean() -> None:
    sample = np.random.default_rng(2).normal(3.0, 1.0, 400)
    low, high = interval(sample)
    assert (low, high) == pytest.approx((sample.mean() - 0.098, sample.mean() + 0.098), abs=0.02)


def test_hindsight_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = make_problem(config.compose(["problem=autothrottle", "problem.hindsight=true"]))
    assert shown.bounds == ("work", *hindsight.HINDSIGHT)
    monkeypatch.setitem(hindsight.HINDSIGHT, "static_targets", lambda load: Choice((0.1, 0.2), score(7.0)))
    assert shown.bound("static_targets", shown.probes()[0]).value == 7.0
    assert make_problem(config.compose(["problem=autothrottle"])).bounds == ("work",)
