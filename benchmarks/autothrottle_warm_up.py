"""The warm-up of the baseline Tower, as the authors evaluate it: its samples, written into the policy's text.

Six hours with targets that were tried least, each held for two minutes of which the second is a sample; then six hours
with the bandit itself, which takes a neighbour of its choice every other time. All hours are generated, of the diurnal
kind. The text has to be made anew when the simulator, its calibration or the bandit changes, for all applications or for those that are named:

    python -m benchmarks.autothrottle_warm_up [social hotel train]
"""

from __future__ import annotations

import math
import re
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import problems.autothrottle.baselines
from evaluators.autothrottle import simulator
from evaluators.autothrottle.application import Application
from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.contract import CONTRACT
from evaluators.autothrottle.generators import HOUR, KINDS
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.suites import ramped
from evaluators.base import PolicyError
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.observed import Observed
from metamuse.policy.program import load as load_policy

TOWER = Path(problems.autothrottle.baselines.__path__[0]) / "tower.py"
HOURS = 6
WORKERS = 2
#: Minutes at the start of an hour that are no samples.
RAMP = 3
_STREAM = 20231017

Sample = tuple[int, float, float, float]

EXPLORER = '''
import numpy as np
from metamuse.policykit import Rng

TARGETS = (0.0, 0.02, 0.04, 0.06, 0.10, 0.15, 0.20, 0.25, 0.30)
SEED = {seed}
TRIED = ({tried},)


class Policy:
    """Actions that were tried least, each for two minutes."""

    def __init__(self, node_cores, slo_ms, n_services):
        self.rng = Rng(SEED)
        self.tried = np.array(TRIED)
        self.action = 0
        self.load = 0.0
        self.n = 0
        self.actions = np.zeros(64, dtype=np.int64)
        self.loads = np.zeros(64)
        self.p99 = np.zeros(64)
        self.cores = np.zeros(64)

    def global_(self, minute, service, app, services, history, pos, cluster):
        if service == 0:
            if minute % 2 == 0:
                if minute > {ramp}:
                    self.actions[self.n] = self.action
                    self.loads[self.n] = self.load
                    self.p99[self.n] = app[4]
                    self.cores[self.n] = app[6]
                    self.n += 1
                least = np.flatnonzero(self.tried == np.min(self.tried))
                self.action = least[self.rng.below(len(least))]
                self.tried[self.action] += 1
            self.load = app[0]
        return TARGETS[self.action // 9 if cluster[service] == 1 else self.action % 9]
'''


def run(source: str, on: Load, skip: int) -> list[Sample]:
    """What the global law has seen after an hour, without its first ``skip`` samples."""
    application = on.application
    init = (application.node_cores, application.slo_ms, len(application.services))
    policy = CompiledPolicy(load_policy(source, simulator.CONTRACT), init)
    observed = Observed(policy)
    simulator.simulate(observed, simulator.bind(policy), on)
    state = observed.states[-1]
    layout = policy.layout
    arrays = dict(zip(layout.arrays, state, strict=False))
    n = int(state[len(layout.arrays) + len(layout.parts)]["n"][0])
    columns = (arrays[name][skip:n].tolist() for name in ("actions", "loads", "p99", "cores"))
    return list(zip(*columns, strict=True))


def packed(found: list[Sample]) -> str:
    """Samples as the policy's text holds them: one number each, see there; a P99 beyond its digits is the largest."""
    numbers = []
    for action, rps, p99, cores in found:
        tenths = round(10 * cores)
        assert max(round(rps), tenths) < 10**5
        latency = min(math.ceil(p99), 10**6 - 1)
        numbers.append(((action * 10**5 + round(rps)) * 10**6 + latency) * 10**5 + tenths)
    return textwrap.fill(", ".join(map(str, numbers)), 106, initial_indent="    ", subsequent_indent="    ")


def with_samples(source: str, slo_ms: float, found: list[Sample]) -> str:
    """The policy's text with the samples of one application."""
    name = f"WARM_{slo_ms:g}"
    text, n = re.subn(rf"^{name} = \(.*?\)$", f"{name} = (\n{packed(found)},\n)", source, flags=re.M | re.S)
    assert n == 1, name
    return text


def hour(application: Application, number: int) -> Load:
    """One of the hours."""
    place = list(APPLICATIONS).index(application.name)
    rng = np.random.default_rng(np.random.SeedSequence(_STREAM, spawn_key=(place, number)))
    trace = KINDS["diurnal"](rng, application.name, HOUR)
    return ramped(f"warm-up {number}#{application.name}", application, trace, int(rng.random() * 2**31))


def warm_up(name: str) -> list[Sample]:
    """All samples of one application."""
    application = APPLICATIONS[name]
    found: list[Sample] = []
    for number in range(HOURS):
        tried = np.bincount([a for a, *_ in found], minlength=81)
        text = EXPLORER.format(seed=number, tried=", ".join(map(str, tried)), ramp=RAMP)
        found += run(text, hour(application, number), 0)
    bandit = TOWER.read_text(encoding="utf-8")
    assert "EPSILON = 0.0\n" in bandit
    bandit = bandit.replace("EPSILON = 0.0\n", "EPSILON = 0.5\n", 1)
    for number in range(HOURS, 2 * HOURS):
        text = with_samples(bandit.replace("Rng(1)", f"Rng({number})"), application.slo_ms, found)
        found += run(text, hour(application, number), len(found) + RAMP - 1)
    return found


def main(names: list[str]) -> None:
    """Write the samples of these applications into the policy's text."""
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        made = list(pool.map(warm_up, names))
    source = TOWER.read_text(encoding="utf-8")
    for name, found in zip(names, made, strict=True):
        source = with_samples(source, APPLICATIONS[name].slo_ms, found)
        met = sum(c <= APPLICATIONS[name].slo_ms for _, _, c, _ in found)
        print(f"{name}: {len(found)} samples, {met} of them met the objective")
    try:
        load_policy(source, CONTRACT)
    except PolicyError as error:
        sys.exit(f"Not written, Tower would not be a policy any more: {error}")
    TOWER.write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:] or list(reversed(APPLICATIONS)))
