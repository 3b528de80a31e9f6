"""Prices and abilities of models, read from the table inside litellm without importing it (5 s of CPU)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from metamuse.llm.config import COMPOSER_MODEL, LLMConfig

_PRICES_FILE = "model_prices_and_context_window_backup.json"
_PROVIDERS_FILE = "provider_endpoints_support_backup.json"


@dataclass(frozen=True)
class Price:
    """US dollars per token.

    Attributes:
        tokens_in: A prompt token.
        tokens_out: A completion token.
        cached_in: A prompt token that the provider had cached.
        source: Where the numbers come from.
    """

    tokens_in: float
    tokens_out: float
    cached_in: float
    source: str

    def cost(self, tokens_in: int, tokens_out: int, cached_tokens_in: int = 0) -> float:
        """Returns the US dollars of a call; ``cached_tokens_in`` is a part of ``tokens_in``."""
        fresh = max(0, tokens_in - cached_tokens_in)
        return fresh * self.tokens_in + cached_tokens_in * self.cached_in + tokens_out * self.tokens_out


def _litellm_json(name: str) -> dict[str, Any]:
    spec = find_spec("litellm")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / name
        if path.is_file():
            content = json.loads(path.read_text(encoding="utf-8"))
            return content if isinstance(content, dict) else {}
    return {}


@cache
def _models() -> dict[str, Any]:
    return _litellm_json(_PRICES_FILE)


@cache
def known_providers() -> frozenset[str]:
    """Returns the provider prefixes litellm can route (``openai``, …); empty if unreadable."""
    table = _litellm_json(_PROVIDERS_FILE).get("providers", {})
    priced = {str(entry.get("litellm_provider", "")) for entry in _models().values()}
    return frozenset(name.split("/")[0] for name in (*table, *priced) if name and " " not in name)


def model_entry(model: str) -> dict[str, Any] | None:
    """Returns litellm's entry of a model, with or without its provider prefix, or None if it has none."""
    table = _models()
    entry = table.get(model)
    if isinstance(entry, dict):
        return entry
    provider, _, name = model.partition("/")
    entry = table.get(name) if name else None
    # The bare name counts only if it is the same provider's: a reseller may charge another price.
    if isinstance(entry, dict) and str(entry.get("litellm_provider", "")).startswith(provider):
        return entry
    return None


def price_of(model: str, config: LLMConfig | None = None) -> Price | None:
    """Returns the price of a model, or None if it is unknown (which is not 0).

    Args:
        model: litellm name.
        config: Its ``price_in`` and ``price_out``, if set, win over litellm's table.
    """
    if model == COMPOSER_MODEL:
        return Price(0.0, 0.0, 0.0, "offline composer")
    if config is not None and config.price_in is not None and config.price_out is not None:
        given, taken = config.price_in / 1e6, config.price_out / 1e6
        return Price(given, taken, given, "llm.price_in, llm.price_out")
    entry = model_entry(model)
    usd_in, usd_out = _usd(entry, "input_cost_per_token"), _usd(entry, "output_cost_per_token")
    if usd_in is None or usd_out is None:
        return None
    cached = _usd(entry, "cache_read_input_token_cost")
    if cached is None:
        cached = usd_in
    # A few models charge more for what they think; which tokens those are is not always told: all at that price.
    usd_out = max(usd_out, _usd(entry, "output_cost_per_reasoning_token") or 0.0)
    return Price(usd_in, usd_out, cached, f"litellm {_litellm_version()}")


def _usd(entry: dict[str, Any] | None, name: str) -> float | None:
    value = entry.get(name) if entry else None
    return float(value) if isinstance(value, int | float) else None


def price_table(models: Iterable[str], config: LLMConfig | None = None) -> dict[str, dict[str, Any] | None]:
    """Returns a dated snapshot for ``config.yaml``: US dollars per million tokens by model; None where unknown."""
    table: dict[str, dict[str, Any] | None] = {}
    for model in models:
        price = price_of(model, config)
        table[model] = None
        if price is not None:
            table[model] = {
                "usd_per_million_in": round(price.tokens_in * 1e6, 6),
                "usd_per_million_cached_in": round(price.cached_in * 1e6, 6),
                "usd_per_million_out": round(price.tokens_out * 1e6, 6),
                "source": price.source,
                "looked_up": date.today().isoformat(),
            }
    return table


def supports_json_schema(model: str) -> bool:
    """Says whether litellm lists the model as able to follow a JSON schema; unknown models are not."""
    entry = model_entry(model)
    return bool(entry and entry.get("supports_response_schema"))


def thinks(model: str) -> bool:
    """Says whether litellm lists the model as one that reasons before it answers."""
    entry = model_entry(model)
    return bool(entry and entry.get("supports_reasoning"))


def _litellm_version() -> str:
    try:
        return version("litellm")
    except PackageNotFoundError:
        return "(version unknown)"
