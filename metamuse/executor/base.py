"""What every executor offers: tasks with limits in, outcomes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from metamuse.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """What one task may use.

    Attributes:
        wall_s: Seconds from its start to its end; a pause of the machine does not count.
        cpu_s: CPU seconds (rounded up to whole ones by the kernel's limit).
        memory_mb: Memory beyond what the process shares with the zygote, in MiB of address space.
        result_mb: Size of the answer, in MiB of JSON.
    """

    wall_s: float
    cpu_s: float
    memory_mb: int
    result_mb: float = 16.0


@dataclass(frozen=True)
class Task:
    """One call of the executor's handler.

    Attributes:
        id: Names the task in messages; need not be unique.
        payload: The handler's argument (JSON values only).
        limits: What it may use.
    """

    id: str
    payload: dict[str, Any]
    limits: Limits


@dataclass(frozen=True)
class Outcome:
    """How a task ended; exactly one of ``result`` and ``failure`` is given.

    Attributes:
        id: Of the task.
        result: What the handler returned.
        failure: Failure class (see ``evaluators.base.FAILURE_CLASSES``) and a message.
        seconds: Wall time of the task's process.
        cpu_s: CPU seconds of it.
        peak_mb: Most resident memory, program code included, beyond the zygote's data that it shares, in MiB.
    """

    id: str
    result: dict[str, Any] | None
    failure: tuple[str, str] | None
    seconds: float
    cpu_s: float
    peak_mb: float


class ExecutorSetupError(UsageError):
    """The scoring processes cannot be set up; the message is one sentence that says why."""


class ExecutorBroken(RuntimeError):  # a state, named as such in messages
    """Tasks keep failing for no fault of theirs; the message gives the first cause."""


class Executor(Protocol):
    """Runs tasks, each in isolation; results do not depend on how many run at once.

    Attributes:
        workers: How many tasks run at once; known after :meth:`start`.
    """

    workers: int

    async def start(self) -> None:
        """Set up; must be awaited once before :meth:`run`.

        Raises:
            ExecutorSetupError: The handler cannot be made, or a demanded protection is missing.
        """

    async def run(self, task: Task) -> Outcome:
        """Run one task; waits while all workers are busy. Cancelling it ends the task's process.

        Raises:
            ExecutorBroken: Too many tasks in a row failed as ``infrastructure``.
        """

    def layers(self) -> list[str]:
        """Plain statements of which layers of containment are active and which are absent, and why."""

    async def close(self) -> None:
        """End every process. Tasks that still run fail as ``infrastructure``."""
