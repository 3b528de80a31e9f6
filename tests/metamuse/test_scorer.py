"""Failures that are nobody's fault: tried again, never taken for a score, and the end of a run if they go on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from metamuse.discover import Discovery, Settings
from metamuse.executor.base import Limits, Outcome, Task
from metamuse.journal import Journal, read
from metamuse.proposers import Proposal
from metamuse.recorder import Recorder
from metamuse.scorer import RunStopped, Scorer
from metamuse.state import RunState
from tests.support.fake_run import POLICY, FakeProblem

LIMITS = Limits(10.0, 10.0, 512)


class Scripted:
    """An executor that ends tasks as it is told: messages of infrastructure failures, or "" for a crash."""

    def __init__(self, *messages: str) -> None:
        self.messages = list(messages)
        self.asked = 0

    async def run(self, task: Task) -> Outcome:
        self.asked += 1
        message = self.messages.pop(0)
        return Outcome(
            task.id, None, ("infrastructure", message) if message else ("crash", "x"), 0.1, 0.1, 1.0
        )


def run_all(executor: Scripted, max_failures: int) -> None:
    async def main() -> None:
        scorer = Scorer(executor, LIMITS, max_failures)  # type: ignore[arg-type]  # it runs, which is all that is needed
        while executor.messages:
            await scorer.run("t", {})

    asyncio.run(main())


def test_failures_in_a_row_stop_the_run_with_the_first_cause() -> None:
    executor = Scripted("the disk is gone", "no process", "no process", "never asked")
    with pytest.raises(RunStopped, match=r"3 evaluations in a row .* first so: the disk is gone"):
        run_all(executor, 3)
    assert executor.asked == 3


def test_a_candidates_own_failure_in_between_begins_anew() -> None:
    run_all(Scripted("a", "b", "", "c", "d", "", "e"), 3)


def test_a_lost_candidate_is_not_repaired_and_has_no_score(tmp_path: Path) -> None:
    class OneText:
        async def propose(self, i: int, seen: Any) -> Proposal:
            return Proposal("write it", POLICY)

    class NoModel:
        async def complete(self, request: Any) -> Any:
            raise AssertionError("a model is asked to mend what is not broken")

    async def main() -> RunState:
        journal = Journal(tmp_path / "journal.jsonl")
        recorder = Recorder(journal, RunState.fold(read(journal.path)), [])
        executor = Scripted("the scoring process is gone")
        scorer = Scorer(executor, LIMITS, 5)  # type: ignore[arg-type]
        settings = Settings(solutions=1, seed=0, lag=1, repairs=2)
        search = Discovery(FakeProblem(), settings, recorder, NoModel(), lambda waypoints: OneText(), scorer)
        await search.search(asyncio.create_task(asyncio.sleep(0)))
        assert executor.asked == 1
        journal.close()
        return recorder.state

    (entry,) = asyncio.run(main()).solutions.values()
    assert (entry.status, entry.message) == ("infrastructure", "the scoring process is gone")
    assert not entry.scores
