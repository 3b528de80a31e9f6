"""Whole runs through the command line: determinism, resume after kill -9, replay, budgets, a real HTTP model."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from metamuse.journal import read
from tests.support.openai_server import Behaviour, OpenAIServer
from tests.support.scripted import answer

ROOT = Path(__file__).parents[2]
SOLUTIONS = 6
SMALL = [
    "tracking=none",
    f"solutions={SOLUTIONS}",
    "search.lag=3",
    "stimuli.warmup=2",
    "search.finalists=2",
    "--quiet",
    "problem.baselines=lru,arc",
]


@pytest.fixture(scope="session")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Small trace files for the three sets."""
    import numpy as np

    folder = tmp_path_factory.mktemp("traces")
    for which, seed in (("feedback", 1), ("validation", 2), ("holdout", 3)):
        for i in range(4):
            rng = np.random.default_rng([seed, i])
            keys = np.minimum(rng.pareto(0.7 + 0.2 * i, 3000), 900).astype(int)
            keys[1000:1400] = 5000 + np.arange(400)
            lines = "\n".join(str(k) for k in keys)
            (folder / f"{which}-{i}.txt").write_text(lines + "\n")
    return {which: str(folder / f"{which}-*.txt") for which in ("feedback", "validation", "holdout")}


def settings(traces: dict[str, str]) -> list[str]:
    return [*SMALL, *(f"problem.workloads.{which}={path}" for which, path in traces.items())]


def start(*arguments: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "metamuse", *arguments]
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    out, err = process.communicate(timeout=240)
    assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
    assert "Traceback" not in err, err
    return out


def only_run(root: Path) -> Path:
    (run,) = root.glob("runs/cache/r*")
    return run


def leaderboard(run: Path) -> str:
    return (run / "leaderboard.csv").read_text()


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


def model_settings(server: OpenAIServer) -> list[str]:
    return [
        "llm.model=openai/test-model",
        f"llm.api_base={server.base_url}",
        "llm.backoff_s=0.05",
        "llm.max_backoff_s=0.2",
    ]


def test_a_run_with_a_real_http_model(traces: dict[str, str], tmp_path: Path) -> None:
    with OpenAIServer(
        [Behaviour("429", retry_after="0"), "500", "malformed", "empty"], answer=answer
    ) as server:
        finish(
            start(
                "problem=cache",
                *settings(traces),
                *model_settings(server),
                cwd=tmp_path,
                OPENAI_API_KEY="sk-canary-1234567890",
            )
        )
        asked = len(server.seen.bodies)
    run = only_run(tmp_path)
    summary = json.loads((run / "summary.json").read_text())
    assert summary["solutions"]["executable"] >= SOLUTIONS - 1, summary["solutions"]
    assert summary["cost"]["calls"] <= asked
    assert summary["cost"]["usd"] == "unknown"
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"sk-canary" not in file.read_bytes(), file


def test_a_token_budget_ends_the_run_early_and_can_be_raised(traces: dict[str, str], tmp_path: Path) -> None:
    with OpenAIServer(answer=answer) as server:
        finish(
            start(
                "problem=cache",
                *settings(traces),
                *model_settings(server),
                "budget.tokens=40000",
                "llm.concurrency=2",
                cwd=tmp_path,
            ),
            code=3,
        )
        run = only_run(tmp_path)
        summary: dict[str, Any] = json.loads((run / "summary.json").read_text())
        assert summary["ended"].startswith("budget")
        assert summary["cost"]["tokens_in"] + summary["cost"]["tokens_out"] <= 40000
        finish(start("resume", "run=latest", "budget.tokens=4000000", "--quiet", cwd=tmp_path))
    summary = json.loads((run / "summary.json").read_text())
    assert summary["ended"] == "done"
    assert summary["solutions"]["attempted"] == SOLUTIONS


def test_dry_run_asks_nothing_and_writes_nothing(traces: dict[str, str], tmp_path: Path) -> None:
    with OpenAIServer(answer=answer) as server:
        out = finish(
            start(
                "problem=cache",
                *settings(traces),
                *model_settings(server),
                "--dry-run",
                "--json",
                cwd=tmp_path,
            )
        )
        assert server.seen.bodies == []
    figures = json.loads(out)
    assert figures["candidates"] == SOLUTIONS
    assert figures["usd"] is None
    assert figures["tokens"][0] < figures["tokens"][1]
    assert list(tmp_path.iterdir()) == []


def test_score_json_is_the_contract(traces: dict[str, str], tmp_path: Path) -> None:
    out = finish(
        start("score", "policy=lru,belady", f"workloads={traces['holdout']}", "--json", cwd=tmp_path)
    )
    answer_ = json.loads(out)
    assert answer_["problem"] == "cache-v1"
    assert len(answer_["results"]) == 8
    row = answer_["results"][0]
    assert set(row) == {"policy", "workload", "metric", "value", "status", "message", "details"}
    assert set(row["details"]) >= {
        "requests",
        "misses",
        "capacity",
        "requests_per_s",
        "seconds_total",
        "ns_per_decision",
        "state_bytes",
    }
    assert row["value"] == row["details"]["misses"] / row["details"]["requests"]


def test_baselines_are_shown_as_written_and_tuned_with_what_they_cost(
    traces: dict[str, str], tmp_path: Path
) -> None:
    chosen = [*settings(traces), "search.tune_trials=6", "problem.baselines=lru,s3fifo", "--json"]
    results = json.loads(finish(start("baselines", "problem=cache", *chosen, cwd=tmp_path)))["results"]
    rows = {name: [r for r in results if r["policy"] == name] for name in {r["policy"] for r in results}}
    assert set(rows) == {"fifo", "lru", "s3fifo", "s3fifo-tuned", "belady", "belady_bypass"}
    for name, own in rows.items():
        assert [r["set"] for r in own] == [s for s in ("feedback", "validation", "holdout") for _ in range(4)]
        if not name.startswith("belady"):
            assert all(r["details"]["work"]["max"] >= 1 for r in own)
            assert all(r["details"]["state_bytes_per_object"] > 4 for r in own)

    def reduction(name: str) -> float:
        pairs = zip(rows[name], rows["fifo"], strict=True)
        gains = [100 * (b["value"] - a["value"]) / b["value"] for a, b in pairs if a["set"] == "validation"]
        return sum(gains) / len(gains)

    assert reduction("s3fifo-tuned") >= reduction("s3fifo") - 1e-9, "the default is the first trial"
    assert (
        set(rows["s3fifo-tuned"][0]["details"]["constants"]) and "constants" not in rows["lru"][0]["details"]
    )


def test_a_failing_policy_scores_null_and_exit_code_1(traces: dict[str, str], tmp_path: Path) -> None:
    policy = tmp_path / "bad policy.py"
    policy.write_text(
        "class Policy:\n    def __init__(self, capacity, n_slots):\n        self.n = 0\n\n"
        "    def victim(self, slot, key, size, now):\n        return slot\n"
    )
    out = finish(
        start("score", f"policy={policy}", f"workloads={traces['holdout']}", "--json", cwd=tmp_path), code=1
    )
    row = json.loads(out)["results"][0]
    assert (row["value"], row["status"]) == (None, "illegal")
    assert "incoming" in row["message"]
