"""Whether feedback cells rank policies as trees of the full size do: Spearman's rank correlation over the baselines.

    python -m benchmarks.dex_scale [numbers of feedback cells] [operations a server at full size]

Each baseline runs on the feedback cells (6.25 M keys) and on the named ones at full size (200 M keys, the same share of
cache). A baseline's standing is the geometric mean of its throughput over DEX's. CPU seconds of all feedback cells and of a
candidate's compilation are printed beside it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evaluators.base import Score
from evaluators.dex.cell import Cell
from evaluators.dex.suites import FULL_KEYS, SIZES
from metamuse import config
from metamuse.build import make_problem
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from problems.base import Problem

CELLS = "0,1,2,5,7,9"
OPERATIONS = 400_000


def full(cell: Cell, operations: int) -> Cell:
    """A feedback cell at full size."""
    scale = SIZES["feedback"][0]
    assert cell.keys * scale == FULL_KEYS
    part = cell.ops / SIZES["feedback"][1]
    ops = int(operations * part)
    return replace(
        cell,
        name=f"full/{cell.name}",
        keys=FULL_KEYS,
        cache_mb=cell.cache_mb * scale,
        ops=ops,
        warm=ops * 6 // 10,
    )


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0; no two baselines are expected to be equal."""
    return np.argsort(np.argsort(values)).astype(float)


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def run(
    problem: Problem, policies: dict[str, tuple[CompiledPolicy, object]], cells: Sequence[Cell]
) -> np.ndarray:
    """float64[policies, cells], Mops; cell by cell, because large cells' streams are kept one at a time."""
    out = np.zeros((len(policies), len(cells)))
    for j, cell in enumerate(cells):
        for i, (policy, loop) in enumerate(policies.values()):
            score: Score = problem.simulate(policy, loop, cell)
            out[i, j] = score.value
    return out


def main(numbers: Sequence[int], operations: int) -> None:
    """Print both standings and their rank correlation."""
    problem = make_problem(config.compose(["problem=dex"]))
    feedback = problem.workloads("feedback")
    policies: dict[str, tuple[CompiledPolicy, object]] = {}
    compiling = []
    for name, source in problem.baselines.items():
        began = time.process_time()
        policy = CompiledPolicy(load(source, problem.contract), problem.init_example())
        loop = problem.bind(policy)
        problem.simulate(policy, loop, problem.probes()[0])
        compiling.append(time.process_time() - began)
        policies[name] = (policy, loop)
    for cell in feedback:
        _ = cell.streams
    began = time.process_time()
    small = run(problem, policies, feedback)
    each = (time.process_time() - began) / len(policies)
    large = run(problem, policies, [full(feedback[i], operations) for i in numbers])
    reference = list(policies).index(problem.reference)
    standing = [
        np.exp(np.log(values / values[reference]).mean(axis=1))
        for values in (small, small[:, list(numbers)], large)
    ]
    print(f"{'baseline':20} {'feedback':>9} {'the same':>9} {'full size':>9}")
    for i in np.argsort(-standing[2]):
        print(f"{list(policies)[i]:20} " + " ".join(f"{values[i]:9.3f}" for values in standing))
    print(
        f"rank correlation with the full size: all feedback cells {spearman(standing[0], standing[2]):.3f},",
        end=" ",
    )
    print(f"the same cells {spearman(standing[1], standing[2]):.3f}")
    print(
        f"CPU s a candidate: compile {np.median(compiling[1:]):.2f} (most {max(compiling[1:]):.2f}), feedback {each:.2f}"
    )


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else CELLS
    main([int(n) for n in given.split(",")], int(sys.argv[2]) if len(sys.argv) > 2 else OPERATIONS)
