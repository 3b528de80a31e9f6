"""Simulated operations a second of thread CPU time at full size (200 M keys, 4 servers of 36 threads), by baseline.

python -m benchmarks.dex_throughput [operations a server]
"""

from __future__ import annotations

import sys

from evaluators.dex.cell import Cell
from metamuse import config
from metamuse.build import make_problem
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

CASES = (("dex", 256.0), ("dex", 31.0), ("dex_no_offload", 31.0), ("always_admit", 256.0), ("tinylfu", 256.0))


def main(operations: int) -> None:
    """Print a row a case."""
    problem = make_problem(config.compose(["problem=dex"]))
    print(f"{'policy':16} {'cache':>7} {'M ops/CPU s':>12} {'Mops':>7} {'reads':>7} {'RPCs':>7}")
    for name, cache in CASES:
        policy = CompiledPolicy(load(problem.baselines[name], problem.contract), problem.init_example())
        loop = problem.bind(policy)
        cell = Cell("full", cache_mb=cache, ops=operations, warm=operations * 6 // 10)
        problem.simulate(policy, loop, problem.probes()[0])
        found = problem.simulate(policy, loop, cell)
        rate = found.timing["operations_per_cpu_s"] / 1e6
        details = found.details
        print(
            f"{name:16} {cache:5g}MB {rate:12.2f} {found.value:7.2f} {details['reads']:7.3f} {details['rpcs']:7.4f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_500_000)
