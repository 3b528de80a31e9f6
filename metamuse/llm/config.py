"""Settings of the LLM layer (Hydra group ``llm``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from metamuse.errors import UsageError
from metamuse.llm.redact import holds_secret

PROVIDERS = ("offline", "litellm", "replay", "inbox")
#: litellm name under which the embedded composer answers.
COMPOSER_MODEL = "composer/offline"
#: Model on record where a person carries the prompts to a chat; ``inbox/<llm.model>`` if it is named.
INBOX_MODEL = "inbox"

_TEMPERATURES = {"default": 0.7, "observation": 1.0, "formulation": 1.0, "code": 0.4, "repair": 0.2}
_MAX_TOKENS = {"default": 2048, "code": 6144, "repair": 6144}


@dataclass(frozen=True)
class LLMConfig:
    """Who answers, and how patiently it is asked.

    Attributes:
        provider: ``litellm`` (any model litellm knows), ``offline`` (embedded composer), ``replay``, or ``inbox``
            (prompts and answers are files, for a person with a chat window).
        model: litellm name, e.g. ``openai/gpt-4o``, ``anthropic/…``, ``hosted_vllm/…``; needed by
            ``litellm``. With ``inbox`` only a name for the record.
        code_model: Model of the waypoints ``code`` and ``repair``; None takes ``model``.
        api_base: URL of an OpenAI-compatible endpoint, e.g. ``http://localhost:8000/v1``.
        api_key_env: Environment variable that holds the key, if not the provider's usual one.
        concurrency: Calls in flight at once.
        timeout_s: Seconds one attempt may take, from sending to the last byte.
        max_retries: Further attempts after a failure that may pass (rate limit, 5xx, connection, time-out).
        max_reasks: Further asks after an empty answer or a refusal.
        backoff_s: First pause between attempts in seconds; doubles each time, with jitter.
        max_backoff_s: Longest pause; also the longest ``Retry-After`` that is waited for is ten times this.
        temperatures: Temperature by waypoint; ``default`` for the others.
        max_tokens: Cap of the answer in tokens by waypoint; ``default`` for the others.
        price_in: US dollars per million prompt tokens, where litellm has no price or a wrong one.
        price_out: US dollars per million completion tokens, likewise.
    """

    provider: str = "offline"
    model: str | None = None
    code_model: str | None = None
    api_base: str | None = None
    api_key_env: str | None = None
    concurrency: int = 8
    timeout_s: float = 120.0
    max_retries: int = 8
    max_reasks: int = 2
    backoff_s: float = 1.0
    max_backoff_s: float = 60.0
    temperatures: Mapping[str, float] = field(default_factory=lambda: dict(_TEMPERATURES))
    max_tokens: Mapping[str, int] = field(default_factory=lambda: dict(_MAX_TOKENS))
    price_in: float | None = None
    price_out: float | None = None

    def __post_init__(self) -> None:
        if self.provider not in PROVIDERS:
            raise UsageError(f"llm.provider={self.provider} is unknown: use one of {', '.join(PROVIDERS)}.")
        if self.provider == "litellm" and not self.model:
            raise UsageError("No model is named: set llm.model, for instance llm.model=openai/gpt-4o.")
        if self.provider == "offline" and (self.model or self.code_model):
            raise UsageError(
                "llm=offline uses no model: drop llm.model and llm.code_model, or drop llm=offline."
            )
        for name in ("api_base", "model", "code_model"):
            if holds_secret(getattr(self, name) or ""):
                # The configuration is written into the run directory and the tracking database.
                raise UsageError(
                    f"llm.{name} must not hold a key or password, because settings are written down: put it into an "
                    "environment variable and name that with llm.api_key_env."
                )
        for name, low in (("concurrency", 1), ("max_retries", 0), ("max_reasks", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < low:
                raise UsageError(f"llm.{name}={value} must be an integer of at least {low}.")
        for name in ("timeout_s", "backoff_s", "max_backoff_s"):
            if not getattr(self, name) > 0:
                raise UsageError(f"llm.{name}={getattr(self, name)} must be a number of seconds above 0.")
        if (self.price_in is None) != (self.price_out is None):
            raise UsageError(
                "Set both llm.price_in and llm.price_out (US dollars per million tokens), or neither."
            )
        for name in ("price_in", "price_out"):
            price = getattr(self, name)
            if price is not None and not price >= 0:
                raise UsageError(f"llm.{name}={price} must not be negative.")
        for waypoint, temperature in self.temperatures.items():
            if not isinstance(temperature, int | float) or not 0 <= temperature <= 2:
                raise UsageError(
                    f"llm.temperatures.{waypoint}={temperature} must be a number between 0 and 2."
                )
        for waypoint, cap in self.max_tokens.items():
            if not isinstance(cap, int) or cap < 1:
                raise UsageError(f"llm.max_tokens.{waypoint}={cap} must be a whole number of at least 1.")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> LLMConfig:
        """Builds the settings from a resolved config group; per-waypoint tables extend the defaults.

        Raises:
            UsageError: A key is unknown or a value is out of range.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise UsageError(f"llm.{unknown[0]} is not a setting; known: {', '.join(sorted(known))}.")
        merged = dict(values)
        for name, defaults in (("temperatures", _TEMPERATURES), ("max_tokens", _MAX_TOKENS)):
            merged[name] = defaults | {k: v for k, v in (values.get(name) or {}).items() if v is not None}
        return cls(**merged)

    def model_for(self, purpose: str) -> str:
        """Returns the litellm model name that answers a waypoint (empty for a replay that names none)."""
        if self.provider == "offline":
            return COMPOSER_MODEL
        model = self.model or ""
        if purpose in ("code", "repair") and self.code_model:
            model = self.code_model
        if self.provider == "inbox":
            return f"{INBOX_MODEL}/{model}" if model else INBOX_MODEL
        return model

    def is_billed(self) -> bool:
        """Says whether an attempt that brought no answer may have cost money all the same."""
        return self.provider not in ("offline", "inbox")

    def models(self) -> list[str]:
        """Returns the distinct models in use."""
        return list(dict.fromkeys(m for m in (self.model_for("observation"), self.model_for("code")) if m))

    def temperature_for(self, purpose: str) -> float:
        """Returns the configured temperature of a waypoint."""
        return float(self.temperatures.get(purpose, self.temperatures.get("default", 0.7)))

    def max_tokens_for(self, purpose: str) -> int:
        """Returns the configured cap of a waypoint's answer in tokens."""
        return int(self.max_tokens.get(purpose, self.max_tokens.get("default", 2048)))
