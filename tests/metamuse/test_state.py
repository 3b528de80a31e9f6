"""What a run of any length keeps in memory, and that nobody notices."""

from __future__ import annotations

import gc
import json
import shutil
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metamuse import derived, rundir
from metamuse.journal import Journal, read
from metamuse.place import Event, Place
from metamuse.report.html import page
from metamuse.state import Entry, RunState, Scores
from metamuse.tracking import content
from tests.support.fake_run import FakeProblem, events

#: More than stay in memory.
MANY = 80


@pytest.fixture(scope="module")
def problem() -> FakeProblem:
    return FakeProblem()


@pytest.fixture(scope="module")
def in_memory(problem: FakeProblem) -> RunState:
    return RunState.fold(events(problem, solutions=MANY, studied=True))


def recorded(folder: Path, given: Iterable[dict[str, Any]]) -> Path:
    """A journal of these events."""
    journal = Journal(folder / "journal.jsonl")
    for event in given:
        journal.append(event["event"], **{k: v for k, v in event.items() if k not in ("event", "at")})
    journal.close()
    return journal.path


@pytest.fixture(scope="module")
def journal(problem: FakeProblem, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("run"), events(problem, solutions=MANY, studied=True))


@pytest.fixture
def shelved(journal: Path) -> RunState:
    return RunState.fold(read(journal))


def everything(entry: Entry) -> dict[str, Any]:
    return rundir.scores_of(entry) | {
        "data": entry.data,
        "source": entry.source,
        "structure": entry.structure,
    }


def test_only_the_latest_and_the_studied_stay_in_memory(shelved: RunState) -> None:
    kept = [s for s in shelved.ordered() if s.place is None]
    studied = {id for id in shelved.tuned if id.startswith("s")}
    assert studied <= {s.id for s in kept}
    assert len(kept) <= 64 + len(studied)
    put_away = shelved.solutions[1]
    assert put_away.place is not None and not put_away.scores["validation"].rows


def test_what_is_on_the_shelf_is_read_as_it_was(in_memory: RunState, shelved: RunState) -> None:
    pairs = zip(in_memory.ordered(), shelved.ordered(), strict=True)
    assert all(everything(one) == everything(other) for one, other in pairs)
    for one, other in zip(in_memory.ordered(), shelved.ordered(), strict=True):
        for which, scores in one.scores.items():
            assert scores.timing == other.scores[which].timing
            assert scores.state_bytes == other.scores[which].state_bytes


def test_results_are_the_same(
    problem: FakeProblem, in_memory: RunState, shelved: RunState, tmp_path: Path
) -> None:
    shelved.began, shelved.seconds = in_memory.began, in_memory.seconds  # the journal has a clock of its own
    for state, name in ((in_memory, "one"), (shelved, "other")):
        folder = tmp_path / name / "run"
        folder.mkdir(parents=True)
        rundir.write_results(problem, state, folder)
    for name in ("leaderboard.csv", "timings.csv", "summary.json"):
        assert (tmp_path / "one/run" / name).read_text() == (tmp_path / "other/run" / name).read_text()
    assert page(problem, shelved, Path("run")) == page(problem, in_memory, Path("run"))
    assert list(content.solutions(problem, shelved)) == list(content.solutions(problem, in_memory))


def test_a_journal_that_is_gone_is_an_error_where_it_is_needed(journal: Path, tmp_path: Path) -> None:
    copy = tmp_path / "journal.jsonl"
    shutil.copy(journal, copy)
    state = RunState.fold(read(copy))
    copy.unlink()
    assert state.solutions[2].structure
    with pytest.raises(OSError, match="journal"):
        _ = state.solutions[2].source


def test_ids_lead_to_entries(shelved: RunState) -> None:
    assert shelved.entry("s0003") is shelved.solutions[3]
    assert shelved.entry("plain") is shelved.entries["plain"]
    tuned = next(iter(shelved.tuned.values()))
    assert shelved.entry(tuned.id) is tuned
    for absent in ("s9999", "sieve", "s", "nobody-tuned", ""):
        with pytest.raises(KeyError):
            shelved.entry(absent)


def test_a_resumed_run_writes_only_the_files_that_may_be_missing(shelved: RunState, tmp_path: Path) -> None:
    (tmp_path / "solutions").mkdir()
    derived.write_solutions(shelved, tmp_path)
    assert len(list((tmp_path / "solutions").glob("s*/scores.json"))) >= MANY
    old, latest = tmp_path / "solutions/s0001/policy.py", tmp_path / f"solutions/s{MANY - 1:04d}/policy.py"
    for file in (old, latest):
        file.write_text("changed")
    missing = tmp_path / "solutions/s0002"
    for file in missing.iterdir():
        file.unlink()
    derived.write_solutions(shelved, tmp_path)
    assert old.read_text() == "changed"
    assert latest.read_text() != "changed"
    assert (missing / "scores.json").is_file()


def test_a_solution_takes_little_memory(problem: FakeProblem) -> None:
    """Bytes that stay allocated for each of the second so many solutions, whatever the first ones needed."""
    many, workloads = 300, 30
    place = Path("journal.jsonl")
    given = events(problem, solutions=2 * many, failing=0.0, workloads=workloads)
    # As they come from a journal: of objects that nothing else holds.
    lines = [json.dumps(event) for event in given if event["event"] == "solution"]
    state = RunState()

    def take(some: list[str]) -> int:
        for line in some:
            state.apply(Event(json.loads(line), Place(place, 10_000 * len(state.solutions), len(line))))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = take(lines[:many])
        second = take(lines[many:])
    finally:
        tracemalloc.stop()
    assert len(state.solutions) == 2 * many
    scores = 2 * workloads * 8
    assert (second - first) / many < 2_000 + scores


def test_whoever_goes_on_may_ask_for_another_number(problem: FakeProblem) -> None:
    state = RunState.fold(events(problem, solutions=4, requested=9))
    assert state.requested == 9
    state.apply({"event": "session", "at": 1.0, "layers": []})  # of an older version
    assert state.requested == 9
    state.apply({"event": "session", "at": 1.0, "layers": [], "solutions": 12})
    assert state.requested == 12 and state.config["solutions"] == 9
    assert rundir.summary(problem, state, "r1")["solutions"]["requested"] == 12


def test_what_a_decision_costs_is_told_of_the_holdout_if_it_was_opened() -> None:
    def timed(which: str, *nanoseconds: float) -> Scores:
        rows = [{"timing": {"ns_per_decision": ns}} for ns in nanoseconds]
        return Scores(tuple("abc"[: len(rows)]), np.zeros(len(rows)), which, rows)

    searched = {which: timed(which, 80.0, 90.0, 100.0) for which in ("feedback", "validation")}
    entry = Entry("s0001", "solution", "", "ok", scores=searched)
    assert entry.decision_ns == 90.0
    entry.scores["holdout"] = timed("holdout", 40.0, 60.0)
    assert entry.decision_ns == 50.0
    assert Entry("s0002", "solution", "", "crash").decision_ns is None
