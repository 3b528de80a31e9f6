"""``problem=binpacking``: which open bin takes an item, or whether a new one is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evaluators.base import Policy, Score
from evaluators.binpacking import bounds, simulator
from evaluators.binpacking.readers import read_streams
from evaluators.binpacking.stream import Stream
from evaluators.binpacking.suites import shifted_suites, synthetic_suite
from evaluators.paths import expand_paths
from problems.base import Metric, Problem
from problems.binpacking.watching import typical, watched
from problems.figures import Figure


class BinPackingProblem(Problem):
    """Online bin packing (arXiv 2510.03851): bins above the lower bound L1, in percent.

    Configuration: ``workloads`` (``synthetic`` or paths, one entry a set) and ``workload_seed``.
    """

    name = "binpacking"
    version = "binpacking-v1"
    metric = Metric(
        "bins above L1", "%", maximise=False, ideal=0.0, digits=2, gain="lower excess than First Fit, %"
    )
    contract = simulator.CONTRACT
    reference = "first_fit"
    neighbours = (
        "best_fit",
        "first_fit",
        "worst_fit",
        "next_fit",
        "harmonic",
        "sum_of_squares",
        "priority_fit",
    )
    bounds = ("l2",)
    holds = ("bin", "bins")
    design_keys = {
        "name": "a short name of the algorithm",
        "idea": "the idea in two sentences",
        "state": "what is kept, about the open bins and about the items so far",
        "choose": "how the bin for an item is found",
        "new_bin": "when a new bin is opened although an open one has room, if ever",
        "on_packed": "what is updated when an item has been packed",
        "constants": "constants worth tuning, with ranges, as shares of the capacity where they are sizes",
    }

    def init_example(self) -> tuple[Any, ...]:
        return (100,)

    def workloads(self, which: str) -> Sequence[Stream]:
        given = str(self.config["workloads"][which])
        if given != "synthetic":
            return self.load(given)
        return synthetic_suite(which, int(self.config["workload_seed"]))

    def shifts(self, holdout: Sequence[Stream]) -> Mapping[str, Sequence[Stream]]:
        return shifted_suites(int(self.config["workload_seed"]))

    def load(self, patterns: str) -> Sequence[Stream]:
        return [stream for path in expand_paths(patterns) for stream in read_streams(path)]

    def probes(self) -> Sequence[Stream]:
        rng = np.random.default_rng(20251003)
        bell = np.clip(np.round(45 * rng.weibull(3, 300)), 1, 100).astype(np.int64)
        wide = rng.integers(1, 38, 150)
        # The first is small enough for the exact search, so that its kernel is compiled before it is needed.
        return [
            Stream("probe-few", bell[: bounds.SMALL // 2], 100),
            Stream("probe-weibull", bell, 100),
            Stream("probe-wide", wide, 37),
        ]

    def bind(self, policy: Policy) -> Any:
        return simulator.bind(policy)

    def simulate(self, policy: Policy, loop: Any, workload: Stream) -> Score:
        return simulator.simulate(policy, loop, workload)

    def bound(self, bound: str, workload: Stream) -> Score:
        """L2 by Martello and Toth; for up to :data:`evaluators.binpacking.bounds.SMALL` items the optimum, too.

        The detail ``optimum`` is missing where the search for it was given up.
        """
        score = workload.score(bounds.l2(workload.items, workload.capacity))
        if len(workload.items) <= bounds.SMALL:
            optimum = bounds.optimum(workload.items, workload.capacity)
            if optimum is not None:
                score.details["optimum"] = float(optimum)
        return score

    def watch(self, policy: Policy, loop: Any) -> Sequence[Figure]:
        return watched(policy, loop, typical(int(self.config["workload_seed"])))

    def digest(self, workload: Stream) -> str:
        sha = hashlib.sha256(f"bin-packing-1|{workload.capacity}|{len(workload.items)}|".encode())
        sha.update(workload.items.astype("<i8").tobytes())
        return sha.hexdigest()[:16]

    def seconds(self, workload: Stream) -> float:
        return len(workload.items) / _ITEMS_A_SECOND

    def events(self, workload: Stream) -> int:
        return len(workload.items)

    def cut(self, workload: Stream, kept: Sequence[int]) -> Stream:
        return replace(workload, items=workload.items[np.asarray(kept, dtype=np.int64)])

    def smaller(self, workload: Stream) -> Iterable[Stream]:
        for capacity in (2, 3, 5, 10, 20):
            if capacity < workload.capacity:
                shares = np.ceil(workload.items * (capacity / workload.capacity))
                yield Stream(workload.name, np.clip(shares, 1, capacity).astype(np.int64), capacity)

    def tell(self, workload: Stream) -> str:
        return f"with capacity {workload.capacity} on the items {' '.join(map(str, workload.items.tolist()))}"


#: That a rule of middling speed packs.
_ITEMS_A_SECOND = 2e6

PROBLEM = BinPackingProblem
