"""Tasks of a run in an executor, and what of them is put on record."""

from __future__ import annotations

from typing import Any

from evaluators.base import FAILURE_CLASSES
from metamuse.executor.base import Executor, Limits, Outcome, Task


class RunStopped(Exception):
    """The run cannot go on now; everything so far is kept and it can be resumed."""


class Scorer:
    """Runs tasks. Failures that are nobody's fault end a run at last: the executor counts them.

    Args:
        executor: Where they run.
        limits: Limits of a task that names none.

    Attributes:
        lost: Why tasks came to nothing for no fault of theirs, by id, if they were not run again with success.
    """

    def __init__(self, executor: Executor, limits: Limits) -> None:
        self.executor = executor
        self.limits = limits
        self.lost: dict[str, str] = {}

    async def run(self, id: str, payload: dict[str, Any], limits: Limits | None = None) -> Outcome:
        """Run one task, see :class:`metamuse.evaluation.Candidates` for payloads.

        Raises:
            ExecutorBroken: Too many tasks in a row failed for no fault of theirs.
        """
        outcome = await self.executor.run(Task(id, payload, limits or self.limits))
        self.lost.pop(id, None)
        if outcome.failure is not None and is_lost(outcome):
            self.lost[id] = outcome.failure[1]
        return outcome


def is_lost(outcome: Outcome) -> bool:
    """Whether a task failed for no fault of its own, so that it is not put on record: a resumed run tries again."""
    return outcome.failure is not None and outcome.failure[0] == "infrastructure"


def recorded(outcome: Outcome) -> dict[str, Any]:
    """The fields of a journal event that say how a task ended."""
    if outcome.failure is not None:
        kind, message = outcome.failure
        assert kind in FAILURE_CLASSES, kind
        return {"failure": [kind, message], "peak_mb": round(outcome.peak_mb, 1)}
    taken = {"seconds_scoring": round(outcome.seconds, 3), "peak_mb": round(outcome.peak_mb, 1)}
    return {"result": outcome.result, **taken}
