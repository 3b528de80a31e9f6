"""Which cores policies save against Captain and Tower on loads of a set, application by application.

    python -m benchmarks.autothrottle_savings POLICY.py … [--set holdout] [--against tower]
    python -m benchmarks.autothrottle_savings plan:bunches,goal_integral,share_hot,FIRST=0.06

In the place of a file stands a plan of the offline composer's parts (``problems/autothrottle/mechanisms``), its structure
first, with the constants that are not to be those of the middle. The set ``hours`` is the hour that reports show, of each
application.

Printed are means over loads with 95 percent bootstrap intervals (loads are resampled, the policies' differences are
paired), and on how many loads each misses the objective: cores saved by missing it are no saving.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from evaluators.autothrottle import simulator
from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.suites import synthetic_suite
from evaluators.base import Score
from metamuse import config, ranking
from metamuse.build import make_problem
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load as load_policy
from problems.autothrottle.mechanisms.plan import drafted
from problems.autothrottle.watching import hour
from problems.composing import Part, Plan


def text(policy: str) -> tuple[str, str]:
    """Name and text of a policy: a file, or a plan."""
    kind, _, parts = policy.partition(":")
    if kind != "plan":
        return Path(policy).stem, Path(policy).read_text(encoding="utf-8")
    names = [part for part in parts.split(",") if "=" not in part]
    numbers = {name: float(x) for name, _, x in (p.partition("=") for p in parts.split(",")) if x}
    plan = Plan(Part(names[0]), tuple(map(Part, names[1:])), numbers)
    return "+".join(names), drafted(plan).source("Put together by hand.")


def main() -> None:
    """Print a line for each policy and application."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("policies", nargs="+")
    parser.add_argument("--set", default="holdout", choices=("feedback", "validation", "holdout", "hours"))
    parser.add_argument("--against", default="tower")
    options = parser.parse_args()
    problem = make_problem(config.compose(["problem=autothrottle"]))
    hours = options.set == "hours"
    loads = [hour(name, 1) for name in APPLICATIONS] if hours else synthetic_suite(options.set, 1)

    def scores(source: str) -> list[Score]:
        policy = CompiledPolicy(load_policy(source, problem.contract), problem.init_example())
        loop = simulator.bind(policy)
        return [simulator.simulate(policy, loop, x) for x in loads]

    rival = scores(problem.baselines[options.against])
    for given in options.policies:
        title, source = text(given)
        found = scores(source)
        for name in (*APPLICATIONS, "all"):
            at = [i for i, x in enumerate(loads) if name in (x.application.name, "all")]

            def saved(of: str, at: list[int] = at, found: list[Score] = found) -> str:
                before, after = (
                    np.array([s[i].value if of == "cost" else s[i].details[of] for i in at])
                    for s in (rival, found)
                )
                values = 100.0 * (1.0 - after / before)
                low, high = ranking.interval(values, seed=0)
                return f"{np.mean(values):+6.2f} % ({low:+.2f} to {high:+.2f})"

            missed = [int(sum(s[i].details["violated"] for i in at)) for s in (rival, found)]
            late = [
                np.mean([s[i].details["p99_ms"] / loads[i].application.slo_ms for i in at])
                for s in (rival, found)
            ]
            print(
                f"{title} against {options.against}, {name:6} ({len(at)} loads): cores saved {saved('cores')}, cost"
                f" {saved('cost')}; objective missed on {missed[1]} ({options.against} {missed[0]}), P99 {late[1]:.2f} of it"
                f" ({late[0]:.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
