"""What is measured of baselines and finalists, with a scripted executor."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from metamuse import ranking
from metamuse.errors import UsageError
from metamuse.executor.base import Limits, Outcome, Task
from metamuse.journal import Journal, read
from metamuse.recorder import Recorder
from metamuse.scorer import Scorer
from metamuse.state import RunState
from metamuse.study import Study
from tests.support.fake_run import POLICY, FakeProblem

LIMITS = Limits(10.0, 10.0, 512)
SHIFTED = "shift: no moon"


class Script:
    """An executor that answers at once and remembers what it was asked.

    Args:
        sets: Names of its sets of workloads.
        failing: Ids of tasks that fail, and how; ``id/shift`` only where shifted workloads are asked for.
    """

    def __init__(self, sets: list[str], failing: dict[str, tuple[str, str]] | None = None) -> None:
        self.sets = sets
        self.failing = failing or {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def start(self) -> None:
        self.asked.append(("start", {}))

    async def run(self, task: Task) -> Outcome:
        self.asked.append((task.id, task.payload))
        failure = self.failing.get(task.id)
        if SHIFTED in task.payload.get("sets", []):
            failure = failure or self.failing.get(f"{task.id}/shift")
        if "tune" in task.payload:
            failure = failure or self.failing.get(f"{task.id}/tune")
        result = None if failure else self.answer(task.payload)
        return Outcome(task.id, result, failure, 0.5, 0.5, 1.0)

    def answer(self, payload: dict[str, Any]) -> dict[str, Any]:
        if payload["op"] == "watch":
            return {"figures": [{"title": payload["source"]}]}
        if payload["op"] == "describe":
            return {"workloads": {s: [{"name": f"{s}-0", "digest": s}] for s in self.sets}}
        work = (
            {"work": {"max": 3, "mean": 1.0, "calls": 2, "method": "pick"}} if payload.get("metered") else {}
        )
        scores = {
            s: [{"workload": f"{s}-0", "value": 0.5, "details": {}, "timing": {}, **work}]
            for s in payload["sets"]
        }
        result: dict[str, Any] = {"scores": scores, "state_bytes": 8, "structure": "s", "doc": ""}
        result["constants"] = {"SHARE": {"value": 0.25}} if payload["op"] == "evaluate" else {}
        variant = {"result": {"scores": scores, "state_bytes": 8}}
        if "also" in payload:
            result["also"] = variant
        if "tune" in payload:
            found = {"source": POLICY, "values": {"SHARE": 0.5}, "gain": 2.0, "default_gain": 1.0}
            result["tuned"] = {"result": variant["result"] | found | {"failed_trials": 0}}
        return result

    def layers(self) -> list[str]:
        return []

    async def close(self) -> None:
        pass


class TwoBaselines(FakeProblem):
    baselines = {"plain": POLICY, "clever": POLICY}  # type: ignore[assignment]  # read from files elsewhere
    rivals = baselines  # type: ignore[assignment]


def study(folder: Path, searching: Script, holdout: Script, trials: int = 5) -> Study:
    journal = folder / "journal.jsonl"
    state = RunState.fold(read(journal)) if journal.exists() else RunState()
    recorder = Recorder(Journal(journal), state)
    scorers = (Scorer(s, LIMITS) for s in (searching, holdout))
    made = Study(
        TwoBaselines(), recorder, *scorers, trials=trials, finalists=2, seed=1, limits=LIMITS, workers=2
    )
    return made


def everything(made: Study) -> RunState:
    async def work() -> None:
        await made.describe(made.searching)
        await made.reference()
        await made.rivals("incumbent's text")
        made.hurry()
        await made.finalists()
        await made.watch()

    try:
        asyncio.run(work())
    finally:
        made.recorder.journal.close()
    return made.state


def scripts(**failing: Any) -> tuple[Script, Script]:
    names = {
        k.replace("__", ".").replace("_SHIFT", "/shift").replace("_TUNE", "/tune"): v
        for k, v in failing.items()
    }
    return Script(["feedback", "validation"], names), Script(["holdout", SHIFTED], names)


def test_all_are_scored_metered_tuned_and_opened_once(tmp_path: Path) -> None:
    searching, holdout = scripts()
    state = everything(study(tmp_path, searching, holdout))
    assert set(state.entries) == {"plain", "clever", "incumbent", "oracle"}
    assert set(state.tuned) == {"plain", "clever", "incumbent"}
    for entry in [*state.entries.values(), *state.tuned.values()]:
        assert set(entry.scores) >= {"validation", "holdout", SHIFTED}, entry.id
    assert all(state.entries[id].work for id in ("plain", "clever", "incumbent"))
    asked = [id for id, _ in holdout.asked]
    assert sorted(asked) == sorted(set(asked)), "each policy once, its tuned form with it"


def test_a_resumed_study_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    everything(study(tmp_path, *scripts()))
    lines = (tmp_path / "journal.jsonl").read_text().splitlines(keepends=True)
    for kept in range(2, len(lines)):
        (tmp_path / "journal.jsonl").write_text("".join(lines[:kept]))
        searching, holdout = scripts()
        state = everything(study(tmp_path, searching, holdout))
        assert len(state.tuned) == 3 and all("holdout" in e.scores for e in state.entries.values()), kept
        assert all("holdout" in e.scores for e in state.tuned.values()), kept
    searching, holdout = scripts()
    everything(study(tmp_path, searching, holdout))
    assert [id for id, _ in searching.asked] == ["workloads"] and holdout.asked == []


def test_failing_on_shifted_workloads_only_is_told_apart(tmp_path: Path) -> None:
    searching, holdout = scripts(clever__holdout_SHIFT=("timeout", "too slow"))
    clever = everything(study(tmp_path, searching, holdout)).entries["clever"]
    assert clever.ok and "holdout" in clever.scores and SHIFTED not in clever.scores
    assert clever.data["shift_failure"] == ["timeout", "too slow"]
    tuned = study(tmp_path, *scripts()).state.tuned["clever"]
    assert SHIFTED in tuned.scores and "shift_failure" not in tuned.data, "each form is judged by itself"


def test_failing_on_the_holdout_set_changes_no_selection(tmp_path: Path) -> None:
    searching, holdout = scripts(clever__holdout=("crash", "it divided by zero"))
    state = everything(study(tmp_path, searching, holdout))
    clever = state.entries["clever"]
    assert clever.ok and "holdout" not in clever.scores
    assert clever.data["holdout_failure"] == ["crash", "it divided by zero"]
    assert "holdout" in state.tuned["clever"].scores
    searching, holdout = scripts()
    everything(study(tmp_path, searching, holdout))
    assert holdout.asked == [], "it is not opened again"


def test_what_cannot_be_tuned_in_time_keeps_its_score(tmp_path: Path) -> None:
    searching, holdout = scripts(clever_TUNE=("timeout", "took too long"))
    state = everything(study(tmp_path, searching, holdout))
    assert state.entries["clever"].ok and "holdout" in state.entries["clever"].scores
    assert state.tuned["clever"].status == "timeout"


def test_what_is_lost_for_no_fault_of_its_own_is_tried_again(tmp_path: Path) -> None:
    lost = ("infrastructure", "the scorer is gone")
    state = everything(study(tmp_path, *scripts(clever=lost)))
    assert "clever" not in state.entries
    state = everything(study(tmp_path, *scripts()))
    assert state.entries["clever"].ok and "holdout" in state.tuned["clever"].scores


def test_without_trials_nothing_is_tuned(tmp_path: Path) -> None:
    searching, holdout = scripts()
    state = everything(study(tmp_path, searching, holdout, trials=0))
    assert state.tuned == {} and all("tune" not in payload for _, payload in searching.asked)


def test_a_failing_baseline_is_a_row_and_a_failing_reference_ends_the_run(tmp_path: Path) -> None:
    state = everything(study(tmp_path, *scripts(clever=("illegal", "no such bin"))))
    assert state.entries["clever"].status == "illegal" and "clever" not in state.tuned
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(UsageError, match="plain fails on these workloads: no such bin"):
        everything(study(other, *scripts(plain=("illegal", "no such bin"))))


class Shown(TwoBaselines):
    def watch(self, policy: Any, loop: Any) -> Any:
        raise AssertionError("only scoring processes run policies")


def test_the_opponent_shows_itself_once_if_there_is_something_to_show(tmp_path: Path) -> None:
    searching, holdout = scripts()
    made = study(tmp_path, searching, holdout)
    made.problem = Shown()
    state = everything(made)
    watched = [id for id, payload in searching.asked if payload.get("op") == "watch"]
    opponent = ranking.opponent(made.problem, state)
    assert opponent is not None
    assert watched == [f"{opponent.id}.watch"]
    assert opponent.data["figures"] == [{"title": opponent.source}]

    again, holdout = scripts()
    resumed = study(tmp_path, again, holdout)
    resumed.problem = Shown()
    everything(resumed)
    assert not [id for id, payload in again.asked if payload.get("op") == "watch"]


def test_a_policy_that_cannot_be_shown_changes_nothing_else(tmp_path: Path) -> None:
    searching, holdout = scripts()
    made = study(tmp_path, searching, holdout)
    made.problem = Shown()
    searching.failing["incumbent.watch"] = ("timeout", "too long")
    state = everything(made)
    assert state.entries["incumbent"].ok
    assert state.entries["incumbent"].data["figures"] == []
