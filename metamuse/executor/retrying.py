"""What executors do about tasks that fail for no fault of theirs: try again, and give up in the end."""

from __future__ import annotations

import dataclasses
from contextlib import AbstractAsyncContextManager
from typing import Any

from metamuse.answers import Answers
from metamuse.executor.base import ExecutorBroken, Outcome, Task
from metamuse.executor.channel import Lost

#: How often a task is run again after its process or what watches it was lost for no fault of the task.
RETRIES = 2
BREAKS_AFTER = 5


class RetryingExecutor:
    """The part of :class:`metamuse.executor.base.Executor` that does not know where tasks run.

    Args:
        room: Entered while a task runs; holds it back while there is no room.
        breaks_after: So many tasks in a row that failed as ``infrastructure`` break the executor.
        answers: Judges what tasks answer; None: nobody does.
    """

    def __init__(
        self, room: AbstractAsyncContextManager[Any], breaks_after: int, answers: Answers | None = None
    ) -> None:
        self._room = room
        self._breaks_after = breaks_after
        self._answers = answers
        self._failures: list[str] = []
        self._closed = False

    async def attempt(self, task: Task) -> Outcome:
        """One try at a task.

        Raises:
            Lost: It came to nothing for no fault of the task.
        """
        raise NotImplementedError

    async def run(self, task: Task) -> Outcome:
        async with self._room:
            self._check()
            outcome = self._judged(task, await self._run(task))
        if outcome.failure is None or outcome.failure[0] != "infrastructure":
            self._failures.clear()
        elif not self._closed:
            self._failures.append(outcome.failure[1])
            self._check()
        return outcome

    def _check(self) -> None:
        if len(self._failures) >= self._breaks_after:
            raise ExecutorBroken(
                f"{self._breaks_after} tasks in a row failed for no fault of theirs: {self._failures[0]}"
            )

    def _judged(self, task: Task, outcome: Outcome) -> Outcome:
        """The outcome, a failure if its answer makes no sense: an untrusted process wrote it."""
        if self._answers is None or outcome.result is None:
            return outcome
        fault = self._answers.fault(task.payload, outcome.result)
        if not fault:
            return outcome
        message = f"the scoring process sent an answer that makes no sense: {fault}"
        return dataclasses.replace(outcome, result=None, failure=("crash", message))

    async def _run(self, task: Task) -> Outcome:
        cause = ""
        for _ in range(1 + RETRIES):
            if self._closed:
                return _infrastructure(task, "the executor was closed")
            try:
                return await self.attempt(task)
            except Lost as lost:
                cause = str(lost)
        return _infrastructure(task, f"{cause} ({1 + RETRIES} tries)")


def _infrastructure(task: Task, message: str) -> Outcome:
    return Outcome(task.id, None, ("infrastructure", message), 0.0, 0.0, 0.0)
