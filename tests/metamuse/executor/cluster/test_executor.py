"""What an operator meets before a cluster is reached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from metamuse import config
from metamuse.build import make_executor
from metamuse.errors import UsageError
from metamuse.executor.base import ExecutorSetupError
from metamuse.executor.cluster import executor as module
from metamuse.executor.cluster.bridge import connect, place, why_lost, why_unconnected
from metamuse.executor.cluster.executor import RayExecutor
from metamuse.executor.cluster.identity import differences, identity

ROOT = Path(__file__).parents[4]


@pytest.fixture
def _ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Ray were installed and no cluster named."""
    monkeypatch.setattr(module, "find_spec", lambda name: name)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ExecutorSetupError, match=r"pip install -c constraints\.txt -e '\.\[ray\]'\.$"):
        RayExecutor("m:f", {}, "auto")


@pytest.mark.usefixtures("_ray")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([], r"needs a cluster: set executor\.address="),
        (["executor.address=ray://head:10001"], r"start the run on a machine of the cluster"),
        (["executor.address=head:6379", "executor.sandbox=firejail"], r"executor\.sandbox must be one of"),
        (["executor.address=head:6379", "executor.workers=0"], r"executor\.workers=0 must be"),
        (["executor.address=head:6379", "executor.patience_s=-1"], r"executor\.patience_s=-1 must be"),
    ],
)
def test_settings_that_make_no_sense_are_one_sentence(settings: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_executor(config.compose(["executor=ray", *settings]), {"sets": {}})


@pytest.mark.usefixtures("_ray")
def test_an_environment_may_name_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert make_executor(config.compose(["executor=ray"]), {"sets": {}}).layers() == []


def test_a_run_tells_it_and_ends_with_code_2(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("RAY_ADDRESS", None)
    done = subprocess.run(
        [sys.executable, "-m", "metamuse", "problem=binpacking", "executor=ray", "tracking=none"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("metamuse: executor=ray needs ")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("runs/binpacking/r*"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "Version mismatch: The cluster was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
            "This process on node 10.0.0.1 was started with:\n    Ray: 2.50.0\n    Python: 3.12.1\n",
            "The cluster at h:1 runs Ray: 2.60.0, Python: 3.11.7, and this process Ray: 2.50.0, Python: 3.12.1; they must be "
            "the same.",
        ),
        (
            "Could not find any running Ray instance. Please specify the one to connect to",
            "No Ray node runs on this machine (executor.address=h:1): start one with ray start --head, or with ray start "
            "--address=<host:port of the head> to join a cluster.",
        ),
        (
            "This node has an IP address of 10.0.0.9, and Ray expects this IP address to be either the GCS address",
            "No node of the cluster at h:1 runs on this machine, and a run needs one (it may have --num-cpus=0): ray start "
            "--address=h:1.",
        ),
        ("some\nthing  else", "Ray cannot use the cluster at h:1: some thing else"),
    ],
)
def test_why_a_cluster_cannot_be_used(text: str, sentence: str) -> None:
    assert why_unconnected("h:1", text) == sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "The actor died\nModuleNotFoundError: No module named 'metamuse'",
            "metamuse is not installed there",
        ),
        ("Task was killed due to the node running low on memory: OutOfMemoryError", "it ran out of memory"),
        ("The actor died because its node was terminated", "the machine was taken away"),
        ("x" * 1000, "x" * 200),
    ],
)
def test_why_a_node_is_lost(text: str, words: str) -> None:
    assert why_lost(text).startswith(words)


def test_workloads_that_the_object_store_cannot_hold_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full(Exception):
        pass

    def put(data: object) -> None:
        raise Full("The local object store is full of objects that are still in scope")

    ray = SimpleNamespace(put=put, exceptions=SimpleNamespace(ObjectStoreFullError=Full, OutOfDiskError=Full))
    monkeypatch.setitem(sys.modules, "ray", ray)
    setup = {"problem": config.compose(["problem=binpacking"])["problem"], "sets": {"feedback": None}}
    with pytest.raises(UsageError, match=r"do not fit into Ray's object store .* --object-store-memory"):
        place("metamuse.evaluation:setup", setup)


def test_nothing_answers_at_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace())
    with pytest.raises(
        UsageError, match=r"^No Ray cluster answers at 127\.0\.0\.1:9 \(Connection refused\); "
    ):
        connect("127.0.0.1:9")


def test_what_must_be_the_same_is_named() -> None:
    here = identity()
    assert {"Python", "machine", "numpy", "numba", "metamuse", "arithmetic"} <= here.keys()
    assert differences(here, identity()) == ""
    assert differences(here, here | {"numpy": "1.26"}) == f"numpy 1.26 instead of {here['numpy']}"
    assert differences({"scipy": "1.11"}, {}) == "scipy not installed instead of 1.11"
