"""Settings, prices, secrets, pauses."""

from __future__ import annotations

import numpy as np
import pytest

from metamuse.errors import UsageError
from metamuse.llm import COMPOSER_MODEL, LLMConfig, price_of, price_table, redact
from metamuse.llm.prices import supports_json_schema
from metamuse.llm.retry import Backoff, retry_after_s


def test_models_by_waypoint() -> None:
    config = LLMConfig(provider="litellm", model="openai/a", code_model="openai/b")
    assert [config.model_for(p) for p in ("observation", "code", "repair")] == [
        "openai/a",
        "openai/b",
        "openai/b",
    ]
    assert config.models() == ["openai/a", "openai/b"]
    assert LLMConfig().models() == [COMPOSER_MODEL]


def test_tables_extend_the_defaults() -> None:
    config = LLMConfig.from_mapping({"temperatures": {"code": 0.0}, "max_tokens": None})
    assert config.temperature_for("code") == 0.0
    assert config.temperature_for("observation") == LLMConfig().temperature_for("observation")
    assert config.temperature_for("new waypoint") == config.temperatures["default"]
    assert config.max_tokens_for("code") > config.max_tokens_for("observation")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"modell": "x"}, "llm.modell is not a setting"),
        ({"provider": "openai"}, "llm.provider=openai is unknown"),
        ({"provider": "litellm"}, "set llm.model"),
        ({"provider": "offline", "model": "openai/x"}, "llm=offline uses no model"),
        ({"concurrency": 0}, "llm.concurrency=0"),
        ({"timeout_s": float("nan")}, "llm.timeout_s"),
        ({"price_in": 1.0}, "both llm.price_in and llm.price_out"),
        ({"temperatures": {"code": 3}}, "llm.temperatures.code=3"),
        ({"max_tokens": {"code": 0}}, "llm.max_tokens.code=0"),
    ],
)
def test_bad_settings_are_sentences(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        LLMConfig.from_mapping(values)


def test_prices() -> None:
    price = price_of("openai/gpt-4o")
    assert price is not None and price == price_of("gpt-4o")
    assert price.cost(1000, 100, cached_tokens_in=400) == pytest.approx(
        600 * price.tokens_in + 400 * price.cached_in + 100 * price.tokens_out
    )
    assert 0 < price.cached_in < price.tokens_in < price.tokens_out


def test_unknown_price_is_none_and_not_zero() -> None:
    table = price_table(["openai/test-model", "groq/gpt-4o", COMPOSER_MODEL])
    assert table["openai/test-model"] is None
    assert table["groq/gpt-4o"] is None  # another provider's price does not count
    assert table[COMPOSER_MODEL] is not None and table[COMPOSER_MODEL]["usd_per_million_out"] == 0


def test_configured_price_wins() -> None:
    config = LLMConfig(provider="litellm", model="openai/test-model", price_in=2.0, price_out=8.0)
    price = price_of("openai/test-model", config)
    assert price is not None and price.cost(500_000, 500_000) == pytest.approx(5.0)


def test_schema_support_is_never_assumed() -> None:
    assert supports_json_schema("openai/gpt-4o")
    assert not supports_json_schema("openai/test-model")


def test_redact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "canary-1234")
    monkeypatch.setenv("OTHER_TOKEN", "canary-1234-longer")
    monkeypatch.setenv("SHORT_TOKEN", "the")
    monkeypatch.setenv("MY_LOGIN", "canary-5678")
    text = "the canary-1234 and canary-1234-longer and canary-5678"
    assert redact(text) == "the [SOME_API_KEY] and [OTHER_TOKEN] and canary-5678"
    assert redact(text, ("MY_LOGIN",)).endswith("[MY_LOGIN]")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0), ("soon", None)],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": value}, now=60.0) == seconds
    assert retry_after_s({}) is None


def test_pauses_double_up_to_the_cap() -> None:
    backoff = Backoff(1.0, 10.0, np.random.default_rng(1))
    for failures, full in ((1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (5000, 10)):
        assert full / 2 <= backoff.pause_s(failures) <= full
    assert 7 <= backoff.pause_s(1, asked_s=7) <= 7.7
