"""Compares the miss counts of the baselines and of Belady's rule with the package libcachesim, for equality.

Usage: ``python -m benchmarks.cache_exactness <folder of traces>``. libcachesim (GPL-3.0) is a check only: it
runs in processes of its own, because it aborts at some capacities, and nothing here is taken from it.

Where the two may differ (unit sizes; everything else must be equal):

* S3-FIFO: libcachesim refuses capacities below 10 (the process ends) and stores nothing below 20.
* SLRU: it stores nothing below 4.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluators.cache.belady import belady_misses
from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

#: Id here: name there.
ALGORITHMS = {
    "fifo": "FIFO",
    "lru": "LRU",
    "lfu": "LFU",
    "clock": "Clock",
    "slru": "SLRU",
    "arc": "ARC",
    "sieve": "Sieve",
    "s3fifo": "S3FIFO",
    "belady": "Belady",
}
SHARES = ("0.1%", "1%", "10%")
#: Below these capacities libcachesim refuses to run or stores nothing.
DEGENERATE = {"s3fifo": 20, "slru": 4}

_BASELINES = Path(__file__).parents[1] / "problems" / "cache" / "baselines"
_WORKER = Path(__file__).with_name("libcachesim_worker.py")


@dataclass(frozen=True)
class Pair:
    """One comparison.

    Attributes:
        trace, algorithm, capacity: What ran.
        requests: Requests of the trace.
        ours, theirs: Misses; ``theirs`` is -1 where libcachesim did not survive.
    """

    trace: str
    algorithm: str
    capacity: int
    requests: int
    ours: int
    theirs: int

    @property
    def verdict(self) -> str:
        """``equal``, ``explained`` (a degenerate capacity of libcachesim, see the module) or ``different``."""
        if self.ours == self.theirs:
            return "equal"
        stored_nothing = self.theirs in (-1, self.requests)
        if stored_nothing and self.capacity < DEGENERATE.get(self.algorithm, 0):
            return "explained"
        return "different"


def compare(files: Sequence[Path]) -> Iterator[Pair]:
    """Runs every algorithm on every trace at every share of its distinct objects, both sides."""
    loops = {}
    for policy_id in ALGORITHMS:
        if policy_id != "belady":
            program = load((_BASELINES / f"{policy_id}.py").read_text(), CONTRACT)
            policy = CompiledPolicy(program, (10, 31))
            loops[policy_id] = (policy, bind(policy))
    with ThreadPoolExecutor(os.cpu_count()) as pool, tempfile.TemporaryDirectory() as scratch:
        for file, trace, theirs in pool.map(lambda file: _reference(file, Path(scratch)), files):
            for (policy_id, capacity), misses in theirs.items():
                if policy_id == "belady":
                    ours = belady_misses(trace.ids, trace.n_objects, capacity)
                else:
                    ours = int(simulate(*loops[policy_id], Job(trace, capacity)).details["misses"])
                yield Pair(file.name, policy_id, capacity, len(trace), ours, misses)


def _reference(file: Path, scratch: Path) -> tuple[Path, Trace, dict[tuple[str, int], int]]:
    trace = read_trace(file)
    capacities = sorted({trace.capacity(share) for share in SHARES})
    wanted = [(policy_id, capacity) for capacity in capacities for policy_id in ALGORITHMS]
    copy = scratch / f"{file.parent.name}-{file.name}.oracleGeneral.bin"
    _write(copy, trace.ids)
    questions = [f"{ALGORITHMS[policy_id]}:{capacity}" for policy_id, capacity in wanted]
    command = [sys.executable, str(_WORKER), str(copy), *questions]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    copy.unlink()
    if "No module named 'libcachesim'" in run.stderr:
        raise ModuleNotFoundError("libcachesim is not installed: pip install 'libcachesim==0.3.5'")
    answers = [int(line.split()[1]) for line in run.stdout.splitlines() if line.startswith("misses ")]
    if len(answers) != len(wanted):
        raise RuntimeError(f"{file}: libcachesim answered {len(answers)} of {len(wanted)}: {run.stderr}")
    return file, trace, dict(zip(wanted, answers, strict=True))


def _write(path: Path, ids: np.ndarray) -> None:
    """Writes an oracleGeneral file with unit sizes.

    The original file will not do: some files state the *time* of an object's next request where libcachesim
    expects its number (counted from 1; -1: never), and then its Belady is not Belady's rule.
    """
    records = np.zeros(len(ids), [("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")])
    records["object"] = ids.astype(np.uint64) + 1
    records["size"] = 1
    order = np.argsort(ids, kind="stable")
    again = ids[order[:-1]] == ids[order[1:]]
    records["next"] = -1
    records["next"][order[:-1][again]] = order[1:][again] + 1
    records.tofile(path)


def table(pairs: Sequence[Pair]) -> str:
    """The figures by algorithm, and every pair that is not equal."""
    verdicts = ("equal", "explained", "different")
    count = Counter((p.algorithm, p.verdict) for p in pairs)
    lines = [f"{'algorithm':<10}{'compared':>10}" + "".join(f"{v:>11}" for v in verdicts)]
    for name in (*ALGORITHMS, "all"):
        row = [
            sum(n for (a, v), n in count.items() if name in (a, "all") and v == verdict)
            for verdict in verdicts
        ]
        lines.append(f"{name:<10}{sum(row):>10}" + "".join(f"{n:>11}" for n in row))
    explained = Counter((p.algorithm, p.capacity) for p in pairs if p.verdict == "explained")
    for (name, capacity), n in sorted(explained.items()):
        lines.append(f"explained: {name} at capacity {capacity}, {n} traces")
    lines += [f"different: {p}" for p in pairs if p.verdict == "different"]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2
    pairs = list(compare(sorted(Path(arguments[0]).rglob("*.oracleGeneral.bin*"))))
    print(table(pairs))
    return int(any(p.verdict == "different" for p in pairs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
