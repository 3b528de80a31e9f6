"""A plan of the offline composer's parts against tuned baselines on real sites, all tuned alike on the validation set.

    METAMUSE_DATA=... python -m benchmarks.sensing_plan [trials] [structure rule rule ...]

Every policy's constants are tuned in as many trials on the synthetic validation set; then each is scored once on the real-site
hold-out. Differences in percent: mean, 95 % interval of a bootstrap over windows, over sites and windows within them, and
over places (the mean squared error of efflux at each place of each window).
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.sensing_holdout import SEED, over_sites
from evaluators.sensing import recovery, simulator
from metamuse import config
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from metamuse.ranking import interval
from metamuse.tuning import tune
from problems.base import make
from problems.composing import Part, Plan
from problems.sensing.mechanisms.plan import drafted

TRIALS = 50
PLAN = ("shares", "probe_floor", "flux_volatility", "event_burst", "radio_retry")
OPPONENTS = ("split_fixed", "volatility_adaptive", "energy_neutral")


def main(arguments: list[str]) -> None:
    trials = int(arguments[0]) if arguments else TRIALS
    structure, *rules = arguments[1:] or PLAN
    problem = make(config.compose(["problem=sensing", "problem.workloads.holdout=sites"])["problem"])
    validation, holdout = problem.workloads("validation"), problem.workloads("holdout")
    sources = {"plan": drafted(Plan(Part(structure), tuple(map(Part, rules)))).source("x")}
    sources |= {id: problem.baselines[id] for id in OPPONENTS}
    values, errors = {}, {}
    for id, source in sources.items():
        program = load(source, problem.contract)
        policy = CompiledPolicy(program, problem.init_example())
        loop = problem.bind(policy)

        def loss(given, policy=policy, loop=loop):  # type: ignore[no-untyped-def]
            chosen = policy.with_values(given)
            return -float(np.mean([problem.simulate(chosen, loop, w).value for w in validation]))

        found = tune(program.constants, loss, trials, SEED)
        assert found is not None
        tuned = policy.with_values(found.values)
        runs = [simulator.run(tuned, loop, task) for task in holdout]
        values[id] = np.array([score.value for score, _, _ in runs])
        errors[id] = np.concatenate([outcome.places[:, recovery.ERRORS + 3] for _, outcome, _ in runs])
        print(
            f"{id:<22} validation {-loss(found.values):.3f}, real sites {values[id].mean():.3f}  {dict(found.values)}"
        )
    sites = [task.name.partition("#")[0] for task in holdout]
    changes = {"the best fixed schedules": 100.0 * (values["plan"] - 1.0)}
    changes |= {f"{id}, tuned": 100.0 * (values["plan"] / values[id] - 1.0) for id in OPPONENTS}
    for id, change in changes.items():
        low, high = interval(change, SEED)
        least, most = over_sites(change, sites)
        better = int(np.count_nonzero(change < 0))
        print(
            f"plan against {id}: {change.mean():+.1f} % [{low:+.1f}, {high:+.1f}] over {len(change)} windows,"
            f" [{least:+.1f}, {most:+.1f}] over {len(set(sites))} sites; better on {better}"
        )
    for id in OPPONENTS:
        change = 50.0 * np.log(errors["plan"] / errors[id])  # of the root, near enough in percent
        low, high = interval(change, SEED)
        print(
            f"efflux error at {len(change)} places, against {id}: {change.mean():+.1f} % [{low:+.1f}, {high:+.1f}]"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
