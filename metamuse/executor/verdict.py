"""From the end of a task's process to a failure class."""

from __future__ import annotations

import math
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from metamuse.executor.base import Limits

#: The kernel counts CPU time for its limit in ticks and for its report exactly; they differ a little.
_CPU_TOLERANCE = 0.8
#: An abort with this share of the allowed memory in use is put down to memory.
_MEMORY_SHARE = 0.5


@dataclass(frozen=True)
class End:
    """How a process ended.

    Attributes:
        status: As of ``wait``.
        killed: Why the zygote killed it: ``wall``, ``oversize`` or ``""`` (it did not).
        answered: Whether its answer is complete.
        cpu_s: CPU seconds used.
        peak_mb: Most resident memory, program code included, beyond the zygote's data that it shares, in MiB.
        out_of_memory: Whether the kernel killed processes for want of memory meanwhile.
    """

    status: int
    killed: str
    answered: bool
    cpu_s: float
    peak_mb: float
    out_of_memory: bool


def failure_of(end: End, limits: Limits) -> tuple[str, str] | None:
    """Failure class and message of an end; ``None`` if the answer counts."""
    if end.killed == "wall":
        return "timeout", f"it ran longer than {limits.wall_s:g} s"
    if end.killed == "oversize":
        return "crash", f"its process wrote more than the {limits.result_mb:g} MiB that an answer may have"
    code = os.waitstatus_to_exitcode(end.status)
    if code < 0:
        return _signalled(-code, end, limits)
    if code > 0:
        return "crash", f"its process ended by itself with exit status {code}"
    if not end.answered:
        return "crash", "its process ended without an answer"
    return None


def _signalled(number: int, end: End, limits: Limits) -> tuple[str, str]:
    if number == signal.SIGXCPU or (number == signal.SIGKILL and end.cpu_s >= _CPU_TOLERANCE * limits.cpu_s):
        return "timeout", f"it used more than {math.ceil(limits.cpu_s)} s of CPU time"
    if number == signal.SIGKILL and end.out_of_memory:
        return "memory", "the system ran out of memory and ended it"
    if number == signal.SIGKILL:
        return "infrastructure", "something outside killed its process"
    if number == signal.SIGABRT and end.peak_mb >= _MEMORY_SHARE * limits.memory_mb:
        return "memory", f"it needs more than the {limits.memory_mb} MiB it may have"
    return "crash", f"its process died of {signal_name(number)}"


def signal_name(number: int) -> str:
    """What a signal is called; only two of the real-time signals have a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class OutOfMemory:
    """Tells whether the kernel killed processes for want of memory since it was last asked."""

    def __init__(self) -> None:
        self._seen = self._count()

    def happened(self) -> bool:
        """Whether the count has grown; forgets it."""
        before, self._seen = self._seen, self._count()
        return self._seen > before

    @staticmethod
    def _count() -> int:
        try:
            text = Path("/proc/vmstat").read_text()
        except OSError:
            return 0  # not Linux: the question cannot be answered
        return next((int(row.split()[1]) for row in text.splitlines() if row.startswith("oom_kill ")), 0)
