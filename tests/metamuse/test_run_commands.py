"""Commands as a whole: a real HTTP model, budgets, dry runs, scores and baselines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.openai_server import Behaviour, OpenAIServer
from tests.support.scripted import answer
from tests.support.small_run import SOLUTIONS, finish, model_settings, only_run, settings, start, traces

__all__ = ["traces"]  # a fixture


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
