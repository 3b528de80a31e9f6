"""Classification of ends that are hard to bring about."""

from __future__ import annotations

import signal

import pytest

from metamuse.executor.base import Limits
from metamuse.executor.verdict import End, failure_of, signal_name

LIMITS = Limits(wall_s=5, cpu_s=4, memory_mb=100)


def end(status: int, cpu_s: float = 0.1, peak_mb: float = 10, oom: bool = False) -> End:
    return End(status, killed="", answered=True, cpu_s=cpu_s, peak_mb=peak_mb, out_of_memory=oom)


@pytest.mark.parametrize(
    ("ended", "kind"),
    [
        (end(signal.SIGKILL, cpu_s=3.9), "timeout"),
        (end(signal.SIGXCPU), "timeout"),
        (end(signal.SIGKILL, oom=True), "memory"),
        (end(signal.SIGKILL), "infrastructure"),
        (end(signal.SIGABRT, peak_mb=90), "memory"),
        (end(signal.SIGABRT), "crash"),
        (end(signal.SIGBUS), "crash"),
        (end(signal.SIGSYS), "crash"),
        (end(35), "crash"),
    ],
)
def test_classes(ended: End, kind: str) -> None:
    failure = failure_of(ended, LIMITS)
    assert failure is not None
    assert failure[0] == kind


def test_a_regular_end_with_an_answer_is_none() -> None:
    assert failure_of(end(0), LIMITS) is None


def test_signals_without_a_name_are_numbers() -> None:
    assert signal_name(signal.SIGBUS) == "SIGBUS"
    assert [signal_name(number) for number in (0, 35, 127)] == ["signal 0", "signal 35", "signal 127"]
    assert failure_of(end(35), LIMITS) == ("crash", "its process died of signal 35")
