"""``problem=autothrottle``: how much CPU every service of an application may use, so that latency holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from evaluators.autothrottle import bounds, simulator
from evaluators.autothrottle.applications import APPLICATIONS, TINY
from evaluators.autothrottle.hindsight import HINDSIGHT
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.suites import ramped, shifted_suites, synthetic_suite
from evaluators.autothrottle.traces import read_trace
from evaluators.base import Policy, Score, WorkloadError
from evaluators.paths import expand_paths
from problems.autothrottle.watching import hour, watched
from problems.base import Metric, Problem
from problems.figures import Figure, Tradeoff


class AutothrottleProblem(Problem):
    """CPU quotas of microservices under a latency objective (Autothrottle, NSDI '24).

    Configuration: ``workloads`` (``synthetic`` or paths of traces, one entry a set), ``application`` of traces and,
    if not ``all``, of synthetic sets, ``loop`` (``closed`` or ``open``), ``burst``, ``workload_seed``, ``hindsight``
    (whether to show what is best in hindsight, beside the bound) and ``hours`` (of the claims).
    """

    name = "autothrottle"
    version = "autothrottle-v1"
    metric = Metric("cost", "cores", maximise=False, ideal=0.0, digits=2, gain="cheaper than Captain, %")
    contract = simulator.CONTRACT
    reference = "captain"
    neighbours = ("captain", "tower", "k8s_cpu", "k8s_cpu_fast", "vpa", "fixed")
    bounds: tuple[str, ...] = ("work",)
    holds = ("service", "services")
    tradeoff = Tradeoff(
        "cores",
        "cores allocated",
        "violated",
        "runs beyond the objective, %",
        "Below and to the left is better; mean over the workloads. What costs fewer cores only because it is late more "
        "often is no saving.",
    )
    design_keys = {
        "name": "a short name of the algorithm",
        "idea": "the idea in two sentences",
        "local": "how a service's limit follows from its usage and its throttled periods",
        "up": "when a limit is raised, by how much, and how a wrong cut is taken back",
        "down": "when a limit is lowered, by how much, and what margin remains",
        "global": "how targets follow from the application's load and latency, if they do",
        "state": "what is kept for a service, and for the application",
        "constants": "constants worth tuning, with ranges",
    }

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._application = str(config.get("application", "all"))
        if self._application not in ("all", *APPLICATIONS):
            raise WorkloadError(
                f"problem.application: there is no {self._application}; there are all, {', '.join(APPLICATIONS)}"
            )
        loop = str(config.get("loop", "closed"))
        if loop not in ("closed", "open"):
            raise WorkloadError(f"problem.loop is closed or open, not {loop}")
        self._closed = loop == "closed"
        self._burst = float(config.get("burst", 0.0))
        if not 0.0 <= self._burst <= 1.0:
            raise WorkloadError(f"problem.burst must be in 0..1 quotas, not {self._burst}")
        if config.get("hindsight", False):
            self.bounds = ("work", *HINDSIGHT)

    def init_example(self) -> tuple[Any, ...]:
        return (32.0, 200.0, 4)

    def workloads(self, which: str) -> Sequence[Load]:
        given = str(self.config["workloads"][which])
        if given != "synthetic":
            return self.load(given)
        names = tuple(APPLICATIONS) if self._application == "all" else (self._application,)
        suite = synthetic_suite(which, int(self.config["workload_seed"]), applications=names)
        return [self._configured(load) for load in suite]

    def shifts(self, holdout: Sequence[Load]) -> Mapping[str, Sequence[Load]]:
        return shifted_suites(int(self.config["workload_seed"]))

    def load(self, patterns: str) -> Sequence[Load]:
        """Traces, one number of requests a second a line, each on every application (or the configured one)."""
        names = list(APPLICATIONS) if self._application == "all" else [self._application]
        seed = int(self.config["workload_seed"])
        return [
            self._configured(ramped(f"{path}#{name}", APPLICATIONS[name], trace, seed))
            for path in expand_paths(patterns)
            for trace in [read_trace(path)]
            for name in names
        ]

    def _configured(self, load: Load) -> Load:
        return replace(load, closed=self._closed, burst=self._burst)

    def probes(self) -> Sequence[Load]:
        return TINY

    def bind(self, policy: Policy) -> Any:
        return simulator.bind(policy)

    def simulate(self, policy: Policy, loop: Any, workload: Load) -> Score:
        return simulator.simulate(policy, loop, workload)

    def bound(self, bound: str, workload: Load) -> Score:
        """What the load's work needs (:func:`evaluators.autothrottle.bounds.work`), or what is best in hindsight."""
        if bound in HINDSIGHT:
            return HINDSIGHT[bound](workload).score
        return bounds.work(workload)

    def watch(self, policy: Policy, loop: Any) -> Sequence[Figure]:
        name = self._application if self._application in APPLICATIONS else next(iter(APPLICATIONS))
        return watched(policy, loop, hour(name, int(self.config["workload_seed"])))

    def digest(self, workload: Load) -> str:
        return workload.digest


PROBLEM = AutothrottleProblem
