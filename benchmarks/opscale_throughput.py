"""Simulated requests a second of thread CPU time, one core: kernel with fixed replicas, and whole runs of baselines.

    python -m benchmarks.opscale_throughput [trace.csv] [jitter copies]

Without a trace, an hour of bursts like those of the synthetic sets. ``whole`` and ``pools`` hold the same replicas
throughout (whole models, or a pool of each operator in proportion to its work), the other columns are baselines that
decide every two seconds; all are compiled before. The median of ``ROUNDS`` rounds counts.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from evaluators.opscale import simulator
from evaluators.opscale.generators import CODE, requests
from evaluators.opscale.models import GROUPS, WHOLE
from evaluators.opscale.scenario import Scenario, System, seen
from evaluators.opscale.trace import Trace, read_trace
from evaluators.opscale.world import profile
from metamuse import config
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from problems.base import make

ROUNDS = 5
HOUR = 3600.0
_LARGE = System(model="llama3-70b", tp=4, ttft=4.0, tbt=0.06, gpus=256)
#: Name, system, copies of the trace's requests (or requests/s of the synthetic ones), whole replicas.
CASES = (
    ("8B prefill", System(gpus=256), 4, 12),
    ("70B prefill", _LARGE, 2, 30),
    ("8B decode", System(phases="decode", gpus=256), 40, 12),
    ("70B decode", replace(_LARGE, phases="decode"), 20, 12),
)

HELD = """
WHOLE = 0  # tune: 0..512
QKV = 0  # tune: 0..512
ATTENTION = 0  # tune: 0..512
O_PROJ = 0  # tune: 0..512
FFN = 0  # tune: 0..512


class Policy:
    def __init__(self, n_groups, interval, ttft_slo, tbt_slo):
        self.seen = 0.0

    def control(self, t, glob, obs, prof):
        self.seen = t

    def replicas(self, group):
        if group == 0:
            return WHOLE
        if group == 1:
            return QKV
        if group == 2:
            return ATTENTION
        return O_PROJ if group == 3 else FFN
"""
NAMES = ("WHOLE", "QKV", "ATTENTION", "O_PROJ", "FFN")


def pools(scenario: Scenario, whole: int) -> np.ndarray:
    """Replicas of operators in proportion to their work, worth as many GPUs as whole replicas."""
    prof = profile(scenario).reshape(GROUPS, -1)
    prompts = scenario.prompts.astype(np.float64)
    decoding = prof[WHOLE, 10] > 0
    size = float(np.mean(prompts)) if decoding else float(np.mean(np.square(prompts)))
    work = (prof[1:, 0] * (1.0 if decoding else float(np.mean(prompts))) + prof[1:, 2] * size) * prof[1:, 8]
    gpus = 1.3 * whole * prof[WHOLE, 8]
    targets = np.zeros(GROUPS, dtype=np.int64)
    targets[1:] = np.maximum(1, np.ceil(gpus * work / work.sum() / prof[1:, 8]))
    return targets


def rate(run: Callable[[], object], n: int) -> float:
    """Millions of requests a CPU-second."""
    run()
    times = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        run()
        times.append(time.thread_time() - began)
    return n / statistics.median(times) / 1e6


def main(arguments: list[str]) -> None:
    trace = read_trace(arguments[0]) if arguments else None
    more = int(arguments[1]) if len(arguments) > 1 else 1
    problem = make(config.compose(["problem=opscale"])["problem"])
    programs = {}
    for id in ("held", "model_erlang", "operator_erlang"):
        source = HELD if id == "held" else problem.baselines[id]
        compiled = CompiledPolicy(load(source, problem.contract), problem.init_example())
        programs[id] = (compiled, simulator.bind(compiled))
    print(f"{'case':<14}{'requests':>10}{'whole':>8}{'pools':>8}{'model_erlang':>14}{'operator_erlang':>17}")
    for name, system, copies, whole in CASES:
        rng = np.random.default_rng(20251102)
        taken: Trace = (
            requests(rng, "bursty", CODE, 2.5 * copies * more, HOUR)
            if trace is None
            else trace.thickened(copies * more, 5.0, rng)
        )
        scenario = Scenario(name, system, taken.arrivals, taken.prompts, taken.outputs, seen(taken))
        n = len(taken.arrivals)
        targets = np.zeros(GROUPS, dtype=np.int64)
        targets[WHOLE] = whole * more
        line, attained = f"{name:<14}{n:>10,}", []
        for (policy, loop), counts, width in (
            (programs["held"], targets, 8),
            (programs["held"], pools(scenario, whole * more), 8),
            (programs["model_erlang"], None, 14),
            (programs["operator_erlang"], None, 17),
        ):
            values = {} if counts is None else dict(zip(NAMES, counts.tolist(), strict=True))
            chosen = policy.with_values(values)
            score = simulator.simulate(chosen, loop, scenario)
            attained.append(f"{score.details['attainment']:.3f}")
            found = rate(lambda p=chosen, q=loop, s=scenario: simulator.simulate(p, q, s), n)
            line += f"{found:>{width}.2f}"
        print(f"{line}   attainment {' '.join(attained)}")


if __name__ == "__main__":
    main(sys.argv[1:])
