"""The answer of a run in words."""

from __future__ import annotations

import numpy as np
import pytest

from metamuse import ranking
from metamuse.ranking import gap_closed
from metamuse.report.verdict import compare, verdict
from metamuse.state import RunState
from tests.support.fake_run import FakeProblem, fake_state


def first(**how: object) -> str:
    problem = FakeProblem()
    return verdict(problem, fake_state(problem, **how))[0]


def test_a_clear_winner() -> None:
    assert "points better than cunning (95 % interval +" in first(skill=0.2)


def test_no_difference_is_said_plainly() -> None:
    sentence = first(skill=0.05)
    assert "no better than cunning" in sentence
    assert "points better than" not in sentence


def test_a_loser_is_called_worse() -> None:
    assert "points worse than cunning" in first(skill=-0.2)


@pytest.mark.parametrize("maximise", [False, True])
def test_the_comparison_is_that_of_the_numbers(maximise: bool) -> None:
    problem = FakeProblem(maximise)
    state = fake_state(problem, skill=0.12)
    best, rival, reference = ranking.best(problem, state), state.entries["cunning"], state.entries["plain"]
    assert best is not None
    found = compare(problem, state, best, rival, "holdout")
    assert found is not None
    sign = 1 if maximise else -1
    own, theirs, base = (e.scores["holdout"].values for e in (best, rival, reference))
    difference = sign * 100 * (own - theirs) / base
    assert found.difference == pytest.approx(difference.mean())
    assert found.low < found.difference < found.high
    assert found.worse_on == int(((own < theirs) if maximise else (own > theirs)).sum())


def test_before_the_holdout_the_number_is_not_called_honest() -> None:
    problem = FakeProblem()
    sentences = verdict(problem, fake_state(problem, holdout=False, ended=""))
    assert "on the validation workloads" in sentences[0]
    assert any("hold-out set has not been opened" in s for s in sentences)


def test_another_baseline_that_is_stronger_on_the_holdout_is_named() -> None:
    problem = FakeProblem()
    state = fake_state(problem, skill=0.2)
    state.entries["clever"].scores["holdout"].values[:] = 0.0
    sentences = verdict(problem, state)
    assert "cunning" in sentences[0]
    assert "clever is the strongest baseline" in sentences[1]
    assert "worse than clever" in sentences[1]


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ("offline", "not a discovery by an LLM"),
        ("litellm", "Proposed by openai/some-model"),
        ("replay", "replayed"),
    ],
)
def test_who_proposed_it(provider: str, said: str) -> None:
    problem = FakeProblem()
    assert said in verdict(problem, fake_state(problem, provider=provider))[-1]


def test_without_a_solution() -> None:
    problem = FakeProblem()
    assert verdict(problem, RunState()) == ["No solution is finished yet."]
    (sentence,) = verdict(problem, fake_state(problem, solutions=4, failing=1.0, holdout=False))
    assert sentence == "None of 4 solutions could be scored (compile 2, timeout 2)."


def test_the_gap_runs_from_the_reference_to_the_bound() -> None:
    problem = FakeProblem()
    state = fake_state(problem)
    assert gap_closed(problem, state, state.entries["plain"], "holdout") == 0
    assert gap_closed(problem, state, state.entries["oracle"], "holdout") == pytest.approx(100)
    middle = gap_closed(problem, state, state.entries["cunning"], "holdout")
    assert middle is not None
    assert 15 < middle < 35
    state.entries["oracle"].scores["holdout"].values[:] = np.nan_to_num(
        state.entries["plain"].scores["holdout"].values
    )
    assert gap_closed(problem, state, state.entries["cunning"], "holdout") is None
