"""What the hub makes of answers: honest ones pass, forged ones fail their task and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metamuse import answers, front, rejection, rundir
from metamuse.answers import ENTRY, Answers, judge_of
from metamuse.config import compose
from metamuse.evaluation import FIRST, Candidates
from metamuse.executor.base import Limits, Outcome, Task
from metamuse.executor.channel import outcome_of
from metamuse.executor.local import LocalExecutor
from metamuse.executor.retrying import RetryingExecutor
from metamuse.journal import Journal, read
from metamuse.racing import SET
from metamuse.report.html import write_report
from metamuse.scorer import recorded
from metamuse.state import RunState
from problems.base import make
from tests.metamuse.test_evaluation import POLICY

CONFIG = compose(["problem=binpacking", "problem.baselines=best_fit"])
LIMITS = Limits(10.0, 10.0, 512)
FIGURES = {"seconds": 0.1, "cpu_s": 0.1, "peak_mb": 1.0}
MARK = "0123456789ab"

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**400, "\ud800", "\x1b[2J", "x" * 30_000, "", 0, -1, float("nan"), [], {}]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["result", "failure", "scores", "workload", "value", ""]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


class Forging(RetryingExecutor):
    """An executor whose processes answer as they are told."""

    def __init__(self, judge: Answers | None) -> None:
        super().__init__(contextlib.nullcontext(), 3, judge)
        self.body = b""

    async def attempt(self, task: Task) -> Outcome:
        return outcome_of(task, FIGURES, self.body)

    def answers(self, payload: dict[str, Any], answer: Any) -> Outcome:
        self.body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return asyncio.run(self.run(Task("t", payload, LIMITS)))


@pytest.fixture(scope="module")
def honest() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Tasks of all kinds, and what their processes answer: the description first, then the plain evaluation."""
    problem = make(CONFIG["problem"])
    jobs = list(problem.probes())
    sets = {"feedback": jobs[:1], "validation": jobs, "holdout": jobs[1:]}
    candidates = Candidates(problem, sets, dict.fromkeys(sets, 0.1))
    search = {"sets": ["feedback", "validation"]}
    evaluate = {"op": "evaluate", "source": POLICY, **search}
    tune = {"set": "validation", "reference": [50.0] * len(jobs), "trials": 5, "seed": 1}
    program = candidates(evaluate)["marks"]["program"]
    behaviour = candidates(evaluate)["marks"]["behaviour"]
    race = {"reference": [1.0] * len(jobs), "ideal": [0.0] * len(jobs), "least": 99.9}
    variants = {"variants": {"t": {"SHARE": 0.4}}}
    tasks: list[dict[str, Any]] = [
        {"op": "describe"},
        evaluate,
        evaluate | {"metered": True, "tune": tune},
        evaluate | {"also": {"SHARE": 0.4}},
        evaluate | {"also": {"SHARE": 0.4}, "source": POLICY.replace("return b", "return b if SHARE < 0.3 else item")},
        evaluate | {"known": {"program": f"{MARK}{program}", "behaviour": ""}},
        evaluate | {"known": {"behaviour": f"{MARK}{behaviour}", "program": ""}},
        evaluate | {"race": race},
        evaluate | {"tolerant": True, "only": {"feedback": [0], "validation": [1]}},
        evaluate | {"tolerant": True, "source": POLICY.replace("SHARE * self", "0 * self").replace("-1", "item")},
        {"op": "bound", "bound": problem.bounds[0], **search},
        {"op": "simplify", "source": POLICY, "trials": 20, **search, **variants},
        {"op": "agreement", "source": POLICY, "simplified": POLICY, "sets": ["holdout"], **variants},
        {"op": "watch", "source": POLICY},
        {"op": "results", "source": POLICY, "set": "validation", "number": 0},
    ]  # fmt: skip
    answered = []
    for task in tasks:
        with contextlib.suppress(Exception):  # a policy that fails at all has no answer to judge
            answered.append((task, json.loads(json.dumps(candidates(task)))))
    assert len(answered) >= len(tasks) - 2
    return answered


@pytest.fixture
def executor(honest: list[Any]) -> Forging:
    """One that knows its workloads."""
    made = Forging(Answers(CONFIG))
    assert made.answers(honest[0][0], {"result": honest[0][1]}).failure is None
    return made


def folded(tmp_path: Path, honest: list[Any], outcome: Outcome) -> RunState:
    """A run with an honest reference, an honest solution, and the outcome as the second solution."""
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    journal = Journal(path)
    reference = Outcome("r", copy.deepcopy(honest[1][1]), None, 0.1, 0.1, 1.0)
    journal.append("run", config=CONFIG)
    journal.append("workloads", workloads=honest[0][1]["workloads"])
    named = {"id": "first_fit", "kind": "baseline", "name": "first_fit", "source": POLICY}
    journal.append("entry", **named, **recorded(reference))
    solution: dict[str, Any] = {"source": POLICY, "attempts": []}
    journal.append("solution", number=0, name="a", **solution, **recorded(reference))
    result, taken = recorded(outcome), {}
    if "duplicate" in result.get("result", {}):
        known, state = rejection.Known("behaviour"), RunState.fold(read(path))
        known.payload(state.ordered())
        taken = known.take_over(result["result"], state)
    journal.append("solution", number=1, name="b", **solution, **taken, **result)
    journal.close()
    return RunState.fold(read(path))


def test_honest_answers_pass(executor: Forging, honest: list[Any]) -> None:
    for task, result in honest:
        outcome = executor.answers(task, {"result": result})
        assert outcome.result == result, (task["op"], outcome.failure)
    raced = next(result for task, result in honest if "race" in task)
    assert "raced" in raced and "validation" not in raced["scores"]
    assert sum("duplicate" in result for _, result in honest) == 2


def test_what_is_copied_here_is_what_is_meant() -> None:
    assert (answers._FEEDBACK, answers._VALIDATION) == (FIRST, SET)
    assert len(MARK) == rejection.LENGTH and answers._MARK.fullmatch(MARK)
    assert judge_of("metamuse.checking.jailed:setup", {}) is None
    assert judge_of(ENTRY, {}) is not None


def forgeries() -> Iterator[Any]:
    """Paths into the answer of a plain evaluation and what a liar puts there; … stands for nothing at all."""
    row = ("scores", "validation", 0)
    for path in (("scores",), ("structure",), ("constants",), ("marks",), ("seconds",), ("state_bytes",)):
        yield path, ...
    for value in (float("nan"), float("inf"), 1e308, 10**400, True, None, "1", [], {}):
        yield (*row, "value"), value
        yield (*row, "details", "bins"), value
        yield (*row, "timing", "seconds"), value
    yield from (((*row, "details", "bins"), value) for value in (..., 0, -1.0))
    yield from (((*row, "state_bytes"), value) for value in (..., -1, 0.5, 1 << 63, float("nan")))
    yield from ((row, value) for value in (..., None, [], {}, "row"))
    yield from (((*row, "workload"), value) for value in (..., None, "another", 1))
    yield (*row, "work"), {"max": 1}
    yield (*row, "failure"), ["crash", "x"]
    yield ("scores", "holdout"), []
    yield ("duplicate",), ["program", MARK]
    yield ("duplicate",), ["behaviour", ""]
    yield ("raced",), {"scored": 0, "of": 3, "at_most": 0.0, "needed": 1.0}
    yield ("tuned",), {"failure": ["crash", "x"]}
    yield ("also",), {"event": "run"}
    yield ("event",), "run"
    yield ("marks", "program"), "x"
    yield ("marks", "another"), MARK
    yield from ((("doc",), value) for value in (None, "\ud800", "\x1b[2J", "x" * 10**6))
    yield ("structure",), "x" * 10**6
    yield ("seconds", "x" * 10**4), 1.0
    yield ("seconds", "check"), float("nan")
    yield from ((("constants", "SHARE", "value"), value) for value in (..., 2.0, "x", float("nan")))
    yield ("constants", "SHARE", "low"), 0.95
    yield ("constants", "SHARE", "line"), -1
    yield ("constants", "OTHER"), {}


@pytest.mark.parametrize(("path", "value"), list(forgeries()))
def test_a_forged_answer_is_a_crash(
    executor: Forging, honest: list[Any], path: tuple[Any, ...], value: Any
) -> None:
    task, truth = honest[1]
    result = copy.deepcopy(truth)
    place = result
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    outcome = executor.answers(task, {"result": result})
    assert outcome.result is None and outcome.failure is not None
    assert outcome.failure[0] == "crash"
    assert outcome.failure[1].startswith("the scoring process sent an answer that makes no sense: ")
    assert executor.answers(*honest[1:2][0][:1], {"result": honest[1][1]}).failure is None, (
        "for this task only"
    )


@pytest.mark.parametrize("mark", [MARK, "123456789abc", "0123456789ac", "", 7, None])
def test_nobody_is_the_duplicate_of_what_it_was_not_told_of(
    executor: Forging, honest: list[Any], mark: Any
) -> None:
    task = honest[1][0] | {"known": {"program": f"0{MARK}{MARK}x{MARK[:-2]}"}}  # there, but across two marks
    result = {key: honest[1][1][key] for key in ("structure", "doc", "constants", "seconds")}
    result |= {"marks": {"program": mark}, "duplicate": ["program", mark]}
    assert executor.answers(task, {"result": result}).result is None


def test_a_race_that_was_not_run_is_not_lost(executor: Forging, honest: list[Any]) -> None:
    task, result = next((t, r) for t, r in honest if "race" in t)
    for key, value in (("scored", 0), ("scored", result["raced"]["of"]), ("of", 99), ("needed", 1.0), ("at_most", 100.0)):  # fmt: skip
        forged = result | {"raced": result["raced"] | {key: value}}
        assert executor.answers(task, {"result": forged}).result is None, key
    plain = {key: value for key, value in task.items() if key != "race"}
    assert executor.answers(plain, {"result": result}).result is None


@pytest.mark.parametrize(
    "files",
    [{"../x.csv": ""}, {"x.csv": "&"}, {"x.csv": "YWJj"}, {"x.csv": ""}, {"x.csv": 1}, {"x.csv": "eJw="}],
)
def test_files_that_cannot_be_read_are_not_written(executor: Forging, files: dict[str, Any]) -> None:
    task = {"op": "results", "source": POLICY, "set": "validation", "number": 0}
    assert executor.answers(task, {"result": {"files": {}, "lines": ["x"]}}).failure is None
    assert executor.answers(task, {"result": {"files": files, "lines": []}}).result is None
    assert executor.answers(task, {"result": {"files": {}, "lines": ["\x1b[2J"]}}).result is None


def test_a_failure_of_a_part_is_tidied(executor: Forging, honest: list[Any]) -> None:
    task, result = next((t, r) for t, r in honest if "also" in t)
    forged = result | {"also": {"failure": ["crash", "\ud800\x1b" + "x" * 10_000]}}
    outcome = executor.answers(task, {"result": forged})
    assert outcome.result is not None
    kind, message = outcome.result["also"]["failure"]
    assert kind == "crash" and message.startswith("\ufffd\ufffdx") and len(message) == 4000
    assert executor.answers(task, {"result": result | {"also": {"failure": ["victory", "x"]}}}).result is None


FUZZ = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZ
@given(answer=json_values, which=st.integers(0, 99), wrapped=st.booleans())
def test_any_answer_is_a_crash_or_makes_sense(
    executor: Forging, honest: list[Any], answer: Any, which: int, wrapped: bool
) -> None:
    task, _ = honest[1 + which % (len(honest) - 1)]
    outcome = executor.answers(task, {"result": answer} if wrapped else answer)
    assert (outcome.result is None) != (outcome.failure is None)


@FUZZ
@given(data=st.data())
def test_an_answer_with_something_else_in_it_harms_no_run(
    executor: Forging, honest: list[Any], tmp_path: Path, data: st.DataObject
) -> None:
    task, result = copy.deepcopy(honest[1 + data.draw(st.integers(0, len(honest) - 2))])
    place: Any = result
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.integers(0, 2)) == 0:
            break
        place = place[key]
    if data.draw(st.integers(0, 4)):
        place[key] = data.draw(json_values)
    else:
        del place[key]
    outcome = executor.answers(task, {"result": result})
    assert (outcome.result is None) != (outcome.failure is None)
    if task["op"] != "evaluate" or set(task) & {"also", "tune", "tolerant", "known"}:
        return
    state = folded(tmp_path, honest, outcome)
    problem = make(CONFIG["problem"])
    rundir.leaderboard(problem, state)
    json.dumps(rundir.summary(problem, state, "r"), allow_nan=False)
    json.dumps([rundir.scores_of(entry) for entry in state.ordered()], allow_nan=False)
    front.costs(problem, state, state.contenders(), "validation")


def test_a_run_with_a_forged_solution_goes_on(executor: Forging, honest: list[Any], tmp_path: Path) -> None:
    forged = executor.answers(honest[1][0], {"result": {}})
    state = folded(tmp_path, honest, forged)
    assert [entry.status for entry in state.ordered()] == ["ok", "crash"]
    write_report(make(CONFIG["problem"]), state, tmp_path)
    duplicate = next((t, r) for t, r in honest if "duplicate" in r)
    state = folded(tmp_path, honest, executor.answers(duplicate[0], {"result": duplicate[1]}))
    assert state.ordered()[1].duplicate_of == "s0000"


def test_both_executors_judge_the_answers_of_a_run() -> None:
    assert LocalExecutor(ENTRY, CONFIG, 1)._answers is not None
    assert LocalExecutor(ENTRY, CONFIG, 1, judged=False)._answers is None
    assert LocalExecutor("tests.metamuse.executor.handlers:plain", {}, 1)._answers is None
