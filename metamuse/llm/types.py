"""The question and the answer that the rest of MetaMuse deals in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: A chat message: ``{"role": "system" | "user" | "assistant", "content": text}``.
Message = Mapping[str, str]


@dataclass(frozen=True)
class LLMRequest:
    """One logical call.

    Attributes:
        purpose: Waypoint that asks, e.g. ``observation``, ``formulation``, ``code``, ``repair``.
        messages: The prompt, unchanging parts first so that providers can cache the prefix.
        key: Logical id, unique in a run, e.g. ``s12/code/0``. Two requests with equal content but different
            keys are different calls; the same key with equal content is paid for once.
        seed: Passed to providers that have one (and to the offline composer).
        json_schema: JSON schema of the wanted answer, or None for free text.
        temperature: None takes the configured one of the waypoint.
        max_tokens: Cap of the answer; None takes the configured one of the waypoint.
        shared: Whether an answer from an earlier run serves as well (:mod:`metamuse.llm.memory`).
    """

    purpose: str
    messages: Sequence[Message]
    key: str
    seed: int = 0
    json_schema: Mapping[str, Any] | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    shared: bool = False


@dataclass(frozen=True)
class LLMReply:
    """One usable answer. Its figures count the unusable ones before it too: they were paid for as well.

    Attributes:
        text: What the model wrote; never empty.
        tokens_in: Prompt tokens as the provider counted them.
        tokens_out: Completion tokens, reasoning included.
        cost_usd: US dollars, or None where the model's price is unknown. For a cached reply: what it cost
            once.
        latency_s: Seconds from sending to receiving, without waiting for a turn; of the recorded call if
            cached.
        model: litellm name of the model that answered.
        cached: True if the answer came from the record and cost nothing now.
        finish_reason: ``stop``, ``length``, … as reported.
    """

    text: str
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    latency_s: float
    model: str
    cached: bool
    finish_reason: str


@dataclass(frozen=True)
class Call:
    """A request with every default filled in: what is sent, and what the record is keyed by."""

    request: LLMRequest
    model: str
    temperature: float
    max_tokens: int
    messages: tuple[dict[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        plain = tuple({"role": m["role"], "content": m["content"]} for m in self.request.messages)
        object.__setattr__(self, "messages", plain)

    def digest(self, ask: int) -> str:
        """Returns the hex SHA-256 of everything but the model that makes this call what it is.

        The model is kept beside the digest in the record, so that a replay needs no model to be named.

        Args:
            ask: 0 for the first time it is asked, 1 after one unusable answer, …
        """
        content = {
            "messages": self.messages,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "schema": self.request.json_schema,
            "seed": self.request.seed,
            "key": self.request.key,
            "ask": ask,
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class RawAnswer:
    """What a transport brings back, usable or not.

    Attributes:
        tokens_in: Prompt tokens; negative if the endpoint did not say.
        tokens_out: Completion tokens, reasoning included; negative if the endpoint did not say.
        problem: ``""``, ``empty``, ``refusal``, ``context`` or ``failing`` (then ``text`` says how).
        without: Parameters left out because the model does not take them, with ", " between.
        cached_tokens_in: Prompt tokens the provider billed at its cached rate (part of ``tokens_in``).
    """

    text: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    cached_tokens_in: int = 0
    problem: str = ""
    without: str = ""
