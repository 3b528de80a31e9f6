"""The five-minute tour and the README's examples, typed as they stand: every command of every shell block is run.

What takes a person minutes is made small by further settings (:data:`SMALLER`); a model is stood in for by a local server.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.openai_server import OpenAIServer
from tests.support.scripted import answer
from tests.support.walking import ROOT, baseline, environment, traces, typed

pytestmark = pytest.mark.walkthrough

#: What a command line holds, and what is put in its place.
SMALLER = {
    r"solutions=350": "solutions=4",
    r"problem=cache solutions=8": "problem=cache solutions=4",
    r"(problem=cache(?!.*solutions=)(?!.*(?:dry-run|target=|arms=)).*)": r"\1 solutions=4",
    r"(arms=\S+)": r"\1 seeds=0 solutions=2",
    r"budget.calls=500": "budget.calls=20",
    r"(metamuse (?:problem=cache|compare|baselines).*)": r"\1 problem.baselines=lru,s3fifo search.tune_trials=2 search.simplify_trials=0 search.finalists=1",
    r"(llm=inbox.*)": r"\1 budget.minutes=0.05",
    r"problem=autothrottle": "problem=autothrottle claims=S1 quick=true",
    r"http://localhost:8000/v1": "{server}",
    r"OPENAI_API_KEY=…": "OPENAI_API_KEY=sk-test OPENAI_BASE_URL={server}",
}
#: Commands that are run elsewhere: setting up (by .ci/run itself), and tables from public traces (tests on real data).
ELSEWHERE = ("python3 -m venv", ".venv/bin/python", "python -m metamuse reproduce")
#: The inbox waits until its budget of time is over.
ENDS_EARLY = "llm=inbox"


def lines(page: Path) -> Iterator[str]:
    """The commands of a page's shell blocks, one a line, without comments."""
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"\s+#.*$", "", line).strip()
            if command and not command.startswith(ELSEWHERE):
                yield command


def both() -> list[str]:
    """The commands of the tour and then the README's, without what is repeated; what the inbox says follows its run."""
    tour = list(lines(ROOT / "docs/index.md"))
    return tour + [line for line in lines(ROOT / "README.md") if line not in tour or ENDS_EARLY in line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with what the pages speak of: traces of two days, two policies."""
    traces(tmp_path)
    for file in ("mine.py", "production_policy.py"):
        (tmp_path / file).write_text(baseline("cache", "s3fifo"), encoding="utf-8")
    return tmp_path


def small(command: str, server: str) -> str:
    """The command with what makes it small."""
    for what, instead in SMALLER.items():
        command = re.sub(what, instead.replace("{server}", server), command)
    return command


@pytest.mark.timeout(900)
def test_the_tour_and_then_the_readme_can_be_typed_as_they_stand(folder: Path) -> None:
    """Each line in turn, in one folder, as somebody does who follows the pages; what both say is typed once."""
    env = environment()
    count = 0
    with OpenAIServer(answer=answer) as server:
        for line in both():
            command = small(line, server.base_url)
            count += 1
            if command.startswith("export "):
                env |= dict(word.split("=", 1) for word in command.split()[1:])
            elif command.endswith("metamuse ui"):
                look_at_the_ui(folder, env)
            else:
                typed(command, folder, env, code=3 if ENDS_EARLY in command else 0)
    assert count > 15


def look_at_the_ui(folder: Path, env: dict[str, str]) -> None:
    """Open MLflow's UI, get its page, and end it as a closing terminal does."""
    port = 5391
    command = [sys.executable, "-m", "metamuse", "ui", f"port={port}"]
    with subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as ui:
        try:
            deadline = time.monotonic() + 120
            while not _answers(port) and ui.poll() is None and time.monotonic() < deadline:
                time.sleep(0.5)
            assert _answers(port)
        finally:
            ui.send_signal(signal.SIGHUP)
            ui.communicate(timeout=60)
    assert not _with(str(folder)), "what the server started must end with it"


def _with(folder: str) -> list[str]:
    """Command lines of processes whose working folder is this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd") == folder:
                found.append((process / "cmdline").read_text(encoding="utf-8").replace("\0", " "))
        except OSError:  # it has ended, or is another user's
            continue
    return found


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5) as page:
            return page.status == 200
    except OSError:
        return False
