"""The diversity and usefulness of a run: keys that stay, figures that hang together."""

from __future__ import annotations

import json

import numpy as np
import pytest

from metamuse import accounting, ranking, rundir
from metamuse.state import RunState
from tests.support.fake_run import FakeProblem, events, fake_state

KEYS = {
    "distinct", "clusters", "entropy", "cluster_sd", "density", "all_baselines", "mean_distance", "mean_nearest",
    "nearest_other", "nearest_baseline", "coverage", "usefulness", "curve",
}  # fmt: skip


@pytest.mark.parametrize("solutions", [0, 1, 2, 24])
@pytest.mark.parametrize("maximise", [False, True])
def test_the_keys_are_always_there_and_json(solutions: int, maximise: bool) -> None:
    problem = FakeProblem(maximise)
    account = accounting.account(problem, fake_state(problem, solutions=solutions, failing=0.0))
    assert account.keys() == KEYS
    assert json.loads(json.dumps(account, allow_nan=False)) == account
    assert all(isinstance(value, (int, float)) for value in accounting.scalars(account).values())


def test_of_a_run_in_which_nothing_was_scored() -> None:
    problem = FakeProblem()
    account = accounting.account(
        problem, RunState.fold(events(problem, solutions=5, failing=1.0, holdout=False))
    )
    assert account.keys() == KEYS
    assert account["curve"]["solutions"] == [1, 2, 3, 4, 5]
    assert account["curve"]["executable"] == [0] * 5
    assert account["curve"]["best_gap_closed"] == [None] * 5
    assert account["usefulness"]["best"] is None
    assert set(account["distinct"].values()) == {0}


def test_the_curves_end_at_the_figures_and_never_fall() -> None:
    problem = FakeProblem()
    state = fake_state(problem, solutions=250, failing=0.2)
    first, second, *_ = state.executable()
    second.scores["feedback"] = first.scores["feedback"]
    account = accounting.account(problem, state)
    curve = account["curve"]
    assert len(curve["solutions"]) == accounting.POINTS
    assert (curve["solutions"][0], curve["solutions"][-1]) == (1, 250)
    assert curve["executable"][-1] == len(state.executable())
    assert account["distinct"]["0.001"] == len(rundir.distinct_ids(state)) < curve["executable"][-1]
    for key, counts in curve["distinct"].items():
        assert counts[-1] == account["distinct"][key]
        assert counts == sorted(counts)
        assert all(count <= made for count, made in zip(counts, curve["executable"], strict=True))
    best = [gap for gap in curve["best_gap_closed"] if gap is not None]
    assert best == sorted(best)
    closed = [ranking.gap_closed(problem, state, s, "validation") for s in state.executable()]
    assert best[-1] == pytest.approx(max(c for c in closed if c is not None), abs=0.01)


def test_each_point_of_a_curve_is_the_figure_of_the_solutions_so_far() -> None:
    problem = FakeProblem()
    state = fake_state(problem, solutions=40, failing=0.3)
    for twin, one in zip(state.executable()[10:20], state.executable(), strict=False):
        twin.scores["feedback"] = one.scores["feedback"]
    curve = accounting.account(problem, state)["curve"]
    for at in (1, 7, 20, 33):
        part = fake_state(problem, solutions=40, failing=0.3)
        part.solutions = {number: state.solutions[number] for number in range(at)}
        account = accounting.account(problem, part)
        assert {k: counts[at - 1] for k, counts in curve["distinct"].items()} == account["distinct"]
        assert curve["executable"][at - 1] == len(part.executable())


def test_usefulness_names_its_ends_and_the_finalists() -> None:
    problem = FakeProblem()
    state = fake_state(problem, studied=True)
    useful = accounting.account(problem, state)["usefulness"]
    best = ranking.best(problem, state)
    assert best is not None
    assert (useful["reference"], useful["bound"], useful["best"]["id"]) == ("plain", "oracle", best.id)
    assert useful["finalists"].keys() == {e.id for e in state.contenders() if "holdout" in e.scores}
    assert useful["best"]["holdout"] == useful["finalists"][best.id]
    assert 0 < useful["solutions"]["median"] < useful["best"]["validation"] < 100


def test_the_order_in_which_things_were_scored_does_not_matter() -> None:
    problem = FakeProblem()
    state, other = fake_state(problem, studied=True), fake_state(problem, studied=True)
    for name in ("entries", "solutions", "tuned"):
        setattr(other, name, dict(reversed(getattr(other, name).items())))
    assert json.dumps(accounting.account(problem, state)) == json.dumps(accounting.account(problem, other))


def test_a_repeated_solution_changes_no_count_of_classes() -> None:
    problem = FakeProblem()
    state = fake_state(problem, solutions=20, failing=0.0)
    before = accounting.account(problem, state)
    state.solutions[20] = state.solutions[3]
    after = accounting.account(problem, state)
    assert after["distinct"] == before["distinct"]
    assert after["coverage"] == before["coverage"]
    assert np.isclose(after["usefulness"]["best"]["validation"], before["usefulness"]["best"]["validation"])
