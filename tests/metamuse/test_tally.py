"""The running figures agree with those of a finished run."""

from __future__ import annotations

import pytest

from metamuse import accounting, ranking, rundir
from metamuse.tally import Tally
from tests.support.fake_run import FakeProblem, fake_state


@pytest.mark.parametrize("maximise", [False, True])
def test_agrees_with_the_figures_of_the_finished_run(maximise: bool) -> None:
    problem = FakeProblem(maximise)
    state = fake_state(problem, solutions=150, failing=0.2)
    tally = Tally(problem)
    for entry in state.ordered():
        tally.add(state, entry)
    for call in state.calls:
        tally.add_call(call)
    assert tally.done == 150
    assert tally.executable == len(state.executable())
    assert tally.failed == state.failures()
    assert tally.distinct == len(rundir.distinct_ids(state))
    assert tally.best is ranking.best(problem, state)
    account = accounting.account(problem, state)
    assert tally.distinct_at == account["distinct"]
    near = 1e-4 * account["mean_distance"] + 1e-5
    assert tally.mean_distance == pytest.approx(account["mean_distance"], abs=near)
    assert tally.mean_nearest == pytest.approx(account["mean_nearest"], abs=near)
    assert tally.entropy == pytest.approx(account["entropy"], abs=1e-4)
    assert tally.coverage == pytest.approx(account["coverage"], abs=1e-4)
    assert tally.best_gap_closed == pytest.approx(account["curve"]["best_gap_closed"][-1], abs=0.01)
    assert tally.calls == 450
    assert tally.tokens == 450 * 1100


def test_counts_repetitions_once() -> None:
    problem = FakeProblem()
    state = fake_state(problem, solutions=6, failing=0.0)
    first, second, third, *_ = state.ordered()
    second.scores["feedback"] = first.scores["feedback"]
    third.structure = first.structure
    tally = Tally(problem)
    for entry in state.ordered():
        tally.add(state, entry)
    assert tally.distinct == 4 == len(rundir.distinct_ids(state))


def test_an_unknown_price_stays_unknown() -> None:
    tally = Tally(FakeProblem())
    for cost in (0.5, None, 0.5):
        tally.add_call({"tokens_in": 1, "tokens_out": 1, "cost_usd": cost})
    assert tally.cost_usd is None


def test_solutions_wait_for_the_baselines_they_are_measured_against() -> None:
    problem = FakeProblem()
    state = fake_state(problem, solutions=30)
    late, whole = Tally(problem), Tally(problem)
    oracle = state.entries.pop("oracle")
    for entry in state.ordered()[:20]:
        late.add(state, entry)
    assert (late.entropy, late.coverage, late.best_gap_closed) == (None, None, None)
    state.entries["oracle"] = oracle
    for entry in state.ordered()[20:]:
        late.add(state, entry)
    for entry in state.ordered():
        whole.add(state, entry)
    assert late.entropy == whole.entropy
    assert late.coverage == whole.coverage
    assert late.best_gap_closed == whole.best_gap_closed
