"""A whole run on a provider's bad day, which also sends the key back wherever it can."""

from __future__ import annotations

import base64
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from metamuse.journal import read
from tests.support.chaos import Chaos
from tests.support.openai_server import Behaviour, OpenAIServer
from tests.support.scripted import answer
from tests.support.small_run import ROOT, only_run, settings, traces

__all__ = ["traces"]  # a fixture

SOLUTIONS = 8

#: Everything is bounded by the test's time-out (``pyproject.toml``), twice as long on a busy machine.
pytestmark = pytest.mark.timeout(600)
SECRETS = {
    "OPENAI_API_KEY": "sk-canary-0123456789abcdef",
    "OTHER_API_KEY": "other-canary-secret",
    "HF_TOKEN": "hf_canary_abcdefgh",
    "HTTPS_PROXY": "http://me:canary-of-proxy@127.0.0.1:9",
}


def _reflecting(body: dict[str, Any]) -> str:
    """An answer of the scripted model with secrets in its prose and its code, plain and in base64."""
    text = answer(body)
    key = SECRETS["OPENAI_API_KEY"]
    seen = f"{key} {base64.b64encode(b'Bearer ' + key.encode()).decode()} {SECRETS['OTHER_API_KEY']}"
    return f"Your headers: {seen}\n{text}".replace("class Policy:", f"# {seen}\nclass Policy:")


def _bad_day(body: dict[str, Any], number: int, attempt: int) -> Behaviour:
    # The fourth request is told that its key is invalid, in the words of a 500, with the key.
    if number == 4:
        return Behaviour("key_in_error")
    return Chaos(3, longest_s=0.5)(body, number, attempt)


def _environments(pid: int) -> dict[str, str]:
    """The environments of all descendants of a process, where the system shows them (Linux)."""
    found = {}
    for child in _descendants(pid):
        try:
            found[f"environment of {child}"] = Path(f"/proc/{child}/environ").read_text(errors="replace")
        except OSError:
            continue  # it has ended
    return found


def _descendants(pid: int) -> list[int]:
    try:
        text = " ".join(f.read_text() for f in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        return []
    return [n for child in map(int, text.split()) for n in [child, *_descendants(child)]]


def _run(cwd: Path, *arguments: str) -> dict[str, str]:
    """Runs a command to its end, output into files; returns the environments of its descendants."""
    environment = {**os.environ, **SECRETS, "PYTHONPATH": str(ROOT)}
    environment |= {"HYDRA_FULL_ERROR": "1", "METAMUSE_DEBUG": "1", "LITELLM_LOG": "DEBUG"}
    environments: dict[str, str] = {}
    with (cwd / "stdout").open("ab") as out, (cwd / "stderr").open("ab") as err:
        command = [sys.executable, "-m", "metamuse", *arguments]
        process = subprocess.Popen(command, cwd=cwd, stdout=out, stderr=err, env=environment)
        while process.poll() is None:
            environments |= _environments(process.pid)
            time.sleep(0.3)
    assert process.returncode == 0, (cwd / "stderr").read_text()
    return environments


def test_a_bad_day_ends_well_and_tells_nobody_the_key(traces: dict[str, str], tmp_path: Path) -> None:
    arguments = [
        "problem=cache",
        *settings(traces),
        f"solutions={SOLUTIONS}",
        "search.tune_trials=5",
        "search.simplify_trials=0",
        "problem.baselines=lru",
        "tracking=mlflow",
        "llm.model=openai/test-model",
        "llm.timeout_s=5",
        "llm.backoff_s=0.02",
        "llm.max_backoff_s=0.5",
        "llm.max_retries=12",
    ]
    with OpenAIServer(chooser=_bad_day, answer=_reflecting) as server:
        arguments.append(f"llm.api_base={server.base_url}")
        environments = _run(tmp_path, *arguments)
        asked = server.chats
        run = only_run(tmp_path)
        before = (run / "leaderboard.csv").read_bytes()
        environments |= _run(tmp_path, "resume", "run=latest", "--quiet")
        assert server.chats == asked, "a finished run asks for nothing"
        assert server.seen.headers[0]["authorization"] == f"Bearer {SECRETS['OPENAI_API_KEY']}"
    assert (run / "leaderboard.csv").read_bytes() == before
    summary = json.loads((run / "summary.json").read_text())
    solutions = summary["solutions"]
    assert solutions["requested"] == SOLUTIONS == solutions["executable"] + sum(solutions["failed"].values())
    numbers = [e["number"] for e in read(run / "journal.jsonl") if e["event"] == "solution"]
    assert sorted(numbers) == list(range(SOLUTIONS))
    rows = list(csv.DictReader((run / "leaderboard.csv").open()))
    assert sum(row["kind"] == "solution" for row in rows) == SOLUTIONS

    assert environments or not Path("/proc/self/task").exists(), "the workers were looked at"
    written = {str(f): f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}
    assert any(name.endswith("mlflow.db") for name in written)
    written |= {name: text.encode() for name, text in environments.items()}
    needles = [b"canary", *(base64.b64encode(key.encode())[4:-4] for key in SECRETS.values())]
    leaks = [(name, needle) for name, data in written.items() for needle in needles if needle in data]
    assert not leaks
    assert b"[OPENAI_API_KEY]" in written[str(run / "completions.jsonl")], "it was sent back, and taken out"
