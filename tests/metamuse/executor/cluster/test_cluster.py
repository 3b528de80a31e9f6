"""Whole runs on a real cluster of several node processes, some of which are killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.metamuse.executor.test_local import alive, children, wait_for
from tests.support.capabilities import needs
from tests.support.ray_cluster import RayCluster

ROOT = Path(__file__).parents[4]
SMALL = [
    "problem=binpacking",
    "tracking=none",
    "solutions=3",
    "search.lag=2",
    "stimuli.warmup=2",
    "search.finalists=1",
    "search.tune_trials=4",
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
    """The leaderboards of two seeds on the cores of this machine."""
    folder = tmp_path_factory.mktemp("local")
    finish(start(folder, "-m", *SMALL, "seed=0,1"))
    found = boards(folder)
    assert len(found) == 2
    return found


def test_a_sweep_loses_a_node_and_nothing_else(
    local: list[bytes], fragile: RayCluster, tmp_path: Path
) -> None:
    address = f"executor.address={fragile.address}"
    sweep = start(tmp_path, "-m", *SMALL, "seed=0,1", "executor=ray", address)
    under_way(tmp_path, sweep)
    fragile.kill(0)
    told = finish(sweep)
    assert "is lost" in told
    assert boards(tmp_path) == local


def test_a_run_whose_cluster_is_gone_goes_on_elsewhere(
    local: list[bytes], fragile: RayCluster, tmp_path: Path
) -> None:
    address = f"executor.address={fragile.address}"
    run = start(tmp_path, *SMALL, "seed=0", "executor=ray", address, "executor.patience_s=3")
    under_way(tmp_path, run)
    fragile.kill_all()
    told = finish(run, code=1)
    assert told.count("the connection to the Ray cluster is lost; connecting again") == 1
    assert "stopped: the Ray cluster is lost: No Ray cluster answers at " in told
    assert "resume" in told
    finish(start(tmp_path, "resume", "run=latest", "executor=local"))
    assert boards(tmp_path) == local[:1]


def test_nothing_answers_at_an_address(tmp_path: Path) -> None:
    told = finish(start(tmp_path, *SMALL, "executor=ray", "executor.address=127.0.0.1:9"), code=2)
    assert told.strip().splitlines()[-1].startswith("metamuse: No Ray cluster answers at 127.0.0.1:9 (")


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
