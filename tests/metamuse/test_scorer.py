"""Failures that are nobody's fault: tried again, never taken for a score, and the end of a run if they go on."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from metamuse.discover import Discovery, Settings
from metamuse.executor.base import ExecutorBroken, Limits, Outcome, Task
from metamuse.executor.retrying import RetryingExecutor
from metamuse.journal import Journal, read
from metamuse.proposers import Proposal
from metamuse.recorder import Recorder
from metamuse.scorer import Scorer, is_lost
from metamuse.state import RunState
from tests.support.fake_run import POLICY, FakeProblem

LIMITS = Limits(10.0, 10.0, 512)


class Lost(RetryingExecutor):
    """An executor whose tasks are lost, for a cause after the other."""

    def __init__(self, *causes: str, breaks_after: int = 5) -> None:
        super().__init__(contextlib.nullcontext(), breaks_after)
        self.causes = list(causes)
        self.asked: list[str] = []

    async def attempt(self, task: Task) -> Outcome:
        self.asked.append(task.id)
        return Outcome(task.id, None, ("infrastructure", self.causes.pop(0)), 0.1, 0.1, 1.0)


def test_failures_in_a_row_end_the_run_with_the_first_cause() -> None:
    """The executor counts them, whichever part of a run asked."""

    async def main() -> None:
        executor = Lost("the disk is gone", "no process", "never asked", breaks_after=2)
        scorers = [Scorer(executor, LIMITS), Scorer(executor, LIMITS)]  # type: ignore[arg-type]  # it runs, which is all that is needed
        assert is_lost(await scorers[0].run("a", {}))
        for _ in range(2):
            with pytest.raises(ExecutorBroken, match=r"2 tasks in a row failed .*: the disk is gone"):
                await scorers[1].run("b", {})
        assert executor.asked == ["a", "b"]

    asyncio.run(main())


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
        executor = Lost("the scoring process is gone")
        scorer = Scorer(executor, LIMITS)  # type: ignore[arg-type]
        settings = Settings(solutions=1, seed=0, lag=1, repairs=2)
        search = Discovery(FakeProblem(), settings, recorder, NoModel(), lambda waypoints: OneText(), scorer)
        await search.search(asyncio.create_task(asyncio.sleep(0)))
        assert executor.asked == ["s0000.0"]
        journal.close()
        return recorder.state

    (entry,) = asyncio.run(main()).solutions.values()
    assert (entry.status, entry.message) == ("infrastructure", "the scoring process is gone")
    assert not entry.scores
