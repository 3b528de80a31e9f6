"""What a dry run says holds for the calls that a run makes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metamuse import config
from metamuse.estimate import dry_run, estimate, sentences
from metamuse.llm import CompletionStore, LLMClient, LLMConfigError
from metamuse.run import Run
from metamuse.state import RunState
from metamuse.waypoints import Waypoints
from tests.support.openai_server import OpenAIServer
from tests.support.scripted import answer

SOLUTIONS = 6


def _run(server: OpenAIServer, root: Path, *overrides: str) -> Run:
    model = ["llm=litellm", "llm.model=openai/test-model", f"llm.api_base={server.base_url}", f"root={root}"]
    return Run(
        config.compose(["problem=cache", f"solutions={SOLUTIONS}", "search.lag=2", *model, *overrides])
    )


def _result(seed: int) -> dict[str, Any]:
    values = np.random.default_rng(seed).random(3)
    rows = [{"workload": str(w), "value": float(v), "details": {}} for w, v in enumerate(values)]
    return {"result": {"scores": {"feedback": rows, "validation": rows}, "structure": str(seed)}}


async def _propose_all(run: Run, store: CompletionStore) -> None:
    """Everything of a search that asks, without scoring."""
    state = RunState()
    state.apply(
        {"event": "workloads", "at": 0.0, "workloads": {"feedback": [{"name": str(w)} for w in range(3)]}}
    )
    reference = {"id": run.problem.reference, "kind": "baseline", "name": "reference"}
    state.apply({"event": "entry", "at": 0.0, **reference, **_result(99)})
    async with LLMClient(run.llm, store) as client:
        waypoints = Waypoints(run.problem, client, run.settings.seed, lambda request, reply: None)
        proposer = run.proposer(state)(waypoints)
        for i in range(SOLUTIONS):
            seen = [state.solutions[j] for j in range(i - run.settings.lag + 1)]
            proposal = await proposer.propose(i, seen)
            event = {"number": i, "name": "", "source": proposal.source, "design": proposal.design}
            state.apply({"event": "solution", "at": 0.0, **event, **proposal.record, **_result(i)})


@pytest.mark.parametrize("method", ["metamuse", "one_shot"])
def test_calls_and_tokens_of_a_search_lie_in_the_range(method: str, tmp_path: Path) -> None:
    with OpenAIServer(answer=answer) as server, CompletionStore(tmp_path / "completions.jsonl") as store:
        run = _run(server, tmp_path, f"search.method={method}")
        figures = estimate(run)
        assert server.chats == 0
        asyncio.run(_propose_all(run, store))
        bodies = server.seen.bodies
    # About 4 bytes a token, as models count English and code.
    tokens_in = sum(len(m["content"].encode()) for body in bodies for m in body["messages"]) / 4
    rows = {k: v for k, v in figures["by_waypoint"].items() if k != "repair"}
    low, high = (sum(row["tokens_in"][side] for row in rows.values()) for side in (0, 1))
    assert low <= tokens_in <= high, (low, tokens_in, high)
    # Words that draw the same observation and answers asked for again make small differences.
    assert 0.9 * sum(row["calls"][0] for row in rows.values()) <= len(bodies)
    assert len(bodies) <= 1.1 * sum(row["calls"][1] for row in rows.values())


def test_it_reads_well(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        told = sentences(dry_run(_run(server, tmp_path, "budget.tokens=1000")))
        assert f"{SOLUTIONS} candidates for cache by openai/test-model" in told
        assert "unknown; set llm.price_in and llm.price_out" in told
        assert "budget.tokens=1,000 ends the run early" in told
        prices = ["llm.price_in=1", "llm.price_out=2", "budget.usd=1000"]
        told = sentences(dry_run(_run(server, tmp_path, *prices)))
        assert "$1 in, $2 out per million tokens (llm.price_in, llm.price_out)" in told
        assert "budget.usd=1,000 is enough." in told
        assert server.chats == 0


@pytest.mark.parametrize(
    ("model", "obstacle"),
    [
        (["llm.model=openai/gpt-4o"], "openai/gpt-4o needs a key: export OPENAI_API_KEY"),
        (
            ["llm.model=openai/mine", "llm.api_base=http://127.0.0.1:9/v1"],
            "Nothing answers at http://127.0.0.1:9/v1",
        ),
    ],
)
def test_neither_key_nor_endpoint_is_needed(
    model: list[str], obstacle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    given = ["problem=cache", "llm=litellm", "solutions=2", f"root={tmp_path}", *model]
    figures = dry_run(Run(config.compose([*given, "dry_run=true"]), quiet=True))
    assert figures["obstacle"].startswith(obstacle)
    assert sentences(figures).splitlines()[-1].startswith(f"It would not start yet: {obstacle}")
    assert figures["calls"][0] > 0
    with pytest.raises(LLMConfigError, match=obstacle):
        Run(config.compose(given), quiet=True)


def test_a_name_that_no_provider_has_is_a_mistake_in_a_dry_run_too(tmp_path: Path) -> None:
    with pytest.raises(LLMConfigError, match="names no provider"):
        Run(
            config.compose(
                ["problem=cache", "llm=litellm", "llm.model=nobody/x", f"root={tmp_path}", "dry_run=true"]
            ),
            quiet=True,
        )
