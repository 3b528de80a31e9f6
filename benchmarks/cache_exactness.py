"""Compares the miss counts of the baselines and of Belady's rule with the package libcachesim, for equality.

Usage: ``python -m benchmarks.cache_exactness <folder of traces>``. libcachesim (GPL-3.0) is a check only: it
runs in processes of its own, because it aborts at some capacities, and nothing here is taken from it.

Every trace is run with unit sizes at three shares of its objects; those that have sizes, and synthetic ones with
sizes, also by bytes at three shares of their footprint (each object with the first of its sizes: libcachesim keeps
that, here a new size is applied). Where the two may differ (everything else must be equal):

* S3-FIFO and QDLP: libcachesim refuses capacities below 10 (the process ends; S3-FIFO only) and stores nothing
  below 20. The reason is a rule about objects of exactly the small queue's size: it makes room for them and then
  does not store them; here they are refused at once.
* SLRU and 2Q: it stores nothing below 4 objects.
* ARC by bytes, where a handful of objects fit: its ghosts may be more objects than the ghost budget here. Explained
  means equal with a larger budget.

* LFUDA: libcachesim's does not end where few objects fit; it is not asked below 200 objects.

Not asked: LIRS below 200 objects (there libcachesim's exceeds its capacity) and by bytes (its rules are not known),
randomised algorithms. Reported without a verdict: W-TinyLFU, whose
sketch hashes otherwise, and BeladySize, which samples there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.cache.belady import belady_misses, belady_misses_bytes
from evaluators.cache.belady_size import belady_size_misses
from evaluators.cache.generators import GENERATORS
from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import CONTRACT, Job, bind, simulate
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load


@dataclass(frozen=True)
class Reference:
    """What to compare a baseline with.

    Attributes:
        name: Name of the algorithm in the package.
        row: Its name in the reference tables of the data folder, empty if it has none that is comparable.
        options: Parameters of the package's algorithm, ``key=value``.
        policy_id, values: The baseline, if the id is not its name, and values of its constants.
        least: Smallest capacity, in objects, at which to compare.
        stores_from: Below this capacity in objects libcachesim stores nothing or refuses to run.
        ends: Whether libcachesim's always ends.
        by_bytes: Whether its rules by bytes are known.
        unit: Whether it is something else than another one with unit sizes.
        exact: Whether equality is expected.
    """

    name: str
    row: str = ""
    options: tuple[str, ...] = ()
    policy_id: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    least: int = 1
    stores_from: int = 1
    ends: bool = True
    by_bytes: bool = True
    unit: bool = True
    exact: bool = True


ALGORITHMS = {
    "fifo": Reference("FIFO", "FIFO"),
    "lru": Reference("LRU", "LRU"),
    "lfu": Reference("LFU", "LFU"),
    "clock": Reference("Clock", "Clock"),
    "clock, 2 bits": Reference("Clock", "Clock2bit", ("n_bit_counter=2",), "clock", {"ROUNDS": 3}),
    "slru": Reference("SLRU", "SLRU", stores_from=4),
    "arc": Reference("ARC", "ARC"),
    "sieve": Reference("Sieve", "Sieve"),
    "s3fifo": Reference("S3FIFO", "S3FIFO", stores_from=20),
    "twoq": Reference("TwoQ", "TwoQ", stores_from=4),
    "lirs": Reference("LIRS", "LIRS", least=200, by_bytes=False),
    "lfuda": Reference("LFUDA", "LFUDA", least=200, ends=False),
    "gdsf": Reference("GDSF", "GDSF"),
    "lruk": Reference("LRUK", "LRUK2"),
    "qdlp": Reference("QDLP", "QDLP", stores_from=20),
    "mq": Reference("MQ", options=("qout_size_ratio=2.0",)),
    "wtinylfu": Reference("WTinyLFU", least=100, exact=False),
    "belady": Reference("Belady", "Belady"),
    "belady_size": Reference("BeladySize", unit=False, exact=False),
}
SHARES = ("0.1%", "1%", "10%")

_BOUNDS = ("belady", "belady_size")
_BASELINES = Path(__file__).parents[1] / "problems" / "cache" / "baselines"
_WORKER = Path(__file__).with_name("libcachesim_worker.py")
#: Share of the capacity of the queue whose size an object must not have (see the module).
_SMALL = {"s3fifo": 0.1, "qdlp": 0.1}
#: Ghosts enough for any byte capacity.
_LARGE_BUDGET = 50.0


@dataclass(frozen=True)
class Pair:
    """One comparison.

    Attributes:
        trace, algorithm, capacity: What ran.
        requests: Requests of the trace.
        ours, theirs: Misses; ``theirs`` is -1 where libcachesim did not survive.
        by_bytes: Whether objects had their sizes.
        reason: Why a difference is expected here, empty if it is not.
    """

    trace: str
    algorithm: str
    capacity: int
    requests: int
    ours: int
    theirs: int
    by_bytes: bool = False
    reason: str = ""

    @property
    def verdict(self) -> str:
        """``equal``, ``explained`` (see the module) or ``different``."""
        if self.ours == self.theirs:
            return "equal"
        reference = ALGORITHMS[self.algorithm]
        stored_nothing = self.theirs in (-1, self.requests) and self.capacity < reference.stores_from
        endless = self.theirs == -1 and not reference.ends
        if self.reason or stored_nothing or endless:
            return "explained"
        return "different"


def sized_traces(length: int = 20000) -> list[Trace]:
    """Synthetic traces with sizes, one of each kind."""
    rngs = np.random.default_rng(20251124).spawn(len(GENERATORS))
    return [
        make(rng, n_objects=2000, length=length, with_sizes=True)
        for make, rng in zip(GENERATORS.values(), rngs, strict=True)
    ]


def constant_sizes(trace: Trace) -> Trace:
    """The trace with every object as large as in its first request."""
    assert trace.sizes is not None
    _, first = np.unique(trace.ids, return_index=True)
    return replace(trace, sizes=trace.sizes[first][trace.ids])


def traces(files: Iterable[Path]) -> Iterator[tuple[Trace, bool]]:
    """What to compare on, and whether by bytes."""
    for file in files:
        trace = read_trace(str(file), sizes=True)
        yield replace(trace, name=file.name), False
        if trace.sizes is not None and int(trace.sizes.max()) > 1:
            yield constant_sizes(replace(trace, name=file.name)), True
    for trace in sized_traces():
        yield constant_sizes(trace), True


def compare(workloads: Iterable[tuple[Trace, bool]]) -> Iterator[Pair]:
    """Runs every algorithm on every trace at every share of its objects or bytes, both sides."""
    loops: dict[str, Any] = {}
    for algorithm, reference in ALGORITHMS.items():
        if algorithm not in _BOUNDS:
            source = (_BASELINES / f"{reference.policy_id or algorithm}.py").read_text()
            policy = CompiledPolicy(load(source, CONTRACT), (10, 31)).with_values(reference.values)
            loops[algorithm] = (policy, bind(policy))
    with ThreadPoolExecutor(os.cpu_count()) as pool, tempfile.TemporaryDirectory() as scratch:
        for trace, by_bytes, theirs in pool.map(
            lambda work: _ask(work[0], work[1], Path(scratch)), workloads
        ):
            for (algorithm, capacity), misses in theirs.items():
                job = Job(trace, capacity, by_bytes)
                ours = _misses(loops, algorithm, job)
                reason = "" if ours == misses else _reason(loops, algorithm, job, misses)
                yield Pair(trace.name, algorithm, capacity, len(trace), ours, misses, by_bytes, reason)


def _misses(loops: Mapping[str, Any], algorithm: str, job: Job) -> int:
    trace = job.trace
    if algorithm not in _BOUNDS:
        policy, loop = loops[algorithm]
        return int(simulate(policy, loop, job).details["misses"])
    if not job.by_bytes:
        return belady_misses(trace.ids, trace.n_objects, job.capacity)
    assert trace.sizes is not None
    rule = belady_misses_bytes if algorithm == "belady" else belady_size_misses
    return rule(trace.ids, trace.sizes, trace.n_objects, job.capacity)[0]


def _reason(loops: Mapping[str, Any], algorithm: str, job: Job, theirs: int) -> str:
    if theirs == -1 and not ALGORITHMS[algorithm].ends:
        return "libcachesim does not end"
    if not job.by_bytes or job.trace.sizes is None or algorithm in _BOUNDS:
        return ""
    if algorithm in _SMALL and bool(np.any(job.trace.sizes == int(job.capacity * _SMALL[algorithm]))):
        return "an object has the size of the small queue"
    if _misses(loops, algorithm, replace(job, ghost_budget=_LARGE_BUDGET)) == theirs:
        return "equal with a larger ghost budget"
    return ""


def _ask(trace: Trace, by_bytes: bool, scratch: Path) -> tuple[Trace, bool, dict[tuple[str, int], int]]:
    capacities = sorted({trace.capacity(share, "bytes" if by_bytes else "unit") for share in SHARES})
    wanted = [
        (algorithm, capacity)
        for capacity in capacities
        for algorithm, reference in ALGORITHMS.items()
        if (reference.by_bytes if by_bytes else reference.unit and capacity >= reference.least)
    ]
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".oracleGeneral.bin") as copy:
        _write(Path(copy.name), trace.ids, trace.sizes if by_bytes else None)
        questions = [
            ":".join([ALGORITHMS[algorithm].name, str(capacity), *ALGORITHMS[algorithm].options])
            for algorithm, capacity in wanted
        ]
        command = [sys.executable, str(_WORKER), copy.name, "bytes" if by_bytes else "unit", *questions]
        run = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if "No module named 'libcachesim'" in run.stderr:
        raise ModuleNotFoundError("libcachesim is not installed: pip install 'libcachesim==0.3.5'")
    answers = [int(line.split()[1]) for line in run.stdout.splitlines() if line.startswith("misses ")]
    if len(answers) != len(wanted):
        raise RuntimeError(
            f"{trace.name}: libcachesim answered {len(answers)} of {len(wanted)}: {run.stderr}"
        )
    return trace, by_bytes, dict(zip(wanted, answers, strict=True))


def _write(path: Path, ids: np.ndarray, sizes: np.ndarray | None) -> None:
    """Writes an oracleGeneral file.

    The original file will not do: some files state the *time* of an object's next request where libcachesim
    expects its number (counted from 1; -1: never), and then its Belady is not Belady's rule.
    """
    records = np.zeros(len(ids), [("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")])
    records["object"] = ids.astype(np.uint64) + 1
    records["size"] = 1 if sizes is None else sizes
    order = np.argsort(ids, kind="stable")
    again = ids[order[:-1]] == ids[order[1:]]
    records["next"] = -1
    records["next"][order[:-1][again]] = order[1:][again] + 1
    records.tofile(path)


def table(pairs: Sequence[Pair]) -> str:
    """The figures by algorithm, every explanation with its count, and every pair that is different."""
    exact = [p for p in pairs if ALGORITHMS[p.algorithm].exact]
    verdicts = ("equal", "explained", "different")
    count = Counter((p.algorithm, p.verdict) for p in exact)
    lines = [f"{'algorithm':<14}{'compared':>10}" + "".join(f"{v:>11}" for v in verdicts)]
    for name in (*(n for n, reference in ALGORITHMS.items() if reference.exact), "all"):
        row = [
            sum(n for (a, v), n in count.items() if name in (a, "all") and v == verdict)
            for verdict in verdicts
        ]
        lines.append(f"{name:<14}{sum(row):>10}" + "".join(f"{n:>11}" for n in row))
    explained = Counter(
        (p.algorithm, p.reason or f"capacity {p.capacity}") for p in exact if p.verdict == "explained"
    )
    lines += [f"explained: {name}, {n} times: {reason}" for (name, reason), n in sorted(explained.items())]
    lines += [f"different: {p}" for p in exact if p.verdict == "different"]
    for name, reference in ALGORITHMS.items():
        ratios = [
            p.ours / p.theirs for p in pairs if p.algorithm == name and not reference.exact and p.theirs > 0
        ]
        if ratios:
            lines.append(
                f"not comparable exactly: {name}, misses over libcachesim's on {len(ratios)}: "
                f"mean {np.mean(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}"
            )
    return "\n".join(lines)


def report(pairs: Sequence[Pair]) -> str:
    """Both tables."""
    parts = []
    for by_bytes, title in ((False, "unit sizes"), (True, "byte sizes")):
        chosen = [p for p in pairs if p.by_bytes == by_bytes]
        if chosen:
            parts.append(f"{title}, {len({p.trace for p in chosen})} traces\n{table(chosen)}")
    return "\n\n".join(parts)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2
    pairs = list(compare(traces(sorted(Path(arguments[0]).rglob("*.oracleGeneral.bin*")))))
    print(report(pairs))
    return int(any(p.verdict == "different" and ALGORITHMS[p.algorithm].exact for p in pairs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
