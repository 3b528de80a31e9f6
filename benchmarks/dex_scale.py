"""Whether feedback cells rank policies as the same cells at full size do: Spearman's rank correlation over the baselines.

    python -m benchmarks.dex_scale full.jsonl [numbers of feedback cells]    measures cells at full size (200 M keys)
    python -m benchmarks.dex_scale full.jsonl compare                        feedback cells against those in the file

The first is long: a cell that the file has is not measured again, so that it can be stopped and go on. A policy's standing is
the geometric mean of its throughput over DEX's. Two standings closer than :data:`TIE` are a tie: tied policies share their
mean rank. The correlation without ties is printed, too.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from evaluators.dex.cell import Cell
from evaluators.dex.suites import FULL_KEYS
from metamuse import config
from metamuse.build import make_problem
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from problems.base import Problem

#: Operations a server at full size by the most MiB of cache: enough to turn it over several times (64 MB) or to begin to.
OPERATIONS = ((64.0, 250_000), (128.0, 300_000), (256.0, 600_000), (512.0, 600_000), (1024.0, 700_000))
#: Standings that differ by less are a tie.
TIE = 0.01


def full(cell: Cell) -> Cell:
    """A feedback cell at full size."""
    cache = cell.cache_mb * FULL_KEYS / cell.keys
    ops = next(ops for most, ops in OPERATIONS if cache <= most)
    if cell.mix == "scan-intensive":
        ops //= 3
    return replace(
        cell, name=f"full/{cell.name}", keys=FULL_KEYS, cache_mb=cache, ops=ops, warm=ops * 6 // 10
    )


def ranks(values: np.ndarray, tie: float) -> np.ndarray:
    """Ranks from 0; policies in a chain of steps below ``tie`` share their mean rank."""
    order = np.argsort(values)
    out = np.empty(len(values))
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[order[i]] - values[order[i - 1]] >= tie:
            out[order[start:i]] = (start + i - 1) / 2
            start = i
    return out


def spearman(a: np.ndarray, b: np.ndarray, tie: float = 0.0) -> float:
    """Rank correlation."""
    return float(np.corrcoef(ranks(a, tie), ranks(b, tie))[0, 1])


def standing(values: np.ndarray, reference: int) -> np.ndarray:
    """float64[policies], of float64[policies, cells] in Mops."""
    return np.asarray(np.exp(np.log(values / values[reference]).mean(axis=1)))


def policies_of(problem: Problem) -> tuple[dict[str, tuple[CompiledPolicy, object]], list[float]]:
    """All baselines, compiled, and the CPU seconds that each took."""
    policies: dict[str, tuple[CompiledPolicy, object]] = {}
    took = []
    for name, source in problem.baselines.items():
        began = time.process_time()
        policy = CompiledPolicy(load(source, problem.contract), problem.init_example())
        loop = problem.bind(policy)
        problem.simulate(policy, loop, problem.probes()[0])
        took.append(time.process_time() - began)
        policies[name] = (policy, loop)
    return policies, took


def measure(path: Path, numbers: Sequence[int]) -> None:
    """Append a row for each cell that is not there; policies run side by side, because large streams are kept one at a time."""
    problem = make_problem(config.compose(["problem=dex"]))
    feedback = problem.workloads("feedback")
    policies, _ = policies_of(problem)
    known = {row["cell"] for row in rows(path)}
    for number in numbers:
        cell = full(feedback[number])
        if cell.name in known:
            continue
        mops = {name: problem.simulate(policy, loop, cell).value for name, (policy, loop) in policies.items()}
        with path.open("a") as file:
            file.write(
                json.dumps({"number": number, "cell": cell.name, "ops": cell.ops, "mops": mops}) + "\n"
            )
        print(f"{cell.name}: {cell.ops} operations a server", flush=True)


def rows(path: Path) -> list[dict[str, object]]:
    """What was measured."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def compare(path: Path) -> None:
    """Run the feedback cells that the file has; print standings by cell and over all, and rank correlations."""
    problem = make_problem(config.compose(["problem=dex"]))
    feedback = {full(cell).name: cell for cell in problem.workloads("feedback")}
    kept = [row for row in rows(path) if row["cell"] in feedback]
    if not kept:
        raise SystemExit(f"{path} has no cell of the feedback set: measure some first")
    cells = [feedback[str(row["cell"])] for row in kept]
    policies, compiling = policies_of(problem)
    names = list(policies)
    reference = names.index(problem.reference)
    for cell in cells:
        _ = cell.streams
    began = time.process_time()
    small = np.array(
        [[problem.simulate(policy, loop, cell).value for cell in cells] for policy, loop in policies.values()]
    )
    each = (time.process_time() - began) / len(policies)
    large = np.array([[row["mops"][name] for row in kept] for name in names])  # type: ignore[index]
    print(f"{'cell':52} {'rank':>6} {'tied':>6}  furthest apart")
    for j, cell in enumerate(cells):
        a, b = small[:, j] / small[reference, j], large[:, j] / large[reference, j]
        i = int(np.argmax(np.abs(np.log(a / b))))
        print(
            f"{cell.name[19:]:52} {spearman(a, b):6.3f} {spearman(a, b, TIE):6.3f}"
            f"  {names[i]} {a[i]:.3f}, full size {b[i]:.3f}"
        )
    reduced, whole = standing(small, reference), standing(large, reference)
    print(f"\n{'baseline':20} {'feedback':>9} {'full size':>9}")
    for i in np.argsort(-whole):
        print(f"{names[i]:20} {reduced[i]:9.3f} {whole[i]:9.3f}")
    print(
        f"rank correlation over {len(cells)} of {len(feedback)} feedback cells: {spearman(reduced, whole):.3f},"
        f" differences below {TIE:g} tied: {spearman(reduced, whole, TIE):.3f}"
    )
    print(
        f"CPU s a candidate: compile {np.median(compiling[1:]):.2f} (most {max(compiling[1:]):.2f}), these cells {each:.2f}"
    )


def main(arguments: Sequence[str]) -> None:
    """Measure or compare."""
    if not arguments:
        raise SystemExit(__doc__)
    path = Path(arguments[0])
    if arguments[1:] == ["compare"]:
        compare(path)
    else:
        measure(path, [int(n) for n in arguments[1].split(",")] if len(arguments) > 1 else range(20))


if __name__ == "__main__":
    main(sys.argv[1:])
