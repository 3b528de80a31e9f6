"""From stimuli to code in small steps (paper §3.2): observation, formulation, code, repair.

Each waypoint is one prompt template under ``metamuse/prompts``, one question to the model, one checked answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from metamuse.llm import AnswerError, LLMReply, LLMRequest, extract_code, parse_answer
from problems.base import Problem
from stimuli.sources import Kind

_PROMPTS = Path(__file__).parent / "prompts"

#: How often an answer that cannot be used is sent back with what is wrong with it.
REASKS = 2


class Model(Protocol):
    """Whoever answers (:class:`metamuse.llm.LLMClient`)."""

    async def complete(self, request: LLMRequest) -> LLMReply:
        """Answer one request."""


@dataclass(frozen=True)
class Observation:
    """What one stimulus suggests for the problem.

    Attributes:
        word: The stimulus.
        properties: Properties of the thing, or points of the text.
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
        self._shared: dict[str, asyncio.Task[Any]] = {}
        self._answered: dict[str, Any] = {}
        self._systems: dict[str, str] = {}

    async def observe(self, stimulus: str, kind: Kind = "word") -> Observation:
        """What a stimulus suggests for the problem: a mechanism that carries over one property of it.

        Asked once a stimulus; later calls get the same observation. A mechanism is one already.

        Raises:
            AnswerError: The answers could not be used.
        """
        if kind == "mechanism":
            return Observation(stimulus, (), "", stimulus)
        observation: Observation = await self._once(
            f"observe {stimulus}", lambda: self._observe(stimulus, kind)
        )
        return observation

    async def _observe(self, stimulus: str, kind: Kind) -> Observation:
        template = {"word": "observation", "passage": "passage"}[kind]
        question = prompt(f"{template}.user", word=stimulus)
        key = f"observation/{stimulus if kind == 'word' else digest(stimulus)}"
        answer = await self._ask_json("observation", f"{template}.system", question, key, _OBSERVATION, True)
        properties = tuple(str(p) for p in answer["properties"])
        return Observation(stimulus, properties, answer["property"], _line(answer["observation"]))

    async def invent(self, question: str, key: str, *, shared: bool = False) -> list[str]:
        """Mechanisms for the problem that no word suggested, as many as the question asks for.

        Args:
            question: What they are made from.
            key: Of the call.
            shared: Several ask with this key, and get one answer.

        Raises:
            AnswerError: The answers could not be used.
        """
        if shared:
            mechanisms: list[str] = await self._once(f"invent {key}", lambda: self.invent(question, key))
            return mechanisms
        answer = await self._ask_json("observation", "invention.system", question, key, _INVENTION)
        return [_line(str(text)) for text in answer["mechanisms"]]

    async def formulate(self, question: str, key: str) -> dict[str, str]:
        """One design with the problem's design keys; the question says what it is made from.

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
        return await self._ask_json("formulation", "formulation.system", question, key, schema)

    async def write(self, brief: str, key: str) -> str:
        """The module that a brief asks for: a design, or whatever else a proposer starts from.

        Raises:
            AnswerError: No code could be found in the answers.
        """
        return await self._ask_code("code", key, brief)

    async def repair(self, brief: str, code: str, failure: tuple[str, str], key: str) -> str:
        """The module again, mended after a failure (class, message).

        Raises:
            AnswerError: No code could be found in the answers.
        """
        kind, message = failure
        ask = prompt("repair.user", code=code.rstrip(), kind=kind, error=message)
        return await self._ask_code("repair", key, f"{brief}\n\n{ask}")

    async def close(self) -> None:
        """End questions whose answers nobody waits for any more."""
        for task in self._shared.values():
            task.cancel()
        await asyncio.gather(*self._shared.values(), return_exceptions=True)

    # -- asking

    async def _once(self, what: str, ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Ask a question that several have; whoever gives up waiting leaves the others their answer."""
        if what in self._answered:
            return self._answered[what]
        if what not in self._shared:
            self._shared[what] = asyncio.ensure_future(ask())
        answer = self._answered[what] = await asyncio.shield(self._shared[what])
        # A task that is over keeps its context, and whatever libraries put there.
        self._shared.pop(what, None)
        return answer

    def _system(self, name: str) -> dict[str, str]:
        """A system message. It depends on the problem alone, so that providers can cache the prefix of a prompt."""
        if name not in self._systems:
            self._systems[name] = self._filled(name)
        return {"role": "system", "content": self._systems[name]}

    def _filled(self, name: str) -> str:
        return prompt(
            name,
            version=self.problem.version,
            task=self.problem.prompt("task"),
            situation=self.problem.prompt("situation"),
            contract=self.problem.prompt("contract"),
            language=prompt("language"),
            keys="\n".join(f'- "{k}": {text}' for k, text in self.problem.design_keys.items()),
        )

    def _seed_of(self, key: str) -> int:
        digest = hashlib.sha256(f"{self.seed}/{key}".encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1

    async def _ask_json(
        self, purpose: str, system: str, question: str, key: str, schema: dict[str, Any], shared: bool = False
    ) -> dict[str, Any]:
        messages = [self._system(system), {"role": "user", "content": question}]
        answer: dict[str, Any] = await self._ask(
            purpose, key, messages, lambda text: parse_answer(text, schema), schema, shared
        )
        return answer

    async def _ask_code(self, purpose: str, key: str, question: str) -> str:
        messages = [self._system("code.system"), {"role": "user", "content": question}]
        source: str = await self._ask(purpose, key, messages, extract_code, None)
        return source

    async def _ask(
        self,
        purpose: str,
        key: str,
        messages: list[dict[str, str]],
        parse: Callable[[str], Any],
        schema: dict[str, Any] | None,
        shared: bool = False,
    ) -> Any:
        for attempt in range(REASKS + 1):
            asked = f"{key}/{attempt}" if attempt else key
            request = LLMRequest(
                purpose, messages, asked, self._seed_of(asked), schema, shared=shared and not attempt
            )
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

_INVENTION: dict[str, Any] = {
    "type": "object",
    "properties": {"mechanisms": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
    "required": ["mechanisms"],
    "additionalProperties": False,
}


def prompt(name: str, **fields: str) -> str:
    """A prompt of ``metamuse/prompts`` with its fields filled in; one without fields is taken as it is."""
    text = _text(name)
    return text.format(**fields) if fields else text


def observed(texts: Iterable[str]) -> str:
    """What the formulation waypoint is asked for with the texts of observations."""
    return prompt("formulation.user", observations="\n".join(f"- {text}" for text in texts))


def brief(design: Mapping[str, str]) -> str:
    """What the code waypoint is told of a design."""
    return prompt("code.user", design=json.dumps(dict(design), indent=2, ensure_ascii=False))


@cache
def _text(name: str) -> str:
    return (_PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def digest(text: str) -> str:
    """What stands for a passage in the key of its observation."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _line(text: str) -> str:
    return " ".join(text.split())
