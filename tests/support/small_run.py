"""Small whole runs through the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.openai_server import OpenAIServer

ROOT = Path(__file__).parents[2]
SOLUTIONS = 6
SMALL = [
    "tracking=none",
    f"solutions={SOLUTIONS}",
    "search.lag=3",
    "stimuli.warmup=2",
    "search.finalists=2",
    "search.tune_trials=6",
    "search.simplify_trials=20",
    "--quiet",
    "problem.baselines=lru,arc",
]


@pytest.fixture(scope="session")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Small trace files for the three sets."""
    import numpy as np

    folder = tmp_path_factory.mktemp("traces")
    for which, seed in (("feedback", 1), ("validation", 2), ("holdout", 3)):
        for i in range(4):
            rng = np.random.default_rng([seed, i])
            keys = np.minimum(rng.pareto(0.7 + 0.2 * i, 3000), 900).astype(int)
            keys[1000:1400] = 5000 + np.arange(400)
            lines = "\n".join(str(k) for k in keys)
            (folder / f"{which}-{i}.txt").write_text(lines + "\n")
    return {which: str(folder / f"{which}-*.txt") for which in ("feedback", "validation", "holdout")}


def settings(traces: dict[str, str]) -> list[str]:
    return [*SMALL, *(f"problem.workloads.{which}={path}" for which, path in traces.items())]


def start(*arguments: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "metamuse", *arguments]
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    out, err = process.communicate(timeout=240)
    assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
    assert "Traceback" not in err, err
    return out


def only_run(root: Path) -> Path:
    (run,) = root.glob("runs/cache/r*")
    return run


def leaderboard(run: Path) -> str:
    return (run / "leaderboard.csv").read_text()


def model_settings(server: OpenAIServer) -> list[str]:
    return [
        "llm.model=openai/test-model",
        f"llm.api_base={server.base_url}",
        "llm.backoff_s=0.05",
        "llm.max_backoff_s=0.2",
    ]
