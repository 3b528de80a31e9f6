"""What hostile code meets inside: all layers together, and each layer alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metamuse.executor.zygote import probe
from tests.metamuse.executor.conftest import CANARY, Run
from tests.metamuse.executor.handlers import ATTACKS
from tests.support.capabilities import needs

ROOT = Path(__file__).resolve().parents[3]


@needs("landlock", "seccomp")
@pytest.mark.parametrize("name", ATTACKS)
def test_all_layers_stop(run: Run, name: str) -> None:
    outcome = run("attack", name=name)
    assert outcome.failure is None
    assert outcome.result is not None
    assert outcome.result["value"] in ("EPERM", "EACCES", "EMFILE", "can't start new thread")


def test_the_environment_holds_no_keys(run: Run) -> None:
    assert os.environ[CANARY] == "sk-canary"
    result = run("environment").result
    assert result is not None
    assert CANARY not in result["value"]
    assert not [
        name for name in result["value"] if "KEY" in name or "TOKEN" in name or "PROXY" in name.upper()
    ]
    assert result["value"]["NUMBA_NUM_THREADS"] == "1"


def test_only_its_pipe_and_the_null_device_are_open(run: Run) -> None:
    result = run("descriptors").result
    assert result is not None
    assert result["value"][:3] == [0, 1, 2]
    assert len(result["value"]) == 4


@needs("seccomp")
def test_limits_cannot_be_raised(run: Run) -> None:
    assert run("raise limit").result == {"value": "not allowed to raise maximum limit"}


def test_hashes_of_strings_do_not_depend_on_the_process(run: Run) -> None:
    script = "print(hash('order of sets'))"
    known = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONHASHSEED": "0"}, capture_output=True, check=True
    )
    assert run("hash", x="order of sets").result == {"value": int(known.stdout)}


def test_layers_are_stated() -> None:
    text = [str(layer) for layer in probe("none")]
    assert "seccomp: ABSENT (switched off by sandbox=none)" in text
    assert "landlock: ABSENT (switched off by sandbox=none)" in text
    assert any(line.startswith("process group: active (") for line in text)


def alone(layer: str, attacks: list[str]) -> dict[str, str]:
    """What attacks meet in a process with one layer only."""
    script = f"""
import json, os, sys
from metamuse.executor import jail, kernel, landlock, seccomp
from metamuse.executor.base import Limits
from tests.metamuse.executor.handlers import ATTACKS, _denied
import random, selectors, subprocess, socket
if {layer!r} != "limits":
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
{{"landlock": landlock.restrict, "seccomp": lambda: seccomp.install(os.getpid()),
  "limits": lambda: (jail._drop_root(), jail._set_limits(Limits(5, 5, 100), 2**40))}}[{layer!r}]()
print(json.dumps({{name: _denied(ATTACKS[name]) for name in {attacks!r}}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@needs("landlock")
def test_landlock_alone() -> None:
    files = [
        "read a file",
        "read the environment of the hub",
        "list a folder",
        "write a file",
        "replace the program",
    ]
    assert alone("landlock", files) == dict.fromkeys(files, "EACCES")


@needs("seccomp")
def test_seccomp_alone() -> None:
    met = alone("seccomp", list(ATTACKS))
    assert met.pop("start a thread") == "can't start new thread"
    assert met == dict.fromkeys(met, "EPERM")


@needs("linux")
def test_limits_alone() -> None:
    met = alone("limits", ["read a file", "list a folder", "make a socket pair", "send by UDP", "fork"])
    assert met.pop("fork") == "EAGAIN"
    assert met == dict.fromkeys(met, "EMFILE")
