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
#: What a model may refuse to be told, and is then asked without (``max_tokens`` as ``max_completion_tokens``).
OPTIONAL = frozenset({"max_tokens", "response_format", "seed", "temperature"})
#: Characters of an answer that are kept; far above any cap, below what would fill a disk.
_MOST_CHARS = 1_000_000
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
        self._refused: dict[str, set[str]] = {}

    async def start(self) -> None:
        """Imports litellm, off the event loop so that a live view keeps moving."""
        if self._litellm is not None:
            return
        litellm = await asyncio.to_thread(load_litellm)
        if self._litellm is None and self._config.provider == "litellm":  # else another call was first
            from metamuse.llm.http_session import session

            litellm.aclient_session = session(self._config.concurrency)
        self._litellm = litellm

    async def send(self, call: Call, seed: int) -> RawAnswer:
        """Asks once; see the protocol for what is raised."""
        assert self._litellm is not None, "start() comes first"
        # Imports openai: only once litellm is loaded.
        from metamuse.llm import litellm_failures

        refused = self._refused.setdefault(call.model, set())
        while True:
            arguments = self._arguments(call, seed)
            try:
                # litellm's own time-out restarts with every byte received; this one does not.
                async with asyncio.timeout(self._config.timeout_s):
                    response = await self._litellm.acompletion(**arguments)
            except TimeoutError as error:
                raise TransportFailure(
                    f"no complete answer within llm.timeout_s={self._config.timeout_s:g} seconds", billed=True
                ) from error
            except litellm_failures.ProviderError as error:
                name = litellm_failures.refused_parameter(error, OPTIONAL & arguments.keys())
                if name is None:
                    return litellm_failures.classify(error, call, self._config)
                refused.add(name)  # refusals are free; every turn leaves one parameter out
                continue
            return _read(response, ", ".join(sorted(refused)))

    async def aclose(self) -> None:
        """Closes pooled connections."""
        if self._litellm is not None:
            session, self._litellm.aclient_session = self._litellm.aclient_session, None
            if session is not None:
                await session.aclose()
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
        # Models that litellm knows to take no seed or no temperature are asked without.
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
        refused = self._refused.get(call.model, set())
        if "max_tokens" in refused:
            arguments["max_completion_tokens"] = call.max_tokens
        return {name: value for name, value in arguments.items() if name not in refused}


def _key(model: str, config: LLMConfig) -> str | None:
    """Returns the key to hand over, or None where litellm finds it in the environment itself."""
    if config.api_key_env:
        return os.environ.get(config.api_key_env) or DUMMY_KEY
    variable = key_variable(model)
    if config.api_base and not (variable and os.environ.get(variable)):
        return DUMMY_KEY
    return None


def _read(response: Any, without: str = "") -> RawAnswer:
    """Takes an answer apart; whatever a strange server left out is read as absent."""
    choices = getattr(response, "choices", None) or []
    if not choices:
        raise TransportFailure("the endpoint answered without any choice", billed=True)
    choice = choices[0]
    message = choice.message
    text = (getattr(message, "content", None) or "")[:_MOST_CHARS].replace("\r\n", "\n")
    finish = str(choice.finish_reason or "stop")
    extra = getattr(message, "provider_specific_fields", None) or {}
    refused = getattr(message, "refusal", None) or extra.get("refusal") or finish == "content_filter"
    usage = getattr(response, "usage", None)
    tokens_in, tokens_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if min(tokens_in, tokens_out) >= 0:
        # Some count what a model thinks in the total only.
        tokens_out = max(tokens_out, _count(usage, "total_tokens") - tokens_in)
    return RawAnswer(
        text=redact(text),
        finish_reason=finish,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cached_tokens_in=_count(getattr(usage, "prompt_tokens_details", None), "cached_tokens"),
        problem="refusal" if refused else ("" if text.strip() else "empty"),
        without=without,
    )


def _count(usage: Any, name: str) -> int:
    """A number of tokens, -1 if there is none."""
    value = getattr(usage, name, None)
    return value if isinstance(value, int) else -1
