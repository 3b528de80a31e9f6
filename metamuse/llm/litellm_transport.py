"""Carries calls through litellm, which is imported with the first one."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import Any

from metamuse.llm import custom_provider
from metamuse.llm.config import COMPOSER_MODEL, LLMConfig
from metamuse.llm.prices import supports_json_schema
from metamuse.llm.providers import key_variable
from metamuse.llm.redact import redact
from metamuse.llm.transport import TransportFailure
from metamuse.llm.types import Call, RawAnswer

#: Sent to local servers that want a key but check none.
DUMMY_KEY = "no-key-needed"
_load_lock = threading.Lock()


def load_litellm() -> Any:
    """Imports litellm quietly (about 5 s of CPU the first time) and returns the module.

    The environment variables keep the import from fetching a price list over the network, which hangs
    offline.
    """
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with _load_lock:
        import litellm

        litellm.telemetry = False
        litellm.suppress_debug_info = True
        # Its debug lines may hold headers, and failures are reported by us.
        for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        custom_provider.install(litellm)
    return litellm


class LitellmTransport:
    """See :class:`metamuse.llm.transport.Transport`.

    Args:
        config: Endpoint, key variable, time-out.
    """

    def __init__(self, config: LLMConfig) -> None:
        self._config = config
        self._litellm: Any = None

    async def start(self) -> None:
        """Imports litellm, off the event loop so that a live view keeps moving."""
        if self._litellm is None:
            self._litellm = await asyncio.to_thread(load_litellm)

    async def send(self, call: Call, seed: int) -> RawAnswer:
        """Asks once; see the protocol for what is raised."""
        assert self._litellm is not None, "start() comes first"
        # Imports openai: only once litellm is loaded.
        from metamuse.llm import litellm_failures

        try:
            # litellm's own time-out restarts with every byte received; this one does not.
            async with asyncio.timeout(self._config.timeout_s):
                response = await self._litellm.acompletion(**self._arguments(call, seed))
        except TimeoutError as error:
            raise TransportFailure(
                f"no complete answer within llm.timeout_s={self._config.timeout_s:g} seconds", billed=True
            ) from error
        except litellm_failures.ProviderError as error:
            return litellm_failures.classify(error, call, self._config)
        return _read(response)

    async def aclose(self) -> None:
        """Closes pooled connections."""
        if self._litellm is not None:
            await self._litellm.close_litellm_async_clients()
            # The pool is keyed by settings, not by event loop: a closed client must not be found again.
            self._litellm.in_memory_llm_clients_cache.flush_cache()

    def _arguments(self, call: Call, seed: int) -> dict[str, Any]:
        config, request = self._config, call.request
        arguments: dict[str, Any] = {
            "model": call.model,
            "messages": [dict(m) for m in call.messages],
            "temperature": call.temperature,
            "max_tokens": call.max_tokens,
            "seed": seed,
            "timeout": config.timeout_s,
            # Retries are ours: bounded, budgeted, recorded.
            "num_retries": 0,
            "max_retries": 0,
        }
        if call.model == COMPOSER_MODEL:
            return arguments | custom_provider.call_arguments(
                request.purpose, request.key, request.json_schema
            )
        # Models that take no seed or no temperature are asked without.
        arguments["drop_params"] = True
        if config.api_base:
            arguments["api_base"] = config.api_base
        key = _key(call.model, config)
        if key is not None:
            arguments["api_key"] = key
        if request.json_schema is not None and supports_json_schema(call.model):
            schema = dict(request.json_schema)
            arguments["response_format"] = {
                "type": "json_schema",
                "json_schema": {
                    "name": request.purpose,
                    "schema": schema,
                    "strict": schema.get("additionalProperties") is False,
                },
            }
        return arguments


def _key(model: str, config: LLMConfig) -> str | None:
    """Returns the key to hand over, or None where litellm finds it in the environment itself."""
    if config.api_key_env:
        return os.environ.get(config.api_key_env) or DUMMY_KEY
    variable = key_variable(model)
    if config.api_base and not (variable and os.environ.get(variable)):
        return DUMMY_KEY
    return None


def _read(response: Any) -> RawAnswer:
    """Takes an answer apart; whatever a strange server left out is read as absent."""
    choices = getattr(response, "choices", None) or []
    if not choices:
        raise TransportFailure("the endpoint answered without any choice", billed=True)
    choice = choices[0]
    message = choice.message
    text = (getattr(message, "content", None) or "").replace("\r\n", "\n")
    finish = str(choice.finish_reason or "stop")
    extra = getattr(message, "provider_specific_fields", None) or {}
    refused = getattr(message, "refusal", None) or extra.get("refusal") or finish == "content_filter"
    usage = getattr(response, "usage", None)
    details = getattr(usage, "prompt_tokens_details", None)
    return RawAnswer(
        text=redact(text),
        finish_reason=finish,
        tokens_in=int(getattr(usage, "prompt_tokens", 0) or 0),
        tokens_out=int(getattr(usage, "completion_tokens", 0) or 0),
        cached_tokens_in=int(getattr(details, "cached_tokens", 0) or 0),
        problem="refusal" if refused else ("" if text.strip() else "empty"),
    )
