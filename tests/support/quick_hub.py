"""A real run that costs little: everything is the product's but the problem, the scores and litellm.

    python -m tests.support.quick_hub [command] [overrides...]      as ``python -m metamuse``

Scores come from :mod:`tests.support.quick_scores`, in the real zygote's jailed children; answers come
from a real HTTP server (:mod:`tests.support.openai_server` with :func:`answer`) over a small client, so that a run
takes seconds and every request is counted where it arrives. The tasks that QUICK_HUB_LOSES names come to nothing.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import http.client
import importlib.machinery
import json
import os
import sys
import types
from typing import Any
from urllib.parse import urlsplit

import metamuse.build
import metamuse.run
from metamuse.cli import main
from metamuse.executor.base import Outcome, Task
from metamuse.executor.channel import Lost
from metamuse.executor.local import LocalExecutor
from metamuse.llm import LLMClient, LLMConfig
from metamuse.llm.types import Call, RawAnswer
from tests.support.fake_run import POLICY, FakeProblem

#: Settings that every run of it needs, beside ``llm.api_base``.
SETTINGS = ["problem=cache", "llm.model=openai/quick", "llm.price_in=1", "llm.price_out=2"]


class QuickProblem(FakeProblem):
    """A problem that cannot be simulated; it goes by the name of the one in the configuration."""

    name = "cache"
    version = "cache-v0"

    @functools.cached_property
    def baselines(self) -> dict[str, str]:
        """Sources by id."""
        return {id: f"# {id}\n{POLICY}" for id in ("plain", "clever", "cunning")}

    def prompt(self, name: str) -> str:
        """A text for the model."""
        return f"The {name}."


def answer(body: dict[str, Any]) -> str:
    """The text of an answer to one request; takes all that any waypoint asks for, and says what was asked."""
    text = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
    keys = ("properties", "property", "observation", *QuickProblem.design_keys)
    fields: dict[str, Any] = {key: f"{key} {text}" for key in keys}
    fields |= {"properties": [text], "mechanisms": [f"first {text}", f"second {text}"]}
    code = body["messages"][0]["content"].startswith("You turn the design")
    return f"```python\n# {text}\n{POLICY}```" if code else json.dumps(fields)


class QuickTransport:
    """Posts a call to ``llm.api_base``.

    Args:
        config: Names the endpoint.
    """

    def __init__(self, config: LLMConfig) -> None:
        self._address = urlsplit(config.api_base or "").netloc

    async def start(self) -> None:
        """Nothing to do."""

    async def send(self, call: Call, seed: int) -> RawAnswer:
        """Ask."""
        body = {"model": call.model, "messages": list(call.messages), "seed": seed}
        return await asyncio.to_thread(self._post, json.dumps(body))

    def _post(self, body: str) -> RawAnswer:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}",
        }
        connection.request("POST", "/v1/chat/completions", body, headers)
        reply = json.loads(connection.getresponse().read())
        connection.close()
        text, usage = reply["choices"][0]["message"]["content"], reply["usage"]
        return RawAnswer(text, "stop", usage["prompt_tokens"], usage["completion_tokens"])

    async def aclose(self) -> None:
        """Nothing to do."""


def _make_client(config: LLMConfig, *rest: Any, **_: Any) -> LLMClient:
    return LLMClient(config, *rest, transport=QuickTransport(config))


def _lose(ids: list[str]) -> None:
    """Lose the processes of some tasks whenever they are tried."""
    attempt = LocalExecutor.attempt

    async def losing(executor: LocalExecutor, task: Task) -> Outcome:
        if task.id in ids:
            raise Lost("its process was taken away")
        return await attempt(executor, task)

    LocalExecutor.attempt = losing  # type: ignore[method-assign]  # this process is here for that


def _patch() -> None:
    litellm = types.ModuleType("litellm")  # the real one takes seconds of CPU, for nothing here
    litellm.__spec__ = importlib.machinery.ModuleSpec("litellm", None)
    sys.modules["litellm"] = litellm
    make_executor = functools.partial(metamuse.build.make_executor, entry="tests.support.quick_scores:setup")
    patched: dict[str, Any] = {
        "make_executor": make_executor,
        "make_problem": lambda config: QuickProblem(),
        "preflight": lambda config: None,
        "LLMClient": _make_client,
    }
    for module in (metamuse.build, metamuse.run):
        for name, value in patched.items():
            if hasattr(module, name):
                setattr(module, name, value)


if __name__ == "__main__":
    _patch()
    _lose(os.environ.get("QUICK_HUB_LOSES", "").split())
    sys.exit(main())
