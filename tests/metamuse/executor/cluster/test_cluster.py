"""Whole runs on a real cluster of several node processes, some of which are killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from metamuse.executor.base import Limits, Task
from metamuse.executor.cluster.executor import RayExecutor
from tests.metamuse.executor.conftest import HANDLERS
from tests.metamuse.executor.test_local import alive, children, wait_for
from tests.support.capabilities import needs
from tests.support.ray_cluster import RayCluster

ROOT = Path(__file__).parents[4]
SMALL = [
    "problem=binpacking",
    "tracking=none",
    "solutions=2",
    "search.lag=2",
    "stimuli.warmup=2",
    "search.finalists=1",
    "search.tune_trials=2",
    "search.simplify_trials=0",
    "problem.baselines=first_fit,best_fit",
]

pytestmark = [needs("ray"), pytest.mark.timeout(900)]


@pytest.fixture
def fragile() -> Iterator[RayCluster]:
    """A cluster of one's own, to be killed."""
    started = RayCluster(nodes=2)
    yield started
    started.shutdown()


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    # After so many seconds without a head Ray ends its drivers; by default a minute.
    impatient = {"RAY_gcs_rpc_server_reconnect_timeout_s": "5"}
    return subprocess.Popen(
        [sys.executable, "-m", "metamuse", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **impatient},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    """What it told; its exit code and manners are as expected."""
    out, err = process.communicate(timeout=800)
    assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
    assert "Traceback" not in err, err
    return out + err


def under_way(folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the first solution is on record."""
    while not any(
        '"event": "solution"' in path.read_text() for path in folder.glob("runs/*/r*/journal.jsonl")
    ):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def boards(folder: Path) -> list[bytes]:
    return [run.read_bytes() for run in sorted(folder.glob("runs/*/r*/leaderboard.csv"))]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The leaderboard of the same run on the cores of this machine."""
    folder = tmp_path_factory.mktemp("local")
    finish(start(folder, *SMALL))
    found = boards(folder)
    assert len(found) == 1
    return found


def test_a_run_loses_a_node_and_nothing_else(local: list[bytes], fragile: RayCluster, tmp_path: Path) -> None:
    run = start(tmp_path, *SMALL, "executor=ray", f"executor.address={fragile.address}")
    under_way(tmp_path, run)
    fragile.kill(0)
    told = finish(run)
    assert "is lost" in told
    assert boards(tmp_path) == local


def test_a_run_whose_cluster_is_gone_goes_on_elsewhere(
    local: list[bytes], fragile: RayCluster, tmp_path: Path
) -> None:
    address = f"executor.address={fragile.address}"
    run = start(tmp_path, *SMALL, "executor=ray", address, "executor.patience_s=3")
    under_way(tmp_path, run)
    fragile.kill_all()
    told = finish(run, code=1)
    assert told.count("the connection to the Ray cluster is lost; connecting again") == 1
    assert "stopped: the Ray cluster is lost: No Ray cluster answers at " in told
    assert "resume" in told
    finish(start(tmp_path, "resume", "run=latest", "executor=local"))
    assert boards(tmp_path) == local


def test_one_run_after_another_in_one_process(cluster: RayCluster) -> None:
    """As Hydra's -m does: each has an event loop of its own, and all of the cluster."""

    async def run() -> tuple[int, object]:
        executor = RayExecutor(f"{HANDLERS}:plain", {}, cluster.address)
        await executor.start()
        outcome = await executor.run(Task("echo", {"do": "echo", "x": 1}, Limits(20, 10, 100)))
        await executor.close()
        return executor.workers, outcome.result

    assert [asyncio.run(run()) for _ in range(2)] == [(2, {"value": 1})] * 2


def test_nothing_on_the_nodes_outlives_a_hub_that_is_killed(cluster: RayCluster) -> None:
    script = f"""
import asyncio
from metamuse.executor.base import Limits, Task
from metamuse.executor.cluster.executor import RayExecutor

async def main():
    executor = RayExecutor("tests.metamuse.executor.handlers:plain", {{}}, {cluster.address!r})
    await executor.start()
    limits = Limits(300, 300, 100)
    print((await executor.run(Task("zygote", {{"do": "zygote"}}, limits))).result["value"], flush=True)
    await asyncio.gather(*(executor.run(Task(do, {{"do": do, "s": 200}}, limits)) for do in ("sleep", "burn")))

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        zygote = int(hub.stdout.readline())
        wait_for(lambda: children(zygote), 60.0)
        pids = [zygote, *children(zygote)]
        hub.kill()
    wait_for(lambda: not any(map(alive, pids)), 60.0)
