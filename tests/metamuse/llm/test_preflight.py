"""What cannot work is said at once."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

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


def test_a_base_without_v1_is_told() -> None:
    with OpenAIServer() as server, pytest.raises(LLMConfigError, match=r"set llm.api_base to that") as caught:
        preflight(_config(api_base=server.base_url.removesuffix("/v1")))
    assert server.base_url in str(caught.value)


def test_a_model_that_a_complete_listing_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(models=["llama-3-8b"]) as server:
        preflight(_config("openai/llama", api_base=server.base_url))  # others serve more than they list
        complete = server.listing()
        complete["data"] = [row | {"owned_by": "vllm"} for row in complete["data"]]
        monkeypatch.setattr(server, "listing", lambda: complete)
        with pytest.raises(LLMConfigError, match=r"does not serve llama: set llm.model.* openai/llama-3-8b"):
            preflight(_config("openai/llama", api_base=server.base_url))
        preflight(_config("openai/llama-3-8b", api_base=server.base_url))


def test_names_without_address_proxies_and_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    base = "https://llm.example.invalid/v1"
    with pytest.raises(LLMConfigError, match=r"No address is known for llm\.example\.invalid"):
        preflight(_config(api_base=base))

    monkeypatch.setenv("https_proxy", "http://me:secret-word@127.0.0.1:1")
    with pytest.raises(LLMConfigError, match="proxy that https_proxy names does not get through") as caught:
        preflight(_config(api_base=base))
    assert "secret-word" not in str(caught.value)

    monkeypatch.delenv("https_proxy")
    with OpenAIServer() as server, pytest.raises(LLMConfigError, match="does not speak TLS"):
        preflight(_config(api_base=server.base_url.replace("http:", "https:")))

    untrusted = ssl.SSLCertVerificationError(1, "verify failed")
    untrusted.verify_message = "self-signed certificate"

    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError(untrusted)

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with (
        OpenAIServer() as server,
        pytest.raises(LLMConfigError, match=r"not trusted \(self-signed certificate\): set SSL_CERT_FILE"),
    ):
        preflight(_config(api_base=server.base_url))
