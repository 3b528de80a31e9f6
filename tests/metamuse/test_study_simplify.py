"""Finalists are simplified: which form first, what is recorded, what a resumed run asks for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from metamuse import rundir
from metamuse.derived import solution_files
from metamuse.journal import Journal, read
from metamuse.recorder import Recorder
from metamuse.report.simplified import sentences
from metamuse.scorer import Scorer
from metamuse.state import RunState
from metamuse.study import Study
from tests.metamuse.test_study import LIMITS, SHIFTED, Script
from tests.support.fake_run import POLICY, FakeProblem, events

SHORT = "class Policy:\n    pass\n"


def made(text: str = SHORT) -> dict[str, Any]:
    lengths = [{"lines": n, "statements": n, "constants": c} for n, c in ((30, 2), (12, 1))]
    proof = {"workloads": 24, "decisions": 12_345, "digest": "ab", "trials": 9}
    return {"source": text, "before": lengths[0], "after": lengths[1], **proof}


class Simplifying(Script):
    """Simplifies everything to SHORT; which forms, and where it differs on the hold-out set, can be told."""

    differs: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def answer(self, payload: dict[str, Any]) -> dict[str, Any]:
        names = ["", *payload.get("variants", {})]
        if payload["op"] == "simplify":
            return {"simplified": {n: made() for n in names if n not in self.skipped}}
        if payload["op"] == "agreement":
            found = {"workloads": 12, "decisions": 999, "differs": list(self.differs)}
            return {"agreement": dict.fromkeys(names, found)}
        return super().answer(payload)


def study(folder: Path, searching: Script, holdout: Script, trials: int = 40) -> RunState:
    journal = folder / "journal.jsonl"
    problem = FakeProblem()
    if not journal.exists():
        with_events = Journal(journal)
        for event in events(problem, solutions=6, failing=0.0, studied=True, ended=""):
            with_events.append(event.pop("event"), **{k: v for k, v in event.items() if k != "at"})
        with_events.close()
    state = RunState.fold(read(journal))
    recorder = Recorder(Journal(journal), state, [solution_files(folder)])
    scorers = (Scorer(s, LIMITS) for s in (searching, holdout))
    made = Study(
        problem,
        recorder,
        *scorers,
        trials=50,
        simplify_trials=trials,
        finalists=3,
        seed=1,
        limits=LIMITS,
        workers=2,
    )
    try:
        asyncio.run(made.finalists())
    finally:
        recorder.journal.close()
    return state


def executors(failing: dict[str, tuple[str, str]] | None = None) -> tuple[Simplifying, Simplifying]:
    return Simplifying(["feedback", "validation"], failing), Simplifying(["holdout", SHIFTED], failing)


def asked(script: Script, op: str) -> list[dict[str, Any]]:
    return [payload for _, payload in script.asked if payload.get("op") == op]


def test_each_finalist_once_with_its_other_form_as_a_variant(tmp_path: Path) -> None:
    searching, holdout = executors()
    state = study(tmp_path, searching, holdout)
    tasks = asked(searching, "simplify")
    assert len(tasks) == len(asked(holdout, "agreement")) == len(state.tuned) - 2 == 3
    for task in tasks:
        assert task["sets"] == ["feedback", "validation"] and task["trials"] == 40
        assert len(task["variants"]) == 1
    assert all(task["sets"] == ["holdout"] for task in asked(holdout, "agreement"))
    shortened = [e for e in state.contenders() if "simplified" in e.data]
    assert len(shortened) == 6
    for entry in shortened:
        assert (tmp_path / "solutions" / entry.id / "simplified.py").read_text() == SHORT
        assert (tmp_path / "solutions" / entry.id / "policy.py").read_text() == POLICY.rstrip() + "\n"
        assert rundir.scores_of(entry)["simplified"]["after"]["lines"] == 12
        assert sentences(entry) == [
            "Simplified: 30 → 12 lines, 2 → 1 constants; the same decisions on 24 feedback and validation "
            "workloads (12,345 decisions).",
            "On the 12 hold-out workloads, too, it decides the same (999 decisions).",
        ]
    best = rundir.summary(FakeProblem(), state, "r")["best"]
    assert best["simplified"]["decisions"] == 12_345 and "source" not in best["simplified"]


def test_a_resumed_run_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    before = study(tmp_path, *executors())
    lines = (tmp_path / "journal.jsonl").read_text().splitlines(keepends=True)
    known = {e.id: e.data["simplified"] for e in before.contenders() if "simplified" in e.data}
    for lost in range(7):
        (tmp_path / "journal.jsonl").write_text("".join(lines[: len(lines) - lost]))
        searching, holdout = executors()
        state = study(tmp_path, searching, holdout)
        assert {e.id: e.data["simplified"] for e in state.contenders() if "simplified" in e.data} == known
        assert len(asked(searching, "simplify")) == (lost + 1) // 2
        assert searching.asked == [] or lost


def test_a_variant_that_would_decide_otherwise_has_no_short_form(tmp_path: Path) -> None:
    searching, holdout = executors()
    searching.skipped = tuple(f"s{i:04d}" for i in range(6))
    state = study(tmp_path, searching, holdout)
    for id, tuned in state.tuned.items():
        if tuned.discovered and "simplified" in tuned.data:
            assert "simplified" not in state.entry(id).data


@pytest.mark.parametrize("trials", [0, 40])
def test_failures_keep_the_original(tmp_path: Path, trials: int) -> None:
    failing = {f"s{i:04d}.simplify": ("timeout", "it took too long") for i in range(6)}
    searching, holdout = executors(failing)
    state = study(tmp_path, searching, holdout, trials)
    assert asked(holdout, "agreement") == []
    failed = [e for e in state.contenders() if "simplified" in e.data]
    assert len(failed) == (3 if trials else 0)
    for entry in failed:
        assert entry.data["simplified"] == {"failure": ["timeout", "it took too long"]}
        assert entry.ok and sentences(entry) == [] and rundir.simplified_of(entry) is None
        assert not (tmp_path / "solutions" / entry.id / "simplified.py").exists()


def test_what_is_lost_for_no_fault_of_its_own_is_not_recorded(tmp_path: Path) -> None:
    lost = {
        f"s{i:04d}.{what}": ("infrastructure", "gone")
        for i in range(1, 6)
        for what in ("simplify", "agreement")
    }
    searching, holdout = executors(dict(list(lost.items())[:2]))
    study(tmp_path, searching, holdout)
    state = study(tmp_path, *executors())
    assert len([e for e in state.contenders() if "simplified" in e.data]) == 6


def test_a_difference_on_the_holdout_set_is_said(tmp_path: Path) -> None:
    searching, holdout = executors()
    holdout.differs = ("holdout-3", "holdout-5")
    state = study(tmp_path, searching, holdout)
    entry = next(e for e in state.contenders() if "simplified" in e.data)
    assert sentences(entry)[1] == (
        "On 2 of 12 hold-out workloads it decides otherwise (holdout-3, holdout-5): what was left out matters there, "
        "so use the original."
    )


def test_what_could_not_be_shortened_is_not_shown(tmp_path: Path) -> None:
    searching, holdout = executors()
    searching.answer = lambda payload: (  # type: ignore[method-assign]
        {"simplified": {"": made(POLICY)}}
        if payload["op"] == "simplify"
        else Script.answer(searching, payload)
    )
    state = study(tmp_path, searching, holdout)
    assert asked(holdout, "agreement") == []
    entries = [e for e in state.contenders() if "simplified" in e.data]
    assert len(entries) == 3
    assert all(rundir.simplified_of(entry) is None and sentences(entry) == [] for entry in entries)
