"""Plugs the offline composer into litellm, so that it is asked through the same call path as a model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from metamuse.llm.budget import estimate_prompt_tokens
from metamuse.llm.config import COMPOSER_MODEL
from metamuse.llm.types import Message

#: Provider prefix under which litellm routes to the composer.
PROVIDER = COMPOSER_MODEL.partition("/")[0]


@dataclass(frozen=True)
class ComposerCall:
    """What the composer hears besides the messages.

    Attributes:
        purpose: Waypoint that asks.
        key: Logical id of the call.
        seed: Seed of this ask; the answer must depend on nothing else but it and the messages.
        temperature: As a model would get it.
        json_schema: Schema of the wanted answer, or None for free text.
    """

    purpose: str
    key: str
    seed: int
    temperature: float
    json_schema: dict[str, Any] | None


#: Takes the messages and the call, returns the answer's text. Never called twice at the same time.
Handler = Callable[[Sequence[Message], ComposerCall], str]

_handlers: dict[str, Handler] = {}


def register_composer(handler: Handler) -> None:
    """Names who answers the model ``composer/offline``; cheap. The last one named answers."""
    _handlers[COMPOSER_MODEL] = handler


def composer_registered() -> bool:
    """Says whether the model ``composer/offline`` can be asked."""
    return COMPOSER_MODEL in _handlers


def call_arguments(purpose: str, key: str, json_schema: object) -> dict[str, Any]:
    """Returns the extra arguments of ``litellm.acompletion`` that reach the composer."""
    return {"metamuse_call": json.dumps({"purpose": purpose, "key": key, "json_schema": json_schema})}


def install(litellm: Any) -> None:
    """Makes a loaded litellm route ``composer/…`` to the registered handler; once is enough."""
    if any(item["provider"] == PROVIDER for item in litellm.custom_provider_map):
        return
    # One thread: off the event loop, and the handler need not be thread-safe.
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metamuse-composer")

    class Composer(litellm.CustomLLM):  # type: ignore[misc]
        """litellm's hook; only the asynchronous, unstreamed form is used."""

        async def acompletion(
            self, model: str, messages: list[dict[str, str]], model_response: Any, optional_params: dict[str,
            Any], **unused: Any,
        ) -> Any:  # fmt: skip
            call = ComposerCall(
                seed=int(optional_params.get("seed", 0)),
                temperature=float(optional_params.get("temperature", 0.0)),
                **json.loads(optional_params["metamuse_call"]),
            )
            loop = asyncio.get_running_loop()
            text = await loop.run_in_executor(executor, _handlers[COMPOSER_MODEL], messages, call)
            model_response.model = model
            model_response.choices[0].message.content = text
            model_response.choices[0].finish_reason = "stop"
            tokens_in = estimate_prompt_tokens(messages)
            tokens_out = estimate_prompt_tokens([{"role": "assistant", "content": text}])
            model_response.usage = litellm.Usage(
                prompt_tokens=tokens_in, completion_tokens=tokens_out, total_tokens=tokens_in + tokens_out
            )
            return model_response

    litellm.custom_provider_map.append({"provider": PROVIDER, "custom_handler": Composer()})
    free = {
        "input_cost_per_token": 0.0,
        "output_cost_per_token": 0.0,
        "litellm_provider": PROVIDER,
        "mode": "chat",
    }
    litellm.register_model({COMPOSER_MODEL: free})
