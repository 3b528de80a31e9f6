"""Every way in which a task can end, with real processes."""

from __future__ import annotations

import pytest

from metamuse.executor.base import Outcome
from tests.metamuse.executor.conftest import Run


def failure(outcome: Outcome) -> tuple[str, str]:
    assert outcome.result is None
    assert outcome.failure is not None
    return outcome.failure


def test_a_result_comes_back_with_figures(run: Run) -> None:
    outcome = run("echo", x=[1, 2.5, "ß", None])
    assert outcome.failure is None
    assert outcome.result == {"value": [1, 2.5, "ß", None]}
    assert 0 < outcome.cpu_s < outcome.seconds + 0.1


def test_a_policy_error_keeps_its_class_and_message(run: Run) -> None:
    assert failure(run("policy error")) == ("illegal", "line 3: victim() returned 7")


def test_an_endless_compiled_loop_meets_the_wall_clock(run: Run) -> None:
    outcome = run("spin", wall_s=0.5)
    assert failure(outcome) == ("timeout", "it ran longer than 0.5 s")
    assert outcome.seconds < 1.5


def test_sleeping_meets_the_wall_clock(run: Run) -> None:
    outcome = run("sleep", s=60, wall_s=0.3)
    assert failure(outcome)[0] == "timeout"
    assert outcome.seconds < 1.3


def test_cpu_time_is_limited(run: Run) -> None:
    outcome = run("burn", cpu_s=1, wall_s=30)
    assert failure(outcome) == ("timeout", "it used more than 1 s of CPU time")


@pytest.mark.parametrize(("do", "extra"), [("hoard", {}), ("allocate", {"mb": 400})])
def test_memory_is_limited(run: Run, do: str, extra: dict[str, int]) -> None:
    outcome = run(do, memory_mb=200, **extra)
    assert failure(outcome) == ("memory", "it needs more than the 200 MiB it may have")
    assert outcome.peak_mb < 300


def test_memory_within_the_limit_is_given(run: Run) -> None:
    outcome = run("allocate", mb=150, memory_mb=200)
    assert outcome.failure is None
    assert 150 <= outcome.peak_mb < 260


@pytest.mark.parametrize(
    ("do", "extra", "message"),
    [
        ("segfault", {}, "its process died of SIGSEGV"),
        ("abort", {}, "its process died of SIGABRT"),
        ("exit", {"status": 7}, "its process ended by itself with exit status 7"),
        ("exit", {"status": 0}, "its process ended without an answer"),
        ("raw answer", {"bytes": "{}"}, "its process ended without an answer"),
        ("raw answer", {"bytes": "\0" * 7 + "\x05" + "hello"}, "an answer that cannot be read"),
        ("raw answer", {"bytes": "\0" * 7 + "\x02" + "[]"}, "an answer of the wrong form"),
        ("raw answer", {"bytes": "", "more": 2 << 20}, "more than the 1 MiB that an answer may have"),
        ("text", {"n": 2 << 20}, "its answer has 2.0 MiB, more than 1"),
    ],
)
def test_crashes(run: Run, do: str, extra: dict[str, object], message: str) -> None:
    kind, text = failure(run(do, **extra))
    assert kind == "crash"
    assert message in text


@pytest.mark.parametrize(
    ("do", "message"),
    [
        ("bug", "ZeroDivisionError: in the scorer (/"),
        ("not json", "TypeError: Object of type set is not JSON serializable"),
        ("system exit", "SystemExit: 0"),
    ],
)
def test_errors_of_trusted_code_are_not_the_candidates_fault(run: Run, do: str, message: str) -> None:
    kind, text = failure(run(do))
    assert kind == "infrastructure"
    assert message in text
    assert run("echo", x=1).failure is None  # one of them in a row breaks nothing


def test_printing_does_not_disturb_the_answer(run: Run) -> None:
    assert run("print").result == {"value": None}


def test_compilation_works_in_the_jail(run: Run) -> None:
    source = "def f(x):\n    total = 0\n    for i in range(x):\n        total += i\n    return total\n"
    outcome = run("compile", source=source, x=10)
    assert outcome.result == {"value": 45}


@pytest.mark.parametrize(
    ("do", "value"),
    [
        ("kernel with a cache on disk", 110),
        ("class translated from its source", True),
        ("late import of numpy", 2.0),
    ],
)
def test_what_would_read_files_is_ready_before_the_fork(run: Run, do: str, value: object) -> None:
    assert run(do).result == {"value": value}


def test_every_task_has_a_process_of_its_own(run: Run) -> None:
    pids = [run("pid").result for _ in range(3)]
    assert len({str(pid) for pid in pids}) == 3
