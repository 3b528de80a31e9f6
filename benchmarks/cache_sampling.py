"""How far miss ratios of spatial samples are from those of the whole traces, over baselines and traces.

    python -m benchmarks.cache_sampling [rates=0.1,0.01] [requests=2e6] [objects=2e5] [policies=all] [json=true] [FILE…]

Traces: the families of the synthetic sets at a length and footprint worth sampling, and the files named. Each baseline
serves the whole trace and each sample at 10 % of the objects. Printed by trace and rate: mean and largest
difference of the miss ratios; the same if the sample's misses were divided by its own requests instead of the expected
ones; in how many cases the whole trace's ratio lies in the printed interval of 95 %; the mean half-width of that;
Kendall's tau between the orders of the policies, and how much is lost by taking the sample's best policy.
"""

from __future__ import annotations

import json
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.cache import generators
from evaluators.cache.readers import read_trace
from evaluators.cache.sampling import sampled
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

_BASELINES = Path(__file__).parents[1] / "problems" / "cache" / "baselines"
CAPACITY = "10%"


def synthetic(requests: int, objects: int) -> list[Trace]:
    """One trace of every family; patterns are as long against the cache as in the sets of a search."""
    rng = np.random.default_rng(12)
    scale = objects / 1700
    sized = {"n_objects": objects, "length": requests}
    return [
        generators.zipf(rng, alpha=0.8, **sized),
        generators.zipf(rng, alpha=1.2, **sized),
        generators.scan_loop(rng, skip=0.1, **sized),
        generators.shifting(rng, alpha=1.0, drift=0.6, **sized),
        generators.mixture(rng, loop_objects=int(400 * scale), loop_share=0.4, run=int(100 * scale), **sized),
        generators.bursts(rng, burst_share=0.4, burst_objects=20, burst_length=200, **sized),
        generators.one_hit(rng, share=0.3, **sized),
    ]


def tau(a: np.ndarray, b: np.ndarray) -> float:
    """Kendall's tau-a of two rows of values."""
    signs = [np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]) for i, j in combinations(range(len(a)), 2)]
    return float(np.mean(signs)) if signs else 1.0


def compare(policies: list[tuple[Any, Any]], trace: Trace, rates: list[float]) -> list[dict[str, Any]]:
    """One row a rate."""
    whole = np.array([simulate(p, loop, Job(trace, trace.capacity(CAPACITY))).value for p, loop in policies])
    rows = []
    for rate in rates:
        part = sampled(trace, rate)
        job = Job(part, part.capacity(CAPACITY))
        scores = [simulate(p, loop, job) for p, loop in policies]
        found = np.array([score.value for score in scores])
        own = np.array([score.details["misses"] / len(part) for score in scores])
        half = 1.96 * np.array([score.details["standard_error"] for score in scores])
        off = np.abs(found - whole)
        rows.append(
            {
                "trace": Path(trace.name).name,
                "rate": rate,
                "objects": part.n_objects,
                "capacity": job.capacity,
                "mean_error": float(off.mean()),
                "largest_error": float(off.max()),
                "mean_error_of_own_requests": float(np.abs(own - whole).mean()),
                "inside": int((off <= half).sum()),
                "policies": len(policies),
                "half_width": float(half.mean()),
                "tau": tau(whole, found),
                "lost_by_its_best": float(whole[int(found.argmin())] - whole.min()),
            }
        )
    return rows


def main(arguments: list[str]) -> None:
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    names = given.get("policies", "all").split(",")
    if names == ["all"]:
        names = sorted(path.stem for path in _BASELINES.glob("[a-z]*.py"))
    policies = []
    for name in names:
        policy = CompiledPolicy(load((_BASELINES / f"{name}.py").read_text(), CONTRACT), (16, 49))
        policies.append((policy, bind(policy)))
    traces = synthetic(int(float(given.get("requests", 2e6))), int(float(given.get("objects", 2e5))))
    traces += [read_trace(file) for file in arguments if "=" not in file]
    rates = [float(rate) for rate in given.get("rates", "0.1,0.01").split(",")]
    rows = [row for trace in traces for row in compare(policies, trace, rates)]
    if given.get("json") == "true":
        print(json.dumps(rows))
        return
    print(
        "| trace | rate | objects | capacity | mean error | largest | by own requests | inside 95 % | ± | tau | lost |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        print(
            f"| {row['trace']} | {row['rate']:g} | {row['objects']:,} | {row['capacity']:,} | {row['mean_error']:.4f} "
            f"| {row['largest_error']:.4f} | {row['mean_error_of_own_requests']:.4f} | {row['inside']} of "
            f"{row['policies']} | {row['half_width']:.4f} | {row['tau']:.2f} | {row['lost_by_its_best']:.4f} |"
        )
    for rate in rates:
        of_rate = [row for row in rows if row["rate"] == rate]
        inside, pairs = sum(row["inside"] for row in of_rate), sum(row["policies"] for row in of_rate)
        print(
            f"rate {rate:g}: mean error {np.mean([row['mean_error'] for row in of_rate]):.4f}, by own requests "
            f"{np.mean([row['mean_error_of_own_requests'] for row in of_rate]):.4f}, largest "
            f"{max(row['largest_error'] for row in of_rate):.4f}; inside the interval {inside} of {pairs}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
