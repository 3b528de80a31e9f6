"""An exported policy in a real, local Ray Serve: it scales up under load and down after it.

Ray does not share an environment with MetaMuse here: METAMUSE_RAY_PYTHON names an interpreter with ``ray[serve]``
(``python -m venv ray && ray/bin/pip install "ray[serve]"``).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from metamuse.export.targets.rayserve import EXPORTER
from tests.metamuse.export import making
from tests.support.capabilities import RAY_PYTHON, needs

#: Whole replicas by what waits and runs.
POLICY = '''
import math

import numpy as np


class Policy:
    """As many whole replicas as requests wait or are served, up to six."""

    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.wanted = np.zeros(n_groups, dtype=np.int64)

    def control(self, t, glob, obs, prof):
        for g in range(0, len(self.wanted), 5):
            busy = obs[12 * g + 5] * obs[12 * g + 6]
            self.wanted[g] = max(1, min(6, int(math.ceil(obs[12 * g + 1] + busy))))

    def replicas(self, group):
        return self.wanted[group]
'''


@needs("ray-serve")
def test_scales_up_and_down(tmp_path: Path) -> None:
    made = making.material("opscale", POLICY, [])
    for name, text in EXPORTER.files(made).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    config = json.loads((tmp_path / "scaling.json").read_text())
    config |= {"interval": 1.0, "prof": [[0.0] * 12] * 10, "deployments": {"prefill": 0, "decode": 5}}
    (tmp_path / "scaling.json").write_text(json.dumps(config))
    driver = Path(__file__).parents[2] / "support" / "rayserve_driver.py"
    env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    env |= {
        "PYTHONPATH": f"{tmp_path}:{driver.parent}",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
    }
    ended = subprocess.run(
        [RAY_PYTHON, str(driver), "opscale_tried"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
        timeout=600,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = next(
        json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")
    )  # Ray talks, too
    assert told["most"]["prefill"] >= 4 and told["most"]["decode"] == 1
    assert told["last"]["prefill"] == told["last"]["decode"] == 1
