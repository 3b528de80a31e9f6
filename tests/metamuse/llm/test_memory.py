"""Answers of earlier runs: found again, shared between runs, and never a reason to fail."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from metamuse.llm import CompletionStore, LLMClient, LLMConfig, LLMRequest, Memory
from metamuse.llm.memory import key_of
from metamuse.llm.types import Call, RawAnswer

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
MESSAGES = [{"role": "system", "content": "Problem (x-v1)"}, {"role": "user", "content": "Word: river"}]


class Counting:
    """A transport that gives one answer and counts how often it is asked."""

    def __init__(self, text: str = '{"a": "b"}') -> None:
        self.text = text
        self.sent = 0

    async def start(self) -> None:
        return

    async def send(self, call: Call, seed: int) -> RawAnswer:
        self.sent += 1
        return RawAnswer(self.text, "stop", 10, 5)

    async def aclose(self) -> None:
        return


def ask(folder: Path, run: str, transport: Counting, *, shared: bool = True, model: str = "openai/m") -> str:
    config = LLMConfig.from_mapping({"provider": "litellm", "model": model})
    request = LLMRequest("observation", MESSAGES, "observation/river", 3, SCHEMA, shared=shared)

    async def complete() -> str:
        with CompletionStore(folder / f"{run}.jsonl") as store:
            client = LLMClient(
                config, store, transport=transport, memory=Memory(folder / "observations.jsonl")
            )
            reply = await client.complete(request)
            assert reply.cached == (transport.sent == 0)
            return reply.text

    return asyncio.run(complete())


def test_another_run_does_not_ask_again(tmp_path: Path) -> None:
    first, second = Counting(), Counting("other")
    assert ask(tmp_path, "one", first) == '{"a": "b"}'
    assert ask(tmp_path, "two", second) == '{"a": "b"}'
    assert (first.sent, second.sent) == (1, 0)
    (tmp_path / "observations.jsonl").unlink()
    assert ask(tmp_path, "two", Counting("other")) == '{"a": "b"}', "a run keeps what it took"


def test_another_model_or_a_request_of_its_own_asks(tmp_path: Path) -> None:
    ask(tmp_path, "one", Counting())
    other, own = Counting(), Counting()
    ask(tmp_path, "two", other, model="openai/other")
    ask(tmp_path, "three", own, shared=False)
    assert (other.sent, own.sent) == (1, 1)


def test_an_answer_that_cannot_be_used_is_not_remembered(tmp_path: Path) -> None:
    ask(tmp_path, "one", Counting("I would rather not."))
    assert not (tmp_path / "observations.jsonl").exists()


def test_damage_costs_only_its_line(tmp_path: Path) -> None:
    path = tmp_path / "observations.jsonl"
    key = key_of("m", MESSAGES)
    path.write_bytes(
        b'{"key": 1}\nnonsense\n\xff\n' + json.dumps({"key": key, "answer": "x"}).encode() + b'\n{"key": "to'
    )
    memory = Memory(path)
    assert memory.get(key) == "x"
    memory.put("new", "y")
    assert (Memory(path).get(key), Memory(path).get("new")) == ("x", "y")


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "missing" / "observations.jsonl")
    memory.put("k", "v")
    assert memory.get("k") == "v"
