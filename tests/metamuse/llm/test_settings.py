"""Settings, prices, secrets, pauses."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from metamuse.errors import UsageError
from metamuse.llm import COMPOSER_MODEL, LLMConfig, price_of, price_table, redact
from metamuse.llm.litellm_transport import load_litellm
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


def test_every_waypoint_can_be_set_on_its_own_and_is_shown_with_its_default() -> None:
    from metamuse.config import compose

    for provider in ("litellm", "inbox", "replay"):
        shown = compose([f"llm={provider}", "llm.model=openai/x"])["llm"]
        assert LLMConfig.from_mapping(shown).temperatures == LLMConfig().temperatures
        assert LLMConfig.from_mapping(shown).max_tokens == LLMConfig().max_tokens
    for waypoint in ("observation", "formulation", "code", "repair", "default"):
        chosen = [f"llm.temperatures.{waypoint}=0.3", f"llm.max_tokens.{waypoint}=77"]
        config = LLMConfig.from_mapping(compose(["llm.model=openai/x", "llm=litellm", *chosen])["llm"])
        assert (config.temperature_for(waypoint), config.max_tokens_for(waypoint)) == (0.3, 77)


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
        ({"temperatures": {"code": "warm"}}, "llm.temperatures.code=warm must be a number between 0 and 2"),
        ({"max_tokens": {"code": 0}}, "llm.max_tokens.code=0"),
        ({"max_tokens": {"code": 0.5}}, "llm.max_tokens.code=0.5 must be a whole number"),
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


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("key sk-canary-0123456789!", "[OPENAI_API_KEY]"),
        (base64.b64encode(b"Bearer sk-canary-0123456789").decode(), "[OPENAI_API_KEY]"),
        (b"sk-canary-0123456789".hex(), "[OPENAI_API_KEY]"),
        ("proxy http://me:pass%20word@proxy:3128", "[HTTPS_PROXY]"),
        ("password is pass word", "[HTTPS_PROXY]"),
        ("GET /v1?api_key=query-key-1", "[OPENAI_BASE_URL]"),
    ],
)
def test_secrets_are_found_in_every_form(text: str, hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pass%20word@proxy:3128")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://host/v1?api_key=query-key-1")
    assert hidden in redact(text)
    assert not any(secret in redact(text) for secret in ("canary", "pass%20word", "pass word", "query-key"))


@pytest.mark.parametrize(
    "base", ["https://me:pass@host/v1", "https://host/v1?key=abc", "https://host/sk-canary-01"]
)
def test_settings_hold_no_keys(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-canary-01")
    with pytest.raises(UsageError, match=r"llm.api_base must not hold a key .* llm.api_key_env") as caught:
        LLMConfig(provider="litellm", model="openai/x", api_base=base)
    assert base not in str(caught.value)


@pytest.mark.parametrize(
    "model",
    [
        "openai/gpt-4o",
        "openai/o3",
        "anthropic/claude-sonnet-4-5",
        "gemini/gemini-2.5-flash",
        "deepseek/deepseek-chat",
    ],
)
def test_cost_with_cached_and_reasoning_tokens_is_litellms(model: str) -> None:
    litellm = load_litellm()
    usage = litellm.Usage(
        prompt_tokens=5000,
        completion_tokens=1200,
        total_tokens=6200,
        prompt_tokens_details={"cached_tokens": 3000},
        completion_tokens_details={"reasoning_tokens": 700},
    )
    response = litellm.ModelResponse(model=model.partition("/")[2], usage=usage)
    price = price_of(model)
    assert price is not None
    assert price.cost(5000, 1200, 3000) == pytest.approx(litellm.completion_cost(response, model=model))
