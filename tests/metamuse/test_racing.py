"""Racing leaves the finalists and the winner what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metamuse import ranking
from metamuse.errors import UsageError
from metamuse.racing import SET, Field, Race, racers
from metamuse.state import Entry, RunState
from tests.support.fake_run import FakeProblem

WORKLOADS = 8


def rows(values: np.ndarray) -> list[dict[str, Any]]:
    return [{"workload": f"w{i}", "value": float(v), "details": {}} for i, v in enumerate(values)]


def entered(reference: np.ndarray, bound: np.ndarray | None) -> RunState:
    state = RunState()
    known = {"plain": ("baseline", reference)} | ({} if bound is None else {"oracle": ("bound", bound)})
    for id, (kind, values) in known.items():
        result = {"scores": {SET: rows(values)}}
        state.apply({"event": "entry", "at": 0.0, "id": id, "kind": kind, "name": id, "result": result})
    return state


def search(
    problem: FakeProblem,
    state: RunState,
    solutions: np.ndarray,
    finalists: int,
    lag: int,
    race: bool,
    order: np.random.Generator,
) -> tuple[list[str], int]:
    """Ids of the finalists, best first, and how many workloads were run; solutions end in any order within the lag."""
    field = Field(problem, state, finalists)
    answers: list[dict[str, Any]] = []
    ran = 0
    for first in range(0, len(solutions), lag):
        batch = range(first, min(first + lag, len(solutions)))
        made: dict[int, dict[str, Any]] = {}
        for i in (int(k) for k in order.permutation(batch)):
            seen = [state.solutions[j] for j in range(max(0, i - lag + 1))]
            task = field.payload(seen).get("race") if race else None
            result: dict[str, Any] = {"scores": {"feedback": rows(solutions[i])}}
            contest = None if task is None else Race(problem, **task)
            for k in range(1, WORKLOADS + 1):
                ran += 1
                lost = {} if contest is None else contest.lost(rows(solutions[i][:k]))
                if lost:
                    result["raced"] = lost
                    break
            else:
                result["scores"][SET] = rows(solutions[i])
            made[i] = result
            answers.append(result)
            about = {"number": i, "name": f"solution {i}", "source": "", "attempts": [], "result": result}
            state.apply({"event": "solution", "at": 0.0, **about})
    order_of = ranking.ranked(problem, state, state.executable())
    return [e.id for e in order_of[:finalists]], ran


@pytest.mark.parametrize("seed", range(40))
def test_finalists_and_winner_stay_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = FakeProblem(maximise=bool(seed % 2))
    reference = rng.uniform(0.5, 2.0, WORKLOADS)
    skill = rng.normal(0.0, 0.2, (24, 1)) + rng.normal(0.0, 0.1, (24, WORKLOADS))
    solutions = reference * np.clip(1 + skill, 0.3, 1.9)
    solutions[rng.integers(24, size=4)] = solutions[rng.integers(24, size=4)]  # ties
    best = solutions.max(axis=0) if problem.metric.maximise else solutions.min(axis=0)
    bound = best if seed % 3 else None
    finalists, lag = int(rng.integers(1, 6)), int(rng.integers(1, 9))

    def run(race: bool, chance: int) -> tuple[list[str], int]:
        state = entered(reference, bound)
        return search(problem, state, solutions, finalists, lag, race, np.random.default_rng(chance))

    whole, all_runs = run(False, 0)
    raced, some_runs = run(True, 0)
    assert raced == whole and (raced, some_runs) == run(True, 1)
    assert some_runs <= all_runs


def test_races_with_a_bound_save_most_of_what_is_hopeless() -> None:
    reference = np.ones(WORKLOADS)
    solutions = np.repeat(np.linspace(0.5, 0.9, 20)[:, None], WORKLOADS, axis=1)  # the best come first
    ran = {}
    for bound in (None, np.full(WORKLOADS, 0.45)):
        state = entered(reference, bound)
        _, ran[bound is not None] = search(
            FakeProblem(), state, solutions, 2, 1, True, np.random.default_rng(0)
        )
    assert ran[True] < ran[False] < 20 * WORKLOADS


def test_a_raced_solution_is_recorded_as_executable_without_validation() -> None:
    problem = FakeProblem()
    state = entered(np.ones(WORKLOADS), None)
    lost = Race(problem, [1.0] * WORKLOADS, [0.0] * WORKLOADS, 60.0).lost(rows(np.full(4, 0.9)))
    assert lost == {"scored": 4, "of": WORKLOADS, "at_most": pytest.approx(55.0), "needed": 60.0}
    about = {"number": 0, "name": "slow", "source": "", "attempts": []}
    result = {"scores": {"feedback": rows(np.ones(3))}, "raced": lost, "seconds": {"score_validation": 2.0}}
    state.apply({"event": "solution", "at": 0.0, **about, "result": result})
    entry: Entry = state.solutions[0]
    assert entry.ok and entry.rejected == "raced" and SET not in entry.scores and entry.data["raced"] == lost
    assert entry.unscored == 1.0 and ranking.best(problem, state) is None


def test_the_last_workload_needs_no_race() -> None:
    race = Race(FakeProblem(), [1.0] * 2, [0.0] * 2, 99.0)
    assert race.lost(rows(np.ones(1))) and not race.lost(rows(np.ones(2)))


def test_settings() -> None:
    assert racers({"search": {"race": True, "finalists": 4}}) == 4
    assert racers({"search": {"race": False, "finalists": 4}}) == 0
    with pytest.raises(UsageError, match="true or false"):
        racers({"search": {"race": "auto", "finalists": 4}})
