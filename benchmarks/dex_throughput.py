"""Simulated operations a second of thread CPU time at full size (200 M keys, 4 servers of 36 threads).

    python -m benchmarks.dex_throughput [times the operations, 1]

The digest is that of all decisions and of all nodes cooled: a faster kernel has the same.
"""

from __future__ import annotations

import sys

from evaluators.dex.cell import Cell
from metamuse import config
from metamuse.build import make_problem
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

#: Policy, cache in MB, mix, operations of a server.
CASES = (
    ("dex", 256.0, "read-intensive", 300_000),
    ("dex", 31.0, "read-intensive", 300_000),
    ("always_admit", 64.0, "read-intensive", 200_000),
    ("dex_no_offload", 64.0, "read-intensive", 200_000),
    ("tinylfu", 256.0, "write-intensive", 200_000),
    ("dex", 256.0, "scan-intensive", 60_000),
    ("dex", 256.0, "insert-intensive", 200_000),
    ("dex_offload_only", 31.0, "read-intensive", 100_000),
)


def main(times: int) -> None:
    """Print a row a case."""
    problem = make_problem(config.compose(["problem=dex"]))
    print(
        f"{'policy':16} {'cache':>7} {'mix':>16} {'M ops/CPU s':>12} {'Mops':>7} {'reads':>7} {'RPCs':>7}  digest"
    )
    for name, cache, mix, operations in CASES:
        policy = CompiledPolicy(load(problem.baselines[name], problem.contract), problem.init_example())
        loop = problem.bind(policy)
        ops = times * operations
        cell = Cell("full", cache_mb=cache, mix=mix, ops=ops, warm=ops * 6 // 10)
        problem.simulate(policy, loop, problem.probes()[0])
        found = problem.simulate(policy, loop, cell)
        rate = found.timing["operations_per_cpu_s"] / 1e6
        details = found.details
        digest = "" if found.decisions is None else f"{found.decisions.digest & 0xFFFFFFFFFFFF:012x}"
        print(
            f"{name:16} {cache:5g}MB {mix:>16} {rate:12.2f} {found.value:7.2f} {details['reads']:7.3f}"
            f" {details['rpcs']:7.4f}  {digest}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
