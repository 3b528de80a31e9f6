"""Policies that fail in production: in C the same rule takes over at the same moment as in Python, and decides alike."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metamuse.export.golden import Case
from metamuse.export.package import ExportFailedError, run_test
from metamuse.export.runtime.scaling_engine import Scaler
from metamuse.export.runtime.throttle_engine import DEFAULT_TARGET, ApplicationLaw, ServiceLaw
from tests.metamuse.export import making
from tests.support.capabilities import needs

#: Fails at some tick, and at some minute.
CONTROL = """
import numpy as np


class Policy:
    def __init__(self, node_cores, slo_ms, n_services):
        self.seen = np.zeros(40)

    def local(self, tick, obs, usage, throttled, pos, target):
        self.seen[tick] = obs[4]
        return 0.5 + np.mean(usage) / (tick - 33.0) + {odd}

    def global_(self, minute, service, app, services, history, pos, cluster):
        return app[0] / (2.0 - minute) + services[7 * service]
"""

SCALING = """
class Policy:
    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.calls = 0
        self.rate = 0.0

    def control(self, t, glob, obs, prof):
        self.calls += 1
        self.rate = glob[1] / (40.0 - self.calls)

    def replicas(self, group):
        return int(self.rate) + group + {odd}

    def affinity(self, group, other):
        return group - other
"""


def write(folder: Path, problem: str, source: str, case: Case) -> Path:
    return making.write(folder, "c", making.material(problem, source, [case]))


def control_case(policy: Any) -> Case:
    """What the Python laws decide on random samples, with their fallback."""
    draws = random.Random(5)
    n, ticks, minutes, shown = 3, 700, 4, [0, 2]
    application = ApplicationLaw(policy, 8.0, 200.0, [1, 0, 0])
    app = [[draws.random() for _ in range(8)] for _ in range(minutes)]
    services = [[draws.random() for _ in range(7 * n)] for _ in range(minutes)]
    targets = [application.decide(a, s) for a, s in zip(app, services, strict=True)]
    assert application.fallback is not None and targets[-1] == [DEFAULT_TARGET] * n
    laws = [ServiceLaw(policy, 8.0, 200.0, n) for _ in shown]
    columns: dict[str, list[Any]] = {
        name: [] for name in ("held", "periods", "bursts", "held_ms", "cores", "unchanged_ms", "limits")
    }
    for tick in range(ticks):
        for law, service in zip(laws, shown, strict=True):
            row = {"held": int(draws.random() < 0.1), "periods": 1, "bursts": 0, "held_ms": draws.random()}
            row |= {"cores": 4.0 * draws.random(), "unchanged_ms": 100.0 * draws.random()}
            limit = law.decide(
                row["cores"], row["held"], row["periods"], row["held_ms"], row["unchanged_ms"],
                targets[tick // 600][service], row["bursts"],
            )  # fmt: skip
            for name, value in (row | {"limits": limit}).items():
                columns[name].append(value)
    assert all(law.fallback is not None for law in laws)
    small = ("held", "periods", "bursts")
    arrays = {
        name: np.array(c, dtype=np.uint8 if name in small else np.float64) for name, c in columns.items()
    }
    arrays |= {"recorded": np.array(shown), "cluster": np.array([1, 0, 0])}
    arrays |= {"app": np.array(app).reshape(-1), "services": np.array(services).reshape(-1)}
    arrays |= {"targets": np.array(targets).reshape(-1)}
    fields = {
        "name": "drawn", "decisions": 2 * ticks + n * minutes, "node_cores": 8.0, "slo_ms": 200.0, "n_services": n,
        "ticks": ticks, "minutes": minutes,
    }  # fmt: skip
    return Case(fields, arrays)


def scaling_case(policy: Any) -> Case:
    draws = random.Random(6)
    n, steps = 5, 60
    prof = [draws.random() for _ in range(12 * n)]
    scaler = Scaler(policy, 2.0, 1.5, 0.05, prof)
    glob = [[9.0 * draws.random() for _ in range(16)] for _ in range(steps)]
    obs = [[draws.random() for _ in range(12 * n)] for _ in range(steps)]
    replicas, near = [], []
    for step in range(steps):
        replicas += [one.replicas for one in scaler.decide(2.0 * step, glob[step], obs[step])]
        near += [x for row in scaler.affinity for x in row]
    assert scaler.fallback is not None
    fields = {"name": "drawn", "decisions": n * steps, "n_groups": n, "steps": steps}
    fields |= {"interval": 2.0, "ttft_slo": 1.5, "tbt_slo": 0.05}
    columns = {"prof": np.array(prof), "t": 2.0 * np.arange(steps), "glob": np.array(glob).reshape(-1)}
    columns |= {"obs": np.array(obs).reshape(-1), "replicas": np.array(replicas, dtype=np.int32)}
    return Case(fields, columns | {"affinity": np.array(near, dtype=np.int32)})


@needs("compiler")
@pytest.mark.parametrize("odd", ["0.0", "1e308 * 10.0 * obs[4]"], ids=["division", "infinite"])
def test_control(odd: str, tmp_path: Path) -> None:
    source = CONTROL.format(odd=odd)
    case = control_case(making.module(source, "autothrottle", "failing_control").Policy)
    with pytest.raises(ExportFailedError, match=r"not equivalent: drawn: the policy fails at its line \d+$"):
        run_test(write(tmp_path, "autothrottle", source, case))


@needs("compiler")
@pytest.mark.parametrize("odd", ["0", "5000 * (self.calls // 30)"], ids=["division", "too many"])
def test_scaling(odd: str, tmp_path: Path) -> None:
    source = SCALING.format(odd=odd)
    case = scaling_case(making.module(source, "opscale", "failing_scaling").Policy)
    with pytest.raises(ExportFailedError, match=r"not equivalent: drawn: the policy fails at its line \d+$"):
        run_test(write(tmp_path, "opscale", source, case))
