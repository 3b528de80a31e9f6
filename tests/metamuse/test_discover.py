"""The loop where a step of it fails: nothing that was made or measured is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from metamuse.discover import Discovery, Settings
from metamuse.executor.base import Limits, Outcome, Task
from metamuse.journal import Journal, read
from metamuse.llm.errors import LLMBadAnswer
from metamuse.llm.types import LLMReply
from metamuse.proposers import Proposal
from metamuse.recorder import Recorder
from metamuse.scorer import Scorer
from metamuse.state import RunState
from tests.support.fake_run import POLICY, FakeProblem

LIMITS = Limits(10.0, 10.0, 512)


class Prompted(FakeProblem):
    def prompt(self, name: str) -> str:
        return f"The {name}."


class Failing:
    """An executor in which all fail alike."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.asked: list[str] = []

    async def run(self, task: Task) -> Outcome:
        self.asked.append(task.id)
        return Outcome(task.id, None, (self.kind, "evicts an object that is not there"), 0.1, 0.1, 1.0)


class Proposer:
    async def propose(self, i: int, seen: Any) -> Proposal:
        return Proposal("write it", POLICY, {"name": "Odd Circle"}, {"stimuli": ["odd", "circle"]})


class Refuses:
    async def complete(self, request: Any) -> LLMReply:
        raise LLMBadAnswer("refusal", "the model refused")


class SaysNothing:
    async def complete(self, request: Any) -> LLMReply:
        return LLMReply("Sorry, I cannot.", 1, 1, 0.0, 0.0, "m", False, "stop")


def search(folder: Path, executor: Failing, model: Any, solutions: int = 1) -> RunState:
    async def main() -> RunState:
        journal = Journal(folder / "journal.jsonl")
        state = RunState.fold(read(journal.path))
        state.apply(journal.append("session", solutions=solutions))
        recorder = Recorder(journal, state, [])
        scorer = Scorer(executor, LIMITS)  # type: ignore[arg-type]  # it runs, which is all that is needed
        settings = Settings(solutions=solutions, seed=0, lag=1, repairs=2)
        made = Discovery(Prompted(), settings, recorder, model, lambda waypoints: Proposer(), scorer)
        await made.search(asyncio.create_task(asyncio.sleep(0)))
        journal.close()
        return state

    return asyncio.run(main())


@pytest.mark.parametrize("model", [Refuses(), SaysNothing()])
def test_a_repair_that_brings_no_code_leaves_the_solution_as_it_failed(tmp_path: Path, model: Any) -> None:
    (entry,) = search(tmp_path, Failing("illegal"), model).solutions.values()
    assert (entry.status, entry.message) == ("illegal", "evicts an object that is not there")
    assert (entry.name, entry.source) == ("Odd Circle", POLICY)
    assert entry.data["stimuli"] == ["odd", "circle"]
    assert [attempt["failure"][0] for attempt in entry.data["attempts"]] == ["illegal"]


def test_what_was_lost_is_tried_again_when_the_run_goes_on(tmp_path: Path) -> None:
    gone, back = Failing("infrastructure"), Failing("crash")
    state = search(tmp_path, gone, Refuses())
    assert [entry.status for entry in state.solutions.values()] == ["infrastructure"]
    assert search(tmp_path, back, Refuses()).solutions[0].status == "crash"
    assert gone.asked == back.asked == ["s0000.0"]
    again = Failing("crash")
    assert search(tmp_path, again, Refuses()).solutions[0].status == "crash"
    assert again.asked == []
