"""``problem=dex``: what a compute server does at a missing node of a B+-tree on disaggregated memory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from evaluators.base import Policy, Score, WorkloadError
from evaluators.dex import bounds, simulator
from evaluators.dex.cell import Cell, known
from evaluators.dex.folder import read_cells
from evaluators.dex.suites import shifted_suites, synthetic_suite
from evaluators.paths import expand_paths
from problems.base import Metric, Problem
from problems.dex.watching import compared, phases, watched
from problems.figures import Figure, Tradeoff

_COIN = re.compile(r"^ADMIT = .*$", re.M)
_EAGER = '"""DEX with eager admission: every missing leaf is cached (P_A = 1), inner misses are offloaded by cost."""\n'


class DexProblem(Problem):
    """Caching and offloading in DEX (PVLDB 17(10), 2603-2616): throughput of the slowest server, times the servers.

    Configuration: ``workloads`` (``synthetic`` or paths of YAML cells, one entry a set), ``workload_seed``, ``system``
    (fields of :class:`evaluators.dex.cell.Cell` that all cells are given).

    Raises:
        WorkloadError: A setting makes no sense.
    """

    name = "dex"
    version = "dex-v2"
    metric = Metric(
        "straggler throughput",
        "Mops",
        maximise=True,
        ideal=1000.0,
        digits=2,
        gain="throughput over DEX, %",
    )
    contract = simulator.CONTRACT
    reference = "dex"
    neighbours = (
        "dex",
        "dex_no_offload",
        "dex_offload_only",
        "dex_eager",
        "always_admit",
        "clock",
        "tinylfu",
        "s3fifo",
        "always_offload",
    )
    bounds: tuple[str, ...] = ("ceiling", "oracle")
    tradeoff = Tradeoff(
        "verbs",
        "remote verbs an operation",
        "p99_us",
        "99th percentile of latencies, µs",
        "Less of both is better. Means over workloads.",
    )
    design_keys = {
        "name": "a short name of the algorithm",
        "idea": "the idea in two sentences",
        "state": "what is kept: in a node's word, in a thread, in a server's central words",
        "leaf": "when a missing leaf is admitted, when it is bypassed",
        "offload": "when an operation is handed to the memory server, at which levels",
        "victim": "which of the sampled frames is cooled",
        "constants": "constants worth tuning, with ranges",
    }

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        given = dict(config.get("system") or {})
        unknown = sorted(set(given) - set(known()))
        if unknown:
            raise WorkloadError(f"problem.system has no {unknown[0]}; it has {', '.join(known())}")
        self._given = {name: value for name, value in given.items() if value is not None}
        if self._given:
            self._given = {name: _plain(value) for name, value in self._given.items()}
            warm = (
                {} if "ops" not in self._given or "warm" in self._given else {"warm": self._given["ops"] // 2}
            )
            self._given |= warm
            Cell("problem.system", **self._given)  # says at once what cannot be

    @cached_property
    def baselines(self) -> dict[str, str]:
        """Sources of all baseline policies by id; eager admission is DEX with another number."""
        dex = super().baselines["dex"]
        eager = _EAGER + _COIN.sub("ADMIT = 1.0", dex).partition('"""\n')[2]
        return dict(sorted((super().baselines | {"dex_eager": eager}).items()))

    def init_example(self) -> tuple[Any, ...]:
        return (1, 144, 4, 6)

    def workloads(self, which: str) -> Sequence[Cell]:
        given = str(self.config["workloads"][which])
        if given == "synthetic":
            return synthetic_suite(which, int(self.config["workload_seed"]), self._given)
        return self.load(given)

    def shifts(self, holdout: Sequence[Cell]) -> Mapping[str, Sequence[Cell]]:
        return shifted_suites(int(self.config["workload_seed"]))

    def load(self, patterns: str) -> Sequence[Cell]:
        return [cell for path in expand_paths(patterns) for cell in read_cells(path, self._given)]

    def probes(self) -> Sequence[Cell]:
        small = Cell(
            "probe-read",
            keys=200_000,
            cache_mb=0.15,
            servers=2,
            memory=2,
            threads=3,
            ops=700,
            warm=300,
            cpus=1,
            seed=3,
        )
        return [
            small,
            replace(small, name="probe-write", mix="write-intensive", cold=True, cpus=2, shifts=1),
            replace(small, name="probe-insert", mix="insert-intensive", fill=56, servers=1, cpus=0),
            replace(small, name="probe-scan", mix="scan-intensive", ops=200, warm=50, flood=0.2),
        ]  # fmt: skip

    def bind(self, policy: Policy) -> Any:
        return simulator.bind(policy)

    def simulate(self, policy: Policy, loop: Any, workload: Cell) -> Score:
        return simulator.simulate(policy, loop, workload)

    def bound(self, bound: str, workload: Cell) -> Score:
        """``ceiling``: only popular leaves in the cache, no waits. ``oracle``: popular nodes cached for good, simulated."""
        return {"ceiling": bounds.ceiling, "oracle": bounds.oracle}[bound](workload)

    def watch(self, policy: Policy, loop: Any) -> Sequence[Figure]:
        cell = phases(int(self.config["workload_seed"]))
        return [*watched(policy, loop, cell), *compared(policy, loop, cell)]

    def digest(self, workload: Cell) -> str:
        return workload.digest()

    def events(self, workload: Cell) -> int:
        return 0


def _plain(value: Any) -> Any:
    """Numbers of a command line are ints where they are whole."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) > 1e3 else value


PROBLEM = DexProblem
