"""An executor that most tests share, and how to look at its processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from metamuse.executor.base import Limits, Outcome, Task
from metamuse.executor.local import LocalExecutor

HANDLERS = "tests.metamuse.executor.handlers"
CANARY = "METAMUSE_TEST_API_KEY"

Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs one task in a warm executor with the sandbox ``auto``: ``run(do, wall_s=…, **payload)``."""
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv(CANARY, "sk-canary")
        cache = tmp_path_factory.mktemp("numba")
        executor = LocalExecutor(f"{HANDLERS}:numeric", {}, workers=2, cache_dir=cache)
        runner.run(executor.start())

        def one(
            do: str,
            wall_s: float = 10.0,
            cpu_s: float = 10.0,
            memory_mb: int = 256,
            result_mb: float = 1.0,
            **payload: Any,
        ) -> Outcome:
            limits = Limits(wall_s, cpu_s, memory_mb, result_mb)
            return runner.run(executor.run(Task(do, {"do": do, **payload}, limits)))

        yield one
        runner.run(executor.close())
