"""What cannot work is said at once."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest

from metamuse.llm import LLMConfig, LLMConfigError, custom_provider, preflight
from tests.support.openai_server import OpenAIServer


def _config(model: str = "openai/test-model", **changes: object) -> LLMConfig:
    return LLMConfig(provider="litellm", model=model, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (_config("openai/gpt-4o"), "openai/gpt-4o needs a key: export OPENAI_API_KEY="),
        (_config("gpt-4o"), "export OPENAI_API_KEY="),
        (_config("anthropic/claude-x"), "export ANTHROPIC_API_KEY="),
        (_config("opnai/gpt-4o"), "names no provider that litellm knows"),
        (_config("some-model"), "names no provider that litellm knows"),
        (_config("hosted_vllm/m"), "set llm.api_base"),
        (_config(api_base="localhost:8000"), "is not a URL"),
        (_config("openai/gpt-4o", api_key_env="NOT_SET_ANYWHERE"), "NOT_SET_ANYWHERE, which is not set"),
    ],
)
def test_one_sentence(config: LLMConfig, sentence: str) -> None:
    with pytest.raises(LLMConfigError, match=sentence):
        preflight(config)


def test_a_missing_key_is_told_within_two_seconds_without_importing_litellm() -> None:
    code = (
        "import sys\nfrom metamuse.llm import LLMConfig, LLMConfigError, preflight\n"
        "try: preflight(LLMConfig(provider='litellm', model='openai/gpt-4o'))\n"
        "except LLMConfigError as error: print(error)\n"
        "print('litellm' in sys.modules or 'openai' in sys.modules)"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert time.monotonic() - started < 2
    sentence, imported = done.stdout.splitlines()
    assert "OPENAI_API_KEY" in sentence and imported == "False"


def test_a_dead_endpoint_is_told() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    started = time.monotonic()
    with pytest.raises(LLMConfigError, match=f"Nothing answers at {base}.*Connection refused.*llm.api_base"):
        preflight(_config(api_base=base))
    assert time.monotonic() - started < 2


def test_a_silent_endpoint_is_no_obstacle_but_a_wrong_key_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(key="right-key-123") as server:
        with pytest.raises(LLMConfigError, match=r"wants a key .*OPENAI_API_KEY"):
            preflight(_config(api_base=server.base_url))
        monkeypatch.setenv("OPENAI_API_KEY", "wrong-key-123")
        with pytest.raises(LLMConfigError, match=r"rejects the key .*OPENAI_API_KEY") as caught:
            preflight(_config(api_base=server.base_url))
        assert "wrong-key-123" not in str(caught.value)
        monkeypatch.setenv("OPENAI_API_KEY", "right-key-123")
        preflight(_config(api_base=server.base_url))
        assert server.chats == 0
    with socket.create_server(("127.0.0.1", 0)) as mute:
        preflight(_config(api_base=f"http://127.0.0.1:{mute.getsockname()[1]}/v1"))


def test_offline_needs_its_composer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_provider, "_handlers", {})
    with pytest.raises(LLMConfigError, match="no composer"):
        preflight(LLMConfig())
    custom_provider.register_composer(lambda messages, call: "x")
    preflight(LLMConfig())
