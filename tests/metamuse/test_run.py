"""Whole runs through the command line: determinism, resume after kill -9, replay."""

from __future__ import annotations

import csv
import json
import os
import signal
import time
from pathlib import Path

import pytest

from metamuse.journal import read
from tests.support.small_run import SOLUTIONS, finish, leaderboard, only_run, settings, start, traces

__all__ = ["traces"]  # a fixture


@pytest.fixture(scope="session")
def reference_run(tmp_path_factory: pytest.TempPathFactory, traces: dict[str, str]) -> Path:
    """An uninterrupted offline run with one worker."""
    folder = tmp_path_factory.mktemp("reference")
    finish(start("problem=cache", *settings(traces), "executor.workers=1", cwd=folder))
    return only_run(folder)


def test_racing_keeps_the_winner_and_the_finalists(
    reference_run: Path, traces: dict[str, str], tmp_path: Path
) -> None:
    finish(
        start("problem=cache", *settings(traces), "search.race=true", "search.duplicates=none", cwd=tmp_path)
    )
    boards = [
        list(csv.DictReader((run / "leaderboard.csv").open())) for run in (reference_run, only_run(tmp_path))
    ]
    plain, raced = ([row for row in board if row["holdout"]] for board in boards)
    assert raced == plain
    assert [row["id"] for row in raced if row["kind"] == "solution"], (
        "finalists were scored on the hold-out set"
    )


def test_a_run_leaves_what_it_promises(reference_run: Path) -> None:
    summary = json.loads((reference_run / "summary.json").read_text())
    assert set(summary) >= {"problem", "run", "solutions", "best", "baselines", "diversity", "cost", "timing"}
    assert summary["problem"] == "cache-v1"
    assert 0 < summary["timing"]["worker_peak_mb"] < 2048
    solutions = summary["solutions"]
    assert solutions["requested"] == SOLUTIONS == solutions["executable"] + sum(solutions["failed"].values())
    assert set(summary["best"]) >= {
        "id",
        "name",
        "validation",
        "holdout",
        "validation_gain",
        "holdout_gain",
        "ci95",
    }
    rows = list(csv.DictReader((reference_run / "leaderboard.csv").open()))
    assert list(rows[0]) == [
        "id",
        "kind",
        "name",
        "status",
        "validation",
        "holdout",
        "validation_gain",
        "holdout_gain",
        "distinct",
        "state_bytes",
    ]
    assert {r["id"] for r in rows if r["kind"] == "baseline"} == {"fifo", "lru", "arc"}
    bound = next(r for r in rows if r["id"] == "belady_bypass")
    assert all(float(bound["validation"]) <= float(r["validation"]) for r in rows if r["validation"])
    fifo = next(r for r in rows if r["id"] == "fifo")
    assert float(fifo["validation_gain"]) == 0.0
    best = reference_run / "solutions" / summary["best"]["id"]
    always = {"policy.py", "design.json", "waypoints.json", "scores.json"}
    assert always <= {p.name for p in best.iterdir()} <= always | {"simplified.py"}
    waypoints = json.loads((best / "waypoints.json").read_text())
    assert len(waypoints["stimuli"]) == 4
    assert len(waypoints["observations"]) == 4
    assert (reference_run / "report.html").stat().st_size > 1000
    assert (reference_run / "config.yaml").is_file()


def test_the_number_of_workers_changes_nothing(
    reference_run: Path, traces: dict[str, str], tmp_path: Path
) -> None:
    finish(start("problem=cache", *settings(traces), "executor.workers=3", "llm.concurrency=1", cwd=tmp_path))
    assert leaderboard(only_run(tmp_path)) == leaderboard(reference_run)


def test_another_seed_is_another_run(reference_run: Path, traces: dict[str, str], tmp_path: Path) -> None:
    finish(start("problem=cache", *settings(traces), "seed=1", "solutions=2", cwd=tmp_path))
    assert leaderboard(only_run(tmp_path)) != leaderboard(reference_run)


def test_kill_9_and_resume_loses_nothing(reference_run: Path, traces: dict[str, str], tmp_path: Path) -> None:
    # Once with everything real; test_endurance.py does it often.
    process = start("problem=cache", *settings(traces), cwd=tmp_path)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = list(tmp_path.glob("runs/cache/r*/journal.jsonl"))
        if found and found[0].read_bytes().count(b"\n") >= 25:
            break
        time.sleep(0.02)
    assert process.poll() is None, "the run ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    run = only_run(tmp_path)
    before = [e["key"] for e in read(run / "journal.jsonl") if e["event"] == "call"]
    finish(start("resume", "run=latest", "--quiet", cwd=tmp_path))
    assert leaderboard(run) == leaderboard(reference_run)
    events = list(read(run / "journal.jsonl"))
    calls = [e["key"] for e in events if e["event"] == "call"]
    assert len(calls) == len(set(calls)), "an answer was asked for twice"
    assert calls[: len(before)] == before
    numbers = [e["number"] for e in events if e["event"] == "solution"]
    assert sorted(numbers) == list(range(SOLUTIONS))


def test_interrupt_leaves_a_resumable_run(
    reference_run: Path, traces: dict[str, str], tmp_path: Path
) -> None:
    process = start("problem=cache", *settings(traces), cwd=tmp_path)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = list(tmp_path.glob("runs/cache/r*/journal.jsonl"))
        if found and found[0].read_bytes().count(b'"solution"') >= 1:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    finish(process, code=130)
    run = only_run(tmp_path)
    assert (run / "summary.json").is_file()
    finish(start("resume", f"run={run}", "--quiet", cwd=tmp_path))
    assert leaderboard(run) == leaderboard(reference_run)


def test_resume_refuses_other_settings(reference_run: Path, tmp_path: Path) -> None:
    process = start("resume", f"run={reference_run}", "seed=9", cwd=tmp_path)
    assert "cannot change" in process.communicate(timeout=60)[1]
    assert process.returncode == 2


def test_replay_repeats_a_run_without_its_model(
    reference_run: Path, traces: dict[str, str], tmp_path: Path
) -> None:
    finish(start("problem=cache", *settings(traces), "llm=replay", f"run={reference_run}", cwd=tmp_path))
    assert leaderboard(only_run(tmp_path)) == leaderboard(reference_run)


def test_replay_of_something_else_is_one_sentence(
    reference_run: Path, traces: dict[str, str], tmp_path: Path
) -> None:
    process = start(
        "problem=cache", *settings(traces), "llm=replay", f"run={reference_run}", "seed=5", cwd=tmp_path
    )
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert "no answer for call" in err
    assert "Traceback" not in err
