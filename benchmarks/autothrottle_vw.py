"""Tower with the authors' own model, Vowpal Wabbit, beside the baseline that has a fast one in its place.

    pip install -c constraints.txt -e '.[vw]'      # in the checkout
    python -m benchmarks.autothrottle_vw [social hotel train] [--set holdout] [--draws 10000]

Both start from the same samples of the warm-up (``benchmarks.autothrottle_warm_up``) and see the same loads. Options of
the model, medians over groups and draws are those of the authors' released code (``VwTower``): a contextual bandit over
81 actions with one hidden layer of three units, trained anew each minute on samples drawn with replacement.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import mean, median
from typing import Any

import numpy as np

from evaluators.autothrottle import simulator
from evaluators.autothrottle.application import Application
from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.suites import synthetic_suite
from evaluators.base import Policy
from metamuse import config
from metamuse.build import make_problem
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load as load_policy
from problems.autothrottle.baselines import tower

OPTIONS = "--cb_explore 81 --epsilon 0 -l 0.5 --nn 3 --quiet"
DRAWS = 10_000
#: Requests a second of a bin.
BINS = {"social": 20.0, "hotel": 200.0, "train": 20.0}

#: Action, requests a second, P99 in ms, cores.
Sample = tuple[int, float, float, float]


def unpacked(numbers: Sequence[int]) -> list[Sample]:
    """Samples of the warm-up from the text of the baseline."""
    return [
        (n // 10**16, float(n // 10**11 % 10**5), float(n // 10**5 % 10**6), n % 10**5 / 10) for n in numbers
    ]


def costs(samples: Sequence[Sample], slo_ms: float) -> list[float]:
    """Of each minute: 0 to 1 by its cores if it met the objective, else 2 to 3 by its P99."""
    cores = [c for _, _, p99, c in samples if p99 <= slo_ms]
    late = [p99 for _, _, p99, _ in samples if p99 > slo_ms]

    def scaled(x: float, values: Sequence[float]) -> float:
        low, high = min(values), max(values)
        return (x - low) / (high - low) if high > low else 0.5

    return [scaled(c, cores) if p99 <= slo_ms else 2.0 + scaled(p99, late) for _, _, p99, c in samples]


def grouped(samples: Sequence[Sample], slo_ms: float, width: float) -> list[tuple[int, float, float]]:
    """Action, load and median cost of all samples of an action at about the same load."""
    groups: dict[tuple[int, float], list[float]] = defaultdict(list)
    for (action, load, _, _), cost in zip(samples, costs(samples, slo_ms), strict=True):
        groups[action, round(load / width) * width].append(cost)
    return [(action, load, median(found)) for (action, load), found in groups.items()]


class VowpalTower:
    """The global law as an object of Python: it stands in for a policy (:class:`evaluators.base.Policy`).

    Args:
        application: What it controls.
        warm: Samples to start from.
        draws: How many samples the model is trained on each minute.
    """

    compiled = False
    methods = frozenset({"global_"})

    def __init__(self, application: Application, warm: Sequence[Sample], draws: int = DRAWS) -> None:
        self.application = application
        self.warm = tuple(warm)
        self.draws = draws

    def reads(self, method: str, parameter: str) -> bool:
        """Whether the law might use it."""
        return method in self.methods

    def state(self, *init: Any) -> VowpalTower:
        """Itself, as it starts."""
        self.samples = list(self.warm)
        self.action = tower.MIDDLE
        self.load = 0.0
        self.rng = np.random.default_rng(1)
        return self

    def grow(self, state: VowpalTower, room: int) -> VowpalTower:
        """The same: nothing grows."""
        return state

    def bind(self, factory: Callable[..., Any], defaults: Mapping[str, Any]) -> Any:
        """The loop over services around the law."""
        return factory(local=None, global_=VowpalTower.global_, view=lambda x: x, show=lambda x: x)

    def global_(
        self, minute: int, service: int, app: Any, services: Any, history: Any, pos: int, cluster: Any
    ) -> float:
        """The target of a service."""
        if service == 0:
            if minute > 0 and self.load > 0.0:
                self.samples.append((self.action, self.load, float(app[4]), float(app[6])))
            self.load = float(app[0])
            if minute > 0:
                self.action = self.chosen()
        row = self.action // tower.N if cluster[service] == 1 else self.action % tower.N
        return tower.TARGETS[row]

    def chosen(self) -> int:
        """The action that a model trained on all samples so far prefers at the present load."""
        from vowpalwabbit import Workspace

        groups = grouped(self.samples, self.application.slo_ms, BINS[self.application.name])
        model = Workspace(OPTIONS)
        lines = [f"{action + 1}:{cost}:{1 / 81} | rps:{load}" for action, load, cost in groups]
        examples = [model.parse(line) for line in lines]
        for place in self.rng.integers(len(groups), size=self.draws):
            model.learn(examples[place])
        odds = model.predict(f"| rps:{self.load}")
        for example in examples:
            model.finish_example(example)
        model.finish()
        return int(np.argmax(odds))


def main() -> None:
    """Print a row for each application and law."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("applications", nargs="*", default=list(APPLICATIONS))
    parser.add_argument("--set", default="holdout", choices=("feedback", "validation", "holdout"))
    parser.add_argument("--draws", type=int, default=DRAWS)
    options = parser.parse_args()
    problem = make_problem(config.compose(["problem=autothrottle"]))
    laws: dict[str, Callable[[Application], Policy]] = {}
    for name in ("captain", "tower"):
        program = load_policy(problem.baselines[name], problem.contract)
        policy = CompiledPolicy(program, problem.init_example())
        laws[name] = lambda app, policy=policy: policy
    laws["tower, Vowpal Wabbit"] = lambda app: VowpalTower(
        app, unpacked(getattr(tower, f"WARM_{app.slo_ms:g}")), options.draws
    )
    for name in options.applications:
        app = APPLICATIONS[name]
        loads = [x for x in synthetic_suite(options.set, 1) if x.application.name == name]
        for law, made in laws.items():
            began = time.process_time()
            policy = made(app)
            scores = [simulator.simulate(policy, simulator.bind(policy), x) for x in loads]
            cores = mean(s.details["cores"] for s in scores)
            late = mean(s.details["p99_ms"] for s in scores) / app.slo_ms
            missed = sum(s.details["violated"] for s in scores)
            print(
                f"{name:7} {law:20} cost {mean(s.value for s in scores):7.2f}, cores {cores:7.2f}, P99 {late:.2f} of the"
                f" objective, missed on {missed:.0f} of {len(loads)} loads ({time.process_time() - began:.0f} s of CPU)",
                flush=True,
            )


if __name__ == "__main__":
    main()
