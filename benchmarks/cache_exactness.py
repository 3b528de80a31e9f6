"""Compares the miss counts of the baselines and of Belady's rule with the package libcachesim, for equality.

Usage: ``python benchmarks/cache_exactness.py <folder of traces>``. libcachesim (GPL-3.0) is a check only: it
runs in processes of its own, because it aborts at some capacities, and nothing here is taken from it.

Where the two may differ (unit sizes; everything else must be equal):

* S3-FIFO: libcachesim refuses capacities below 10 (the process ends) and stores nothing below 20.
* SLRU: it stores nothing below 4.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]  # a checkout need not be installed

from evaluators.cache.belady import belady_misses
from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.streams import open_stream
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
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".oracleGeneral.bin") as plain:
        with open_stream(str(file)) as stream:
            shutil.copyfileobj(stream, plain)
        plain.flush()
        return file, trace, _misses_there(plain.name, wanted)


def _misses_there(path: str, wanted: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Misses by libcachesim; a new process goes on after the pair that ended the last one."""
    found: dict[tuple[str, int], int] = {}
    while len(found) < len(wanted):
        todo = wanted[len(found) :]
        command = [sys.executable, __file__, "--worker", path, *(f"{name}:{capacity}" for name, capacity in todo)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        lines = [line for line in run.stdout.splitlines() if line.startswith("misses ")]
        found.update(zip(todo, (int(line.split()[1]) for line in lines), strict=False))
        if run.returncode == 0 and len(lines) != len(todo):
            raise RuntimeError(f"libcachesim answered {len(lines)} of {len(todo)} questions: {run.stderr}")
        if run.returncode != 0:
            if "No module named" in run.stderr:
                raise ModuleNotFoundError("libcachesim is not installed: pip install 'libcachesim==0.3.5'")
            found[todo[len(lines)]] = -1
    return found


def _worker(path: str, questions: list[str]) -> None:
    """Runs inside a process of its own: prints one line a question as soon as it is known."""
    import libcachesim

    reader = libcachesim.TraceReader(
        path,
        libcachesim.TraceType.ORACLE_GENERAL_TRACE,
        libcachesim.ReaderInitParam(ignore_obj_size=True),
    )
    requests = reader.get_num_of_req()
    for question in questions:
        name, capacity = question.split(":")
        # Its hash table has 2**hashpower buckets; the default of 24 costs more time than the run.
        power = min(20, max(8, int(capacity).bit_length() + 1))
        cache = getattr(libcachesim, ALGORITHMS[name])(int(capacity), hashpower=power)
        miss_ratio, _ = cache.process_trace(reader)
        print("misses", round(miss_ratio * requests), flush=True)


def table(pairs: Sequence[Pair]) -> str:
    """The figures by algorithm, and every pair that is not equal."""
    verdicts = ("equal", "explained", "different")
    count = Counter((p.algorithm, p.verdict) for p in pairs)
    lines = [f"{'algorithm':<10}{'compared':>10}" + "".join(f"{v:>11}" for v in verdicts)]
    for name in (*ALGORITHMS, "all"):
        row = [sum(n for (a, v), n in count.items() if name in (a, "all") and v == verdict) for verdict in verdicts]
        lines.append(f"{name:<10}{sum(row):>10}" + "".join(f"{n:>11}" for n in row))
    explained = Counter((p.algorithm, p.capacity) for p in pairs if p.verdict == "explained")
    for (name, capacity), n in sorted(explained.items()):
        lines.append(f"explained: {name} at capacity {capacity}, {n} traces")
    lines += [f"different: {p}" for p in pairs if p.verdict == "different"]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--worker"]:
        _worker(arguments[1], arguments[2:])
        return 0
    if len(arguments) != 1:
        print(__doc__)
        return 2
    pairs = list(compare(sorted(Path(arguments[0]).rglob("*.oracleGeneral.bin*"))))
    print(table(pairs))
    return int(any(p.verdict == "different" for p in pairs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
