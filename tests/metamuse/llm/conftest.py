"""What the tests of the LLM layer share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metamuse.llm import CompletionStore


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests must not depend on the keys, endpoints and proxies of whoever runs them."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CompletionStore]:
    """An empty record."""
    with CompletionStore(tmp_path / "completions.jsonl") as opened:
        yield opened
