"""Executors that most tests share, and how to look at their processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from metamuse.executor.base import Executor, Limits, Outcome, Task
from metamuse.executor.cluster.executor import RayExecutor
from metamuse.executor.local import LocalExecutor
from tests.support.capabilities import needs
from tests.support.ray_cluster import RayCluster

HANDLERS = "tests.metamuse.executor.handlers"
CANARY = "METAMUSE_TEST_API_KEY"

Run = Callable[..., Outcome]
Make = Callable[..., Executor]

#: Every executor: what a test with this asks of one, all have to do.
EXECUTORS = ["local", pytest.param("ray", marks=needs("ray"))]


@pytest.fixture(scope="session")
def cluster() -> Iterator[RayCluster]:
    """A Ray cluster with two nodes of one processor each, left as it is."""
    started = RayCluster(nodes=2)
    yield started
    started.shutdown()


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """The event loop in which executors live that tests share."""
    with asyncio.Runner() as one:
        yield one


@pytest.fixture(scope="module", params=EXECUTORS)
def make(
    request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Make]:
    """Makes an executor for two tasks at once: ``make(handler, **config)``, for use in the ``runner``."""
    cache = tmp_path_factory.mktemp("numba")
    if request.param == "local":
        yield lambda handler, sandbox="auto", **config: LocalExecutor(
            f"{HANDLERS}:{handler}", config, workers=2, sandbox=sandbox, cache_dir=cache
        )
        return
    address = request.getfixturevalue("cluster").address

    def one(handler: str, sandbox: str = "auto", **config: Any) -> Executor:
        return RayExecutor(f"{HANDLERS}:{handler}", config, address, sandbox=sandbox)

    # As long as one executor is there, the connection to the cluster and the actors are.
    first = one("plain")
    runner.run(first.start())
    yield one
    runner.run(first.close())


@pytest.fixture(scope="module")
def run(make: Make, runner: asyncio.Runner) -> Iterator[Run]:
    """Runs one task in a warm executor with the sandbox ``auto``: ``run(do, wall_s=…, **payload)``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CANARY, "sk-canary")
        executor = make("numeric")
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
