"""The running figures agree with those of a finished run."""

from __future__ import annotations

import numpy as np
import pytest

from metamuse import diversity, ranking, rundir
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
    embeddings = np.stack([s.scores["feedback"].values for s in state.executable()])
    figures = diversity.summary(embeddings, [s.id for s in state.executable()], {})
    assert tally.mean_distance == pytest.approx(
        figures["mean_distance"], abs=1e-4 * figures["mean_distance"] + 1e-5
    )
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
