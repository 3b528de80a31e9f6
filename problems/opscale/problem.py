"""``problem=opscale``: how many replicas of which operators serve an LLM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.base import Policy, Score, WorkloadError
from evaluators.opscale import bounds, simulator
from evaluators.opscale.generators import CODE
from evaluators.opscale.oracle import oracle
from evaluators.opscale.scenario import Scenario, System, seen
from evaluators.opscale.suites import made, shifted_suites, synthetic_suite
from evaluators.opscale.trace import read_trace
from evaluators.paths import expand_paths
from problems.base import Metric, Problem
from problems.figures import Figure, Tradeoff
from problems.opscale.watching import burst, watched

#: Seconds by which copies of a request come later where a trace is thickened.
_JITTER = 5.0


class OpScaleProblem(Problem):
    """Operator-level autoscaling of LLM serving (arXiv 2511.02248, 2608.13499): GPU-hours at 99 % SLO attainment.

    Configuration: ``workloads`` (``synthetic`` or paths, one entry a set), ``workload_seed``, ``parts``, ``windows`` and
    ``thicken`` for traces, ``hindsight``, ``profiles`` (a folder, :mod:`evaluators.opscale.folder`), ``system`` (fields of
    :class:`evaluators.opscale.scenario.System`).

    Raises:
        WorkloadError: A setting makes no sense.
    """

    name = "opscale"
    version = "opscale-v1"
    metric = Metric(
        "GPU-hours at 99 % attainment",
        "GPU h",
        maximise=False,
        ideal=0.0,
        digits=3,
        gain="fewer GPU-hours than model_erlang, %",
    )
    contract = simulator.CONTRACT
    reference = "model_erlang"
    neighbours = (
        "model_erlang",
        "operator_erlang",
        "hybrid",
        "static_peak",
        "hpa",
        "token_rate",
        "uniform_tandem",
    )
    bounds: tuple[str, ...] = ("work", "fixed")
    tradeoff = Tradeoff(
        "gpu_hours",
        "GPU-hours",
        "missed",
        "requests beyond their SLO, %",
        "Less of both is better; more than 1 % missed is failed. Means over workloads, each of which counts 5 % at most.",
    )
    design_keys = {
        "name": "a short name of the algorithm",
        "idea": "the idea in two sentences",
        "state": "what is kept, about the load so far and about the decisions taken",
        "demand": "how the load to come is estimated",
        "replicas": "how many replicas each group gets: whole model, each operator",
        "scale_down": "when replicas are given up",
        "placement": "shares of GPUs, batch caps, who shares a GPU, if the defaults are not kept",
        "constants": "constants worth tuning, with ranges",
    }

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        known = {field.name for field in fields(System)} - {"profiles"}
        given = dict(config.get("system") or {})
        unknown = set(given) - known
        if unknown:
            raise WorkloadError(
                f"problem.system has no {sorted(unknown)[0]}; it has {', '.join(sorted(known))}"
            )
        self._given = {name: value for name, value in given.items() if value is not None}
        if config.get("profiles"):
            self._given["profiles"] = str(Path(str(config["profiles"])).expanduser().absolute())
        if self._given:
            replace(System(), **({"tp": 8} | self._given))  # says at once what cannot be
        if config.get("hindsight", False):
            self.bounds = ("work", "fixed", "oracle")
        for name in ("windows", "thicken"):
            if int(config.get(name, 1)) < 1:
                raise WorkloadError(f"problem.{name} is at least 1, not {config[name]}")

    @cached_property
    def baselines(self) -> dict[str, str]:
        """Sources of all baseline policies by id; the two static ones are one text with another number."""
        text = (self.folder / "baselines" / "_static.py").read_text(encoding="utf-8")
        static = {"static_p95": text, "static_peak": text.replace("\nPAST = 15 ", "\nPAST = 14 ")}
        return dict(sorted((super().baselines | static).items()))

    def init_example(self) -> tuple[Any, ...]:
        return (5, 2.0, 1.5, 0.05)

    def workloads(self, which: str) -> Sequence[Scenario]:
        given = str(self.config["workloads"][which])
        seed = int(self.config["workload_seed"])
        if given == "synthetic":
            return synthetic_suite(which, seed, system=self._given)
        low, high = (float(end) for end in self.config["parts"][which])
        if not 0.0 <= low < high <= 1.0:
            raise WorkloadError(f"problem.parts.{which} is a range within 0..1, not {low}..{high}")
        return self._read(given, low, high)

    def shifts(self, holdout: Sequence[Scenario]) -> Mapping[str, Sequence[Scenario]]:
        return shifted_suites(int(self.config["workload_seed"]))

    def load(self, patterns: str) -> Sequence[Scenario]:
        return self._read(patterns, 0.0, 1.0)

    def _read(self, patterns: str, low: float, high: float) -> list[Scenario]:
        system = System(**self._given)
        windows, times = int(self.config.get("windows", 1)), int(self.config.get("thicken", 1))
        out = []
        for path in expand_paths(patterns):
            trace = read_trace(path)
            rng = np.random.default_rng(int(self.config["workload_seed"]))
            trace = trace.thickened(times, _JITTER, rng)
            for window in range(windows):
                start = low + (high - low) * window / windows
                cut = trace.part(start, low + (high - low) * (window + 1) / windows)
                if not len(cut.arrivals):
                    raise WorkloadError(f"{path}: no requests in a part of the time range; use fewer windows")
                # A static plan knows what came before; where nothing did, it is given the trace's own load.
                before = trace.part(0.0, start) if start > 0 else cut
                past = seen(before if len(before.arrivals) else cut)
                name = path if windows == 1 else f"{path}#{window}"
                out.append(Scenario(name, system, cut.arrivals, cut.prompts, cut.outputs, past))
        return out

    def probes(self) -> Sequence[Scenario]:
        rng = np.random.default_rng(20251102)
        small = System(gpus=12)
        return [
            made(rng, "probe-prefill", small, "bursty", CODE, 6.0, 30.0),
            made(rng, "probe-decode", replace(small, phases="decode"), "steps", CODE, 6.0, 20.0),
            made(
                rng, "probe-serve", replace(small, phases="serve", model_delay=4.0), "smooth", CODE, 3.0, 16.0
            ),
            made(rng, "probe-tandem", replace(small, whole="uniform_tandem"), "smooth", CODE, 3.0, 16.0),
            made(
                rng,
                "probe-failing",
                replace(small, phases="serve", model_delay=2.0, mtbf=10.0),
                "steps",
                CODE,
                3.0,
                16.0,
            ),
        ]

    def bind(self, policy: Policy) -> Any:
        return simulator.bind(policy)

    def simulate(self, policy: Policy, loop: Any, workload: Scenario) -> Score:
        return simulator.simulate(policy, loop, workload)

    def bound(self, bound: str, workload: Scenario) -> Score:
        """``work``: GPU-hours of the work alone. ``fixed``: the best fixed number of whole replicas, with hindsight.

        ``oracle`` (with ``hindsight``): the best operator pools window by window (:mod:`evaluators.opscale.oracle`).
        """
        return {"work": bounds.work, "fixed": bounds.fixed, "oracle": oracle}[bound](workload)

    def watch(self, policy: Policy, loop: Any) -> Sequence[Figure]:
        return watched(policy, loop, burst(int(self.config["workload_seed"]), self._given))

    def remarks(self, rows: Sequence[Mapping[str, float]]) -> Sequence[str]:
        """The metric is GPU-hours only where enough requests attain."""
        asked = sum(row["requests"] for row in rows)
        attained = sum(row["attainment"] * row["requests"] for row in rows) / asked
        good = sum(row["attainment"] >= simulator.ATTAINMENT for row in rows)
        return (
            f"the metric is GPU-hours and, on workloads on which less than 99 % of the requests attain, a penalty. Here "
            f"{100 * attained:.2f} % of all requests attain, at least 99 % on {good} of {len(rows)} workloads; GPU-hours "
            f"without the penalty are {sum(row['gpu_hours'] for row in rows):.1f} in all.",
        )

    def digest(self, workload: Scenario) -> str:
        return workload.digest()

    def events(self, workload: Scenario) -> int:
        return len(workload.arrivals)

    def cut(self, workload: Scenario, kept: Sequence[int]) -> Scenario:
        at = np.asarray(kept, dtype=np.int64)
        return replace(
            workload,
            arrivals=workload.arrivals[at],
            prompts=workload.prompts[at],
            outputs=workload.outputs[at],
        )

    def smaller(self, workload: Scenario) -> Iterable[Scenario]:
        for gpus in (1, 2, 4):
            if gpus < workload.system.gpus and gpus >= workload.system.tp:
                yield workload.on(gpus=gpus)

    def tell(self, workload: Scenario) -> str:
        system = workload.system
        come = ", ".join(
            f"{t:.2f} s: {p}+{o}"
            for t, p, o in zip(workload.arrivals, workload.prompts, workload.outputs, strict=True)
        )
        return f"for {system.phases} of {system.model} on {system.gpus} GPUs with the requests (prompt+output tokens) {come}"


PROBLEM = OpScaleProblem
