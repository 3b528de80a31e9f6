"""A search with cheap rejection ends as one without: same scores, same finalists, whoever finishes first."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metamuse import ranking, rundir
from metamuse.discover import Discovery, Settings
from metamuse.executor.base import Limits, Outcome, Task
from metamuse.journal import Journal, read
from metamuse.llm import LLMReply
from metamuse.proposers.base import Proposal
from metamuse.racing import SET, Race
from metamuse.recorder import Recorder
from metamuse.rejection import Screen
from metamuse.report.html import write_report
from metamuse.scorer import Scorer
from metamuse.state import RunState
from tests.support.fake_run import FakeProblem

LIMITS = Limits(10.0, 10.0, 512)
SOLUTIONS, LAG, FINALISTS = 30, 4, 3


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def rows(which: str, text: str) -> list[dict[str, Any]]:
    rng = np.random.default_rng(int(_hash(text)[:8], 16))
    level = rng.uniform(0.4, 1.3)
    values = level + np.random.default_rng(int(_hash(which + text)[:8], 16)).uniform(-0.02, 0.02, 6)
    return [
        {"workload": f"w{i}", "value": float(v), "details": {}, "timing": {}} for i, v in enumerate(values)
    ]


class MadeUp:
    """Answers as :class:`metamuse.evaluation.Candidates`, with scores that depend on the text, in any order.

    Args:
        chance: Seed of who finishes first.
    """

    def __init__(self, problem: FakeProblem, chance: int) -> None:
        self.problem = problem
        self.chance = np.random.default_rng(chance)
        self.ran = 0
        self.asked: list[dict[str, Any]] = []

    async def run(self, task: Task) -> Outcome:
        self.asked.append(task.payload)
        for _ in range(int(self.chance.integers(0, 12))):
            await asyncio.sleep(0)
        result = self.answer(task.payload)
        failure = ("crash", "it broke") if result is None else None
        return Outcome(task.id, result, failure, 0.1, 0.1, 1.0)

    def answer(self, task: dict[str, Any]) -> dict[str, Any] | None:
        text = task.get("source") or task["bound"]
        if "broken" in text:
            return None
        marks = {"program": _hash(text)[:12]}
        result: dict[str, Any] = {
            "structure": text,
            "doc": "",
            "constants": {},
            "marks": marks,
            "seconds": {},
        }
        result["state_bytes"] = 64
        if duplicate := Screen(task.get("known")).duplicate(marks):
            return result | duplicate
        race = Race(self.problem, **task["race"]) if "race" in task else None
        scores = result["scores"] = {"feedback": rows("feedback", text), SET: rows(SET, text)}
        for k in range(1, 7):
            self.ran += 1
            if race is not None and (lost := race.lost(scores[SET][:k])):
                result["raced"] = lost
                del scores[SET]
                break
        return result


class Scripted:
    """Proposes texts of which many were proposed before."""

    async def propose(self, i: int, seen: Any) -> Proposal:
        pick = int(np.random.default_rng(i).integers(0, 18))
        return Proposal("brief", "class Policy:  # broken\n" if pick == 0 else f"policy {pick}")


class Stubborn:
    """A model that answers every repair turn with the same text."""

    async def complete(self, request: Any) -> LLMReply:
        return LLMReply("```python\nclass Policy:  # broken\n```", 1, 1, 0.0, 0.0, "model", False, "stop")


class Spoken(FakeProblem):
    """Has prompts."""

    def prompt(self, name: str) -> str:
        return f"The {name}."


def search(
    folder: Path, chance: int, repairs: int = 0, **settings: Any
) -> tuple[RunState, MadeUp, FakeProblem]:
    problem = Spoken()
    folder.mkdir()
    (folder / "solutions").mkdir()
    journal = Journal(folder / "journal.jsonl")
    state = RunState.fold(read(journal.path))
    recorder = Recorder(journal, state, [])
    executor = MadeUp(problem, chance)
    for id, kind in (("plain", "baseline"), ("oracle", "bound")):
        values = 1.0 if kind == "baseline" else 0.3
        scores = {w: [r | {"value": values} for r in rows(w, id)] for w in ("feedback", SET)}
        recorder.emit("entry", id=id, kind=kind, name=id, source="", result={"scores": scores})
    made = Discovery(
        problem,
        Settings(SOLUTIONS, 0, LAG, repairs, **settings),
        recorder,
        Stubborn(),
        lambda waypoints: Scripted(),
        Scorer(executor, LIMITS),  # type: ignore[arg-type]  # it is only asked to run
    )

    async def go() -> None:
        await made.search(asyncio.ensure_future(asyncio.sleep(0)))

    asyncio.run(go())
    journal.close()
    return state, executor, problem


def board(problem: FakeProblem, state: RunState) -> list[dict[str, Any]]:
    return rundir.leaderboard(problem, state)


def finalists(problem: FakeProblem, state: RunState) -> list[str]:
    return [e.id for e in ranking.ranked(problem, state, state.executable())[:FINALISTS]]


def test_exact_duplicates_change_nothing_but_the_cost(tmp_path: Path) -> None:
    plain, all_runs, problem = search(tmp_path / "plain", 0)
    spared, some_runs, _ = search(tmp_path / "spared", 1, duplicates="exact")
    assert board(problem, spared) == board(problem, plain)
    assert some_runs.ran < all_runs.ran
    assert rundir.summary(problem, spared, "r")["solutions"]["rejected"]["exact"] > 3


@pytest.mark.parametrize("chance", [1, 2])
def test_racing_changes_neither_finalists_nor_order_of_the_rest(tmp_path: Path, chance: int) -> None:
    plain, all_runs, problem = search(tmp_path / "plain", 0)
    raced, some_runs, _ = search(tmp_path / "raced", chance, race=FINALISTS, duplicates="exact")
    again, _, _ = search(tmp_path / "again", chance + 5, race=FINALISTS, duplicates="exact")
    assert finalists(problem, raced) == finalists(problem, plain)
    assert board(problem, raced) == board(problem, again)
    rejected = rundir.summary(problem, raced, "r")["solutions"]["rejected"]
    assert rejected["raced"] > 3 and some_runs.ran < all_runs.ran
    lost = [e for e in raced.ordered() if e.rejected == "raced"]
    whole = {e["id"]: e for e in board(problem, plain)}
    row = {e["id"]: e for e in board(problem, raced)}[lost[0].id]
    assert (
        row["validation"] == row["validation_gain"] == "" and row["distinct"] == whole[row["id"]]["distinct"]
    )


def test_a_resumed_run_and_its_report_know_what_was_rejected(tmp_path: Path) -> None:
    state, _, problem = search(tmp_path / "run", 3, race=FINALISTS, duplicates="exact")
    folded = RunState.fold(read(tmp_path / "run" / "journal.jsonl"))
    assert board(problem, folded) == board(problem, state)
    rundir.write_results(problem, folded, tmp_path / "run")
    (tmp_path / "run" / "config.yaml").write_text("{}")
    write_report(problem, folded, tmp_path / "run")
    assert "Not scored to the end: " in (tmp_path / "run" / "report.html").read_text()


def test_an_example_is_asked_for_before_a_repair_and_the_same_text_is_not_scored_again(
    tmp_path: Path,
) -> None:
    state, executor, _ = search(tmp_path / "run", 0, repairs=2)
    broken = [entry for entry in state.ordered() if not entry.ok]
    assert broken and all(entry.attempts == 3 for entry in broken)
    assert len(executor.asked) == SOLUTIONS
    assert all(task["example"] for task in executor.asked), "the first of three turns"
