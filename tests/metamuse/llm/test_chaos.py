"""Hundreds of calls to a server that has a bad day: nothing lost, nothing for ever, nothing beyond the caps."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections import Counter
from typing import Any

import pytest

from metamuse.llm import (
    Budget,
    BudgetExhausted,
    CompletionStore,
    LLMBadAnswer,
    LLMClient,
    LLMConfig,
    LLMReply,
    LLMRequest,
)
from tests.support.chaos import Chaos
from tests.support.openai_server import OpenAIServer

CALLS = 500
RETRIES = 12
REASKS = 2
#: No run of these tests takes a tenth of it on an idle machine; a call that hangs takes for ever.
FOR_EVER_S = 400

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),  # litellm's, of calls cut short
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),  # litellm's, of usage in words
]


def _config(server: OpenAIServer) -> LLMConfig:
    return LLMConfig(
        provider="litellm",
        model="openai/test-model",
        api_base=server.base_url,
        concurrency=32,
        timeout_s=3.0,
        max_retries=RETRIES,
        max_reasks=REASKS,
        backoff_s=0.02,
        max_backoff_s=0.5,
        price_in=1.0,
        price_out=4.0,
    )


def _request(i: int) -> LLMRequest:
    return LLMRequest(
        "observation", [{"role": "user", "content": f"Question {i}."}], f"s{i}", seed=i, max_tokens=64
    )


def _ask_all(
    server: OpenAIServer, store: CompletionStore, budget: Budget, calls: int = CALLS
) -> dict[int, LLMReply | Exception]:
    """Asks everything at once; returns what became of each call, which is exactly one thing."""
    outcomes: dict[int, LLMReply | Exception] = {}

    async def one(client: LLMClient, i: int) -> None:
        try:
            outcome: LLMReply | Exception = await client.complete(_request(i))
        except (LLMBadAnswer, BudgetExhausted) as error:
            outcome = error
        assert i not in outcomes
        outcomes[i] = outcome

    async def everything() -> None:
        async with LLMClient(_config(server), store, budget) as client, asyncio.timeout(FOR_EVER_S):
            await asyncio.gather(*(one(client, i) for i in range(calls)))

    asyncio.run(everything())
    return outcomes


def _told(outcomes: dict[int, LLMReply | Exception]) -> Any:
    return {i: o.text if isinstance(o, LLMReply) else str(o) for i, o in outcomes.items()}


def _memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def test_every_call_of_hundreds_has_one_end(store: CompletionStore) -> None:
    budget = Budget()
    with OpenAIServer(chooser=Chaos(7, longest_s=1.0, unlucky=0.01)) as server:
        before = _memory_mb()
        outcomes = _ask_all(server, store, budget)
        asked = server.chats
        # Asked again, everything comes from the record, failures too.
        assert _told(_ask_all(server, store, Budget())) == _told(outcomes)
        assert server.chats == asked
        served, attempts = server.seen.served, server.seen.attempts
    kinds = Counter(o.kind if isinstance(o, LLMBadAnswer) else type(o).__name__ for o in outcomes.values())
    figures = (
        f"{asked} requests for {CALLS} calls: {dict(kinds)}; {dict(served)}; most {max(attempts.values())}"
    )
    print(figures)
    assert sorted(outcomes) == list(range(CALLS))
    assert kinds["LLMReply"] >= 0.97 * CALLS, figures
    assert kinds["failing"] >= 1, "a prompt that always fails ends as a failed answer, not the run"
    assert len(served) > 30 and asked > 1.2 * CALLS, figures
    assert max(attempts.values()) <= RETRIES + 1, figures
    assert len(attempts) <= CALLS * (REASKS + 1)
    # What the record says was spent is what the budget saw.
    totals = store.totals
    assert budget.spent.tokens == totals.tokens_in + totals.tokens_out
    assert budget.spent.usd == pytest.approx(totals.cost_usd)
    assert _memory_mb() - before < 1500, "an endless or very long answer is kept in bounds"


@pytest.mark.parametrize("cap", [{"tokens": 4_000}, {"usd": 0.01}])
def test_caps_hold_on_a_bad_day(store: CompletionStore, cap: dict[str, Any]) -> None:
    budget = Budget(**cap)
    with OpenAIServer(chooser=Chaos(11, longest_s=0.2)) as server:
        outcomes = _ask_all(server, store, budget, calls=200)
    ends = Counter(type(o).__name__ for o in outcomes.values())
    assert ends["BudgetExhausted"] > 0 and ends["LLMReply"] > 0 and sum(ends.values()) == 200
    # Only a server that writes more than it was allowed to can go beyond a cap, by what it wrote.
    rows = [json.loads(line) for line in store.path.read_text(encoding="utf-8").splitlines()]
    written = [row["answer"]["tokens_out"] for row in rows if row["kind"] == "completion"]
    beyond = sum(max(0, tokens - 64) for tokens in written)
    spent, limit, price = (
        (budget.spent.tokens, cap["tokens"], 1.0) if "tokens" in cap else (budget.spent.usd, cap["usd"], 4e-6)
    )
    assert 0.5 * limit < spent <= limit + beyond * price
