"""``problem=cache``: which object to evict, and whether to admit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.base import Policy, Score, WorkloadError
from evaluators.cache import simulator
from evaluators.cache.belady import belady_misses, belady_misses_bytes
from evaluators.cache.belady_size import belady_size_misses
from evaluators.cache.builder import TraceBuilder
from evaluators.cache.capacity import Capacity, CapacityError, SizeMode, parse_capacity
from evaluators.cache.readers import read_trace
from evaluators.cache.sampling import check_rate, sampled
from evaluators.cache.spool import spooled
from evaluators.cache.suites import synthetic_suite
from evaluators.cache.trace import Trace
from evaluators.paths import expand_paths
from problems.base import Metric, Problem
from problems.cache.watching import changing, watched
from problems.figures import Figure


class CacheProblem(Problem):
    """Cache replacement (arXiv 2510.03851): miss ratio, reported as reduction from FIFO.

    Configuration: ``capacity`` (see :func:`evaluators.cache.capacity.parse_capacity`), ``sizes``
    (``unit`` or ``bytes``), ``warmup`` (share of each trace that is served but not counted), ``ghost_budget``,
    ``columns`` (names of the key, size and time columns of tables), ``sample`` (share of the objects that are
    served, see :mod:`evaluators.cache.sampling`), ``spool`` (folder for traces larger than memory, see
    :mod:`evaluators.cache.spool`), ``workloads`` (``synthetic`` or paths,
    one entry a set) and ``workload_seed``.
    """

    name = "cache"
    version = "cache-v1"
    metric = Metric("miss ratio", "", maximise=False, ideal=0.0, digits=4, gain="fewer misses than FIFO, %")
    contract = simulator.CONTRACT
    reference = "fifo"
    neighbours = ("lru", "fifo", "lfu", "wtinylfu", "clock", "arc", "sieve", "slru", "s3fifo")
    bounds: tuple[str, ...] = ("belady_bypass", "belady")
    design_keys = {
        "name": "a short name of the algorithm",
        "idea": "the idea in two sentences",
        "state": "what is kept, per object and overall",
        "on_hit": "what happens when a cached object is requested",
        "victim": "how the object to evict is found",
        "on_insert": "what happens when an object comes in, also one that was evicted before",
        "on_evict": "what is remembered of an evicted object, and for how long",
        "admission": "which objects are not admitted at all, if any",
        "constants": "constants worth tuning, with ranges",
    }

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.sizes: SizeMode = config["sizes"]
        if self.sizes not in ("unit", "bytes"):
            raise WorkloadError(f"problem.sizes must be unit or bytes, not {self.sizes}")
        self.capacity: Capacity = parse_capacity(str(config["capacity"]))
        self.warmup = float(config["warmup"])
        if not 0 <= self.warmup < 1:
            raise WorkloadError(f"problem.warmup must be a share in [0, 1), not {self.warmup}")
        self.holds = ("object", "capacity") if self.sizes == "unit" else None
        if self.sizes == "bytes":
            self.bounds = ("belady_size", "belady")
        if self.warmup:
            self.bounds = ()  # Belady's misses are counted from the first request on
        self.ghost_budget = float(config["ghost_budget"])
        if not 0 <= self.ghost_budget <= 100:
            raise WorkloadError(f"problem.ghost_budget must lie in 0..100, not {self.ghost_budget}")
        # Recorded configurations of earlier versions do not have these two.
        self.rate = check_rate(float(config.get("sample", 1)))
        self.spool = None if config.get("spool") is None else Path(str(config["spool"]))

    def init_example(self) -> tuple[Any, ...]:
        return (16, 49)

    def job(self, trace: Trace) -> simulator.Job:
        """A trace at the configured capacity."""
        try:
            capacity = trace.capacity(self.capacity, self.sizes)
        except CapacityError as error:
            raise WorkloadError(f"problem.capacity: {error}") from None
        return simulator.Job(
            trace, capacity, self.sizes == "bytes", int(self.warmup * len(trace.ids)), self.ghost_budget
        )

    def workloads(self, which: str) -> Sequence[simulator.Job]:
        given = str(self.config["workloads"][which])
        if given != "synthetic":
            return self.load(given)
        seed = int(self.config["workload_seed"])
        traces = synthetic_suite(which, seed, with_sizes=self.sizes == "bytes")  # type: ignore[arg-type]
        return [self.job(sampled(trace, self.rate)) for trace in traces]

    def shifts(self, holdout: Sequence[simulator.Job]) -> Mapping[str, Sequence[simulator.Job]]:
        spread = holdout[:: -(-len(holdout) // _SHIFTED)]
        sized = {
            name: [replace(job, capacity=max(1, int(job.capacity * factor))) for job in spread]
            for name, factor in (("a tenth of the capacity", 0.1), ("three times the capacity", 3))
        }
        # At a share close to the whole working set every policy is the same.
        return {name: kept for name, kept in sized.items() if all(_is_tight(job) for job in kept)}

    def load(self, patterns: str) -> Sequence[simulator.Job]:
        return [self.job(self._read(path)) for path in expand_paths(patterns)]

    def _read(self, path: str) -> Trace:
        columns = dict(self.config["columns"]) if self.config["columns"] else None
        by_bytes = self.sizes == "bytes"
        if self.spool is not None:
            return spooled(path, self.spool, sizes=by_bytes, columns=columns, rate=self.rate)
        build = partial(TraceBuilder, rate=self.rate)
        return read_trace(path, sizes=by_bytes, columns=columns, build=build)

    def probes(self) -> Sequence[simulator.Job]:
        rng = np.random.default_rng(20251003)
        skewed = np.minimum(rng.pareto(0.8, 500), 250).astype(np.int64)
        mixed = np.concatenate([skewed[:150], np.arange(1000, 1120), skewed[150:250], np.arange(1000, 1060)])
        by_bytes = self.sizes == "bytes"
        jobs = []
        for keys, capacity in ((skewed, 30), (mixed, 7)):
            sizes = 1 + keys % 7 if by_bytes else None
            trace = Trace.from_keys("probe", keys, sizes=sizes)
            room = capacity * 4 if by_bytes else capacity
            jobs.append(simulator.Job(trace, room, by_bytes, 0, self.ghost_budget))
        return jobs

    def bind(self, policy: Policy) -> Any:
        return simulator.bind(policy)

    def simulate(self, policy: Policy, loop: Any, workload: simulator.Job) -> Score:
        return simulator.simulate(policy, loop, workload)

    def bound(self, bound: str, workload: simulator.Job) -> Score:
        trace = workload.trace
        if workload.by_bytes and trace.sizes is not None:
            rule = belady_size_misses if bound == "belady_size" else belady_misses_bytes
            misses, missed = rule(trace.ids, trace.sizes, trace.n_objects, workload.capacity)
            details = {"byte_miss_ratio": missed / int(trace.sizes.sum())}
        else:
            bypass = bound == "belady_bypass"
            misses = belady_misses(trace.ids, trace.n_objects, workload.capacity, bypass)
            details = {}
        n = len(trace.ids)
        details |= {"requests": float(n), "misses": float(misses), "capacity": float(workload.capacity)}
        return Score(trace.name, min(1.0, misses / trace.expected), details)

    def watch(self, policy: Policy, loop: Any) -> Sequence[Figure]:
        job = changing(int(self.config["workload_seed"]), self.sizes == "bytes", self.ghost_budget)
        return watched(policy, loop, job)

    def digest(self, workload: simulator.Job) -> str:
        return workload.trace.digest()

    def seconds(self, workload: simulator.Job) -> float:
        return len(workload.trace) / _REQUESTS_A_SECOND

    def events(self, workload: simulator.Job) -> int:
        return len(workload.trace)

    def cut(self, workload: simulator.Job, kept: Sequence[int]) -> simulator.Job:
        trace, places = workload.trace, np.asarray(kept, dtype=np.int64)
        sizes = None if trace.sizes is None else trace.sizes[places]
        return replace(workload, trace=Trace.from_keys(trace.name, trace.ids[places], sizes))

    def smaller(self, workload: simulator.Job) -> Iterable[simulator.Job]:
        return (replace(workload, capacity=c) for c in (1, 2, 3, 4, 6, 10, 20) if c < workload.capacity)

    def tell(self, workload: simulator.Job) -> str:
        trace = workload.trace
        names = [chr(ord("A") + i) if trace.n_objects <= 26 else f"O{i}" for i in trace.ids.tolist()]
        if workload.by_bytes and trace.sizes is not None:
            names = [f"{name} ({size})" for name, size in zip(names, trace.sizes.tolist(), strict=True)]
        sized = " (size in brackets)" if workload.by_bytes else ""
        return f"with capacity {workload.capacity} on the requests{sized} {' '.join(names)}"


#: Hold-out workloads, evenly chosen, that are scored at other capacities.
_SHIFTED = 12

#: That a policy of middling speed serves.
_REQUESTS_A_SECOND = 2e7


def _is_tight(job: simulator.Job) -> bool:
    """Whether not everything fits."""
    return job.capacity < (job.trace.footprint if job.by_bytes else job.trace.n_objects)


PROBLEM = CacheProblem
