"""``problem=sensing``: when a soil sensor node wakes, reads CO2 and opens its radio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluators.base import Policy, Score, WorkloadError
from evaluators.paths import expand_paths
from evaluators.sensing import simulator
from evaluators.sensing.deployment import read_deployment
from evaluators.sensing.oracle import oracle
from evaluators.sensing.scenario import Hardware, Scenario
from evaluators.sensing.simulator import Measured
from evaluators.sensing.sites import replays, site_files
from evaluators.sensing.suites import KINDS, made, shifted_suites, synthetic_suite
from problems.base import Metric, Problem, Results
from problems.figures import Figure, Tradeoff
from problems.sensing.deployed import Deployed, deployed, is_deployment, load, with_goals, written
from problems.sensing.watching import season, watched

#: Synthetic scenarios on which finalists are scored where the hold-out set is real sites: one of each kind.
_EACH_KIND = len(KINDS)


class SensingProblem(Problem):
    """A soil sensor network (arXiv 2102.10260): what is known at the base, for the energy that there is.

    Configuration: ``workloads`` (``synthetic``, ``sites`` or paths of tables, one entry a set; ``auto`` is the sites if their
    records are there), ``sites`` (folder of the records), ``workload_seed``, ``hardware`` (fields of
    :class:`evaluators.sensing.scenario.Hardware` that synthetic scenarios are given), ``deployment`` (path of a deployment
    file: ``synthetic`` scenarios are then its seasons in drawn weather, and ``auto`` its records if it has any).

    Raises:
        WorkloadError: A setting makes no sense.
    """

    name = "sensing"
    version = "sensing-v1"
    metric = Metric(
        "loss over the best fixed schedule's",
        "",
        maximise=False,
        ideal=0.0,
        digits=3,
        gain="less loss than split_fixed, %",
    )
    contract = simulator.CONTRACT
    reference = "split_fixed"
    neighbours = (
        "split_fixed",
        "fixed",
        "energy_neutral",
        "volatility_adaptive",
        "send_on_delta",
        "dual_prediction",
        "rain_reactive",
        "pomdp",
    )
    bounds: tuple[str, ...] = ("oracle", "best_fixed")
    tradeoff = Tradeoff(
        "joules_a_day",
        "joules a node and day",
        "loss",
        "loss in units of the goals",
        "Less of both is better; means over workloads. The battery is the constraint: unspent energy earns nothing.",
    )
    design_keys = {
        "name": "a short name of the algorithm",
        "idea": "the idea in two sentences",
        "state": "what a node keeps, of its readings and of its energy",
        "budget": "how much energy it gives to probes, CO2 and radio, and how that follows the store or the sun",
        "sampling": "when it wakes, and when it reads CO2",
        "events": "what it does at wet-ups, rain alerts and suspect readings",
        "radio": "when it opens the radio, what it sends first, what it does after a failure",
        "constants": "constants worth tuning, with ranges",
    }

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._hardware = {k: v for k, v in dict(config.get("hardware") or {}).items() if v is not None}
        Hardware.preset("text", **self._hardware)  # says at once what cannot be
        self._files = site_files(config.get("sites"))
        given = config.get("deployment")
        self._deployment = None if given is None else read_deployment(str(given))

    def init_example(self) -> tuple[Any, ...]:
        return (60.0, 240.0, 3e-5, 9e-4, 0.243, 0.06, 0.012, 0.0)

    def workloads(self, which: str) -> Sequence[Measured]:
        given = str(self.config["workloads"][which])
        if self._deployment is not None and given in ("auto", "synthetic"):
            return deployed(self._deployment, which, int(self.config["workload_seed"]), given == "auto")
        if given == "auto":
            given = "sites" if self._files else "synthetic"
        if given == "synthetic":
            suite = synthetic_suite(which, int(self.config["workload_seed"]), hardware=self._hardware)
            return [Measured(scenario) for scenario in suite]
        if given == "sites":
            if not self._files:
                raise WorkloadError(
                    f"problem.workloads.{which}=sites needs the records of the sites: problem.sites=<folder>, or METAMUSE_DATA"
                )
            return [Measured(scenario) for scenario in replays(self._files)]
        return self.load(given)

    def shifts(self, holdout: Sequence[Measured]) -> Mapping[str, Sequence[Measured]]:
        seed = int(self.config["workload_seed"])
        suites = shifted_suites(seed, self._hardware)
        if any(task.name.startswith("synthetic/") for task in holdout):
            if self._files:  # the gate: no winner without its score on real sites
                suites = {"real sites": replays(self._files), **suites}
        else:
            suites = {"synthetic": synthetic_suite("holdout", seed, _EACH_KIND, self._hardware), **suites}
        return {what: [Measured(scenario) for scenario in suite] for what, suite in suites.items()}

    def load(self, patterns: str) -> Sequence[Measured]:
        """Deployment files (their records, or else seasons in drawn weather), and tables of sites by windows of 45 days."""
        paths = expand_paths(patterns)
        tables = [path for path in paths if not is_deployment(path)]
        found: list[Measured] = []
        for path in paths:
            if is_deployment(path):
                found += load(path, int(self.config["workload_seed"]))
        return found + [Measured(scenario) for scenario in replays(tables)]

    def probes(self) -> Sequence[Measured]:
        rng = np.random.default_rng(20210210)
        return [
            Measured(made(rng, f"probe-{name}", KINDS[name], 4, days))
            for name, days in (("text-wood", 8), ("fitted-solar", 7), ("text-relays", 6))
        ]

    def bind(self, policy: Policy) -> Any:
        return simulator.bind(policy)

    def simulate(self, policy: Policy, loop: Any, workload: Measured) -> Score:
        if isinstance(workload, Deployed):
            return with_goals(policy, loop, workload)
        return simulator.simulate(policy, loop, workload)

    def results(self, policy: Policy, loop: Any, workload: Measured) -> Results | None:
        return written(policy, loop, workload) if isinstance(workload, Deployed) else None

    def bound(self, bound: str, workload: Measured) -> Score:
        """``oracle``: the best times of as many CO2 readings as the energy allows, with hindsight, all other goals free.

        ``best_fixed``: 1, the best fixed schedule of the workload.
        """
        if bound == "best_fixed":
            return Score(workload.name, 1.0, {**workload.par.details, "fixed_loss": workload.par.loss})
        return oracle(workload)

    def watch(self, policy: Policy, loop: Any) -> Sequence[Figure]:
        return watched(policy, loop, season(int(self.config["workload_seed"])))

    def digest(self, workload: Measured) -> str:
        return workload.digest

    def events(self, workload: Measured) -> int:
        return len(workload.scenario.nodes)

    def cut(self, workload: Measured, kept: Sequence[int]) -> Measured:
        return Measured(workload.scenario.only(kept))

    def tell(self, workload: Measured) -> str:
        scenario: Scenario = workload.scenario
        return f"with {len(scenario.nodes)} nodes for {scenario.days:g} days, {scenario.hardware.store_j:.0f} J each"


PROBLEM = SensingProblem
