"""Typing what documents tell people to type, in a folder that holds what they speak of."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from metamuse.build import make_problem
from metamuse.config import compose

ROOT = Path(__file__).parents[2]


def traces(folder: Path) -> None:
    """Cache traces of two days, and of all of them."""
    rng = np.random.default_rng(3)
    for name in ("traces/all", "traces/monday/noon", "traces/tuesday/noon"):
        path = folder / f"{name}.oracleGeneral.bin.zst"
        path.parent.mkdir(parents=True, exist_ok=True)
        keys = rng.zipf(1.3, 4000) % 900
        rows = b"".join(struct.pack("<IQIq", i, key, 1, -1) for i, key in enumerate(keys.tolist()))
        path.write_bytes(pa.compress(rows, codec="zstd", asbytes=True))


def baseline(problem: str, name: str) -> str:
    """The text of a baseline, as a policy that somebody has."""
    text: str = make_problem(compose([f"problem={problem}"])).baselines[name]
    return text


def environment(**more: str) -> dict[str, str]:
    """That of somebody who has activated the virtual environment."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, **more}


def typed(command: str, folder: Path, env: dict[str, str], code: int = 0, pasted: str = "") -> str:
    """Run a command line as a shell does, and return what it printed; anything but this exit code is a failure."""
    run = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=env,
        input=pasted,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert run.returncode == code, f"{command}\nexit {run.returncode}\n{run.stdout}\n{run.stderr}"
    assert "Traceback" not in run.stdout + run.stderr, f"{command}\n{run.stdout}\n{run.stderr}"
    return run.stdout
