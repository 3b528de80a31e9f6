"""From stimuli to code in small steps (paper §3.2): observation, formulation, code, repair.

Each waypoint is one prompt template under ``metamuse/prompts``, one question to the model, one checked answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from metamuse.llm import AnswerError, LLMReply, LLMRequest, extract_code, parse_answer
from problems.base import Problem

_PROMPTS = Path(__file__).parent / "prompts"

#: How often an answer that cannot be used is sent back with what is wrong with it.
REASKS = 2


class Model(Protocol):
    """Whoever answers (:class:`metamuse.llm.LLMClient`)."""

    async def complete(self, request: LLMRequest) -> LLMReply:
        """Answer one request."""


@dataclass(frozen=True)
class Observation:
    """What one word suggests for the problem.

    Attributes:
        word: The stimulus.
        properties: Properties of the thing.
        property: The one that was carried over.
        text: The mechanism it suggests.
    """

    word: str
    properties: tuple[str, ...]
    property: str
    text: str


class Waypoints:
    """Asks the model along the waypoints of one problem.

    Args:
        problem: What the algorithm is for.
        model: Whoever answers.
        seed: Seed of the run; every request gets its own, derived from it and from its key.
        on_call: Told of every answer: the request and the reply.
    """

    def __init__(
        self, problem: Problem, model: Model, seed: int, on_call: Callable[[LLMRequest, LLMReply], None]
    ) -> None:
        self.problem = problem
        self.model = model
        self.seed = seed
        self.on_call = on_call
        self._observations: dict[str, asyncio.Task[Observation]] = {}

    async def observe(self, word: str) -> Observation:
        """Properties of the thing that a word names, and the mechanism that one of them suggests.

        Asked once a word; later calls get the same observation.

        Raises:
            AnswerError: The answers could not be used.
        """
        if word not in self._observations:
            self._observations[word] = asyncio.ensure_future(self._observe(word))
        return await asyncio.shield(self._observations[word])

    async def _observe(self, word: str) -> Observation:
        answer = await self._ask_json(
            "observation",
            f"observation/{word}",
            _OBSERVATION,
            word=word,
            version=self.problem.version,
            task=self._task,
        )
        properties = tuple(str(p) for p in answer["properties"])
        return Observation(word, properties, answer["property"], " ".join(answer["observation"].split()))

    async def formulate(self, observations: Sequence[Observation], key: str) -> dict[str, str]:
        """One design from the observations, with the problem's design keys.

        Raises:
            AnswerError: The answers could not be used.
        """
        keys = self.problem.design_keys
        schema = {
            "type": "object",
            "properties": {k: {"type": "string"} for k in keys},
            "required": list(keys),
            "additionalProperties": False,
        }
        return await self._ask_json(
            "formulation",
            key,
            schema,
            observations="\n".join(f"- {o.text}" for o in observations),
            keys="\n".join(f'- "{k}": {text}' for k, text in keys.items()),
            situation=self.problem.prompt("situation"),
            version=self.problem.version,
            task=self._task,
        )

    async def write(self, design: Mapping[str, str], key: str) -> str:
        """The module that carries out a design.

        Raises:
            AnswerError: No code could be found in the answers.
        """
        text = json.dumps(dict(design), indent=2, ensure_ascii=False)
        return await self._ask_code("code", key, [self._message("code", design=text)])

    async def repair(self, design: Mapping[str, str], code: str, failure: tuple[str, str], key: str) -> str:
        """The module again, mended after a failure (class, message).

        Raises:
            AnswerError: No code could be found in the answers.
        """
        kind, message = failure
        text = json.dumps(dict(design), indent=2, ensure_ascii=False)
        ask = _template("repair.user").format(code=code.rstrip(), kind=kind, error=message)
        content = self._message("code", design=text)["content"] + "\n\n" + ask
        return await self._ask_code("repair", key, [{"role": "user", "content": content}])

    async def close(self) -> None:
        """End observations that nobody waits for any more."""
        for task in self._observations.values():
            task.cancel()
        await asyncio.gather(*self._observations.values(), return_exceptions=True)

    # -- asking

    @cached_property
    def _task(self) -> str:
        return self.problem.prompt("task")

    @cached_property
    def _code_system(self) -> str:
        return _template("code.system").format(
            version=self.problem.version,
            task=self._task,
            language=_template("language"),
            contract=self.problem.prompt("contract"),
        )

    def _message(self, purpose: str, **fields: str) -> dict[str, str]:
        return {"role": "user", "content": _template(f"{purpose}.user").format(**fields)}

    def _seed_of(self, key: str) -> int:
        digest = hashlib.sha256(f"{self.seed}/{key}".encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1

    async def _ask_json(
        self, purpose: str, key: str, schema: dict[str, Any], **fields: str
    ) -> dict[str, Any]:
        system = {"role": "system", "content": _template(f"{purpose}.system").format(**fields)}
        user = self._message(purpose, **fields)
        answer: dict[str, Any] = await self._ask(
            purpose, key, [system, user], lambda text: parse_answer(text, schema), schema
        )
        return answer

    async def _ask_code(self, purpose: str, key: str, messages: list[dict[str, str]]) -> str:
        system = {"role": "system", "content": self._code_system}
        source: str = await self._ask(purpose, key, [system, *messages], extract_code, None)
        return source

    async def _ask(
        self,
        purpose: str,
        key: str,
        messages: list[dict[str, str]],
        parse: Callable[[str], Any],
        schema: dict[str, Any] | None,
    ) -> Any:
        for attempt in range(REASKS + 1):
            asked = f"{key}/{attempt}" if attempt else key
            request = LLMRequest(purpose, messages, asked, self._seed_of(asked), schema)
            reply = await self.model.complete(request)
            self.on_call(request, reply)
            try:
                return parse(reply.text)
            except AnswerError as error:
                if attempt == REASKS:
                    raise
                messages = [
                    *messages[:2],
                    {"role": "assistant", "content": reply.text[:4000]},
                    {
                        "role": "user",
                        "content": f"That answer cannot be used: {error} Answer again, in the format asked for.",
                    },
                ]
        raise AssertionError("unreachable")


_OBSERVATION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "properties": {"type": "array", "items": {"type": "string"}},
        "property": {"type": "string"},
        "observation": {"type": "string"},
    },
    "required": ["properties", "property", "observation"],
    "additionalProperties": False,
}

_TEXTS: dict[str, str] = {}


def _template(name: str) -> str:
    if name not in _TEXTS:
        _TEXTS[name] = (_PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()
    return _TEXTS[name]
