"""The composer's way through litellm."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from metamuse.llm import (
    CompletionStore,
    ComposerCall,
    LLMClient,
    LLMConfig,
    LLMReply,
    LLMRequest,
    register_composer,
)
from metamuse.llm.types import Message


async def _complete(store: CompletionStore, n: int) -> list[LLMReply]:
    async with LLMClient(LLMConfig(), store) as client:
        schema = {"type": "object"}
        return await asyncio.gather(
            *(
                client.complete(
                    LLMRequest(
                        "code",
                        [{"role": "user", "content": f"prompt {i}"}],
                        f"s{i}",
                        seed=i,
                        json_schema=schema,
                    )
                )
                for i in range(n)
            )
        )


def test_the_handler_hears_everything_and_costs_nothing(store: CompletionStore) -> None:
    calls: list[ComposerCall] = []
    busy = threading.Lock()

    def handler(messages: Sequence[Message], call: ComposerCall) -> str:
        assert threading.current_thread() is not threading.main_thread()
        assert busy.acquire(blocking=False), "called twice at the same time"
        calls.append(call)
        busy.release()
        return f"{messages[0]['content']} with seed {call.seed}"

    register_composer(handler)
    replies = asyncio.run(_complete(store, 8))
    assert [reply.text for reply in replies] == [f"prompt {i} with seed {i}" for i in range(8)]
    assert all(reply.cost_usd == 0.0 and reply.model == "composer/offline" for reply in replies)
    assert all(reply.tokens_in > 0 and reply.tokens_out > 0 for reply in replies)
    by_key = {call.key: call for call in calls}
    assert by_key["s3"] == ComposerCall(
        "code", "s3", 3, LLMConfig().temperature_for("code"), {"type": "object"}
    )


def test_a_bug_of_the_composer_is_not_taken_for_a_network_failure(store: CompletionStore) -> None:
    asked = []

    def handler(messages: Sequence[Message], call: ComposerCall) -> str:
        asked.append(call)
        raise KeyError("no such mechanism")

    register_composer(handler)
    with pytest.raises(KeyError, match="no such mechanism"):
        asyncio.run(_complete(store, 1))
    assert len(asked) == 1


def test_an_interrupted_composition_is_not_booked(store: CompletionStore) -> None:
    begun = threading.Event()
    end = threading.Event()

    def handler(messages: Sequence[Message], call: ComposerCall) -> str:
        begun.set()
        end.wait(10)
        return "late"

    async def run() -> None:
        task = asyncio.create_task(_complete(store, 1))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        end.set()

    register_composer(handler)
    asyncio.run(run())
    assert store.totals.lost == 0 and store.totals.completions == 0
