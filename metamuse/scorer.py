"""Tasks of a run in an executor, with the patience of a run: failures that are nobody's fault end it at last."""

from __future__ import annotations

from typing import Any

from evaluators.base import FAILURE_CLASSES
from metamuse.executor.base import Executor, Limits, Outcome, Task


class RunStopped(Exception):
    """The run cannot go on now; everything so far is kept and it can be resumed."""


class Scorer:
    """Runs tasks.

    Args:
        executor: Where they run.
        limits: Limits of a task that names none.
        max_failures: Consecutive infrastructure failures that stop the run.
    """

    def __init__(self, executor: Executor, limits: Limits, max_failures: int) -> None:
        self.executor = executor
        self.limits = limits
        self.max_failures = max_failures
        self._causes: list[str] = []  # of the failures since something last went well

    async def run(self, id: str, payload: dict[str, Any], limits: Limits | None = None) -> Outcome:
        """Run one task, see :class:`metamuse.evaluation.Candidates` for payloads.

        Raises:
            RunStopped: Infrastructure failed ``max_failures`` times in a row.
        """
        outcome = await self.executor.run(Task(id, payload, limits or self.limits))
        if outcome.failure is None or outcome.failure[0] != "infrastructure":
            self._causes.clear()
            return outcome
        self._causes.append(outcome.failure[1])
        if len(self._causes) >= self.max_failures:
            raise RunStopped(
                f"{len(self._causes)} evaluations in a row failed for no fault of theirs, first so: {self._causes[0]}"
            )
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
