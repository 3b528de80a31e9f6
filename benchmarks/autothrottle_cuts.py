"""How often Captain cuts a limit, and how often it takes the cut back within the second.

    python -m benchmarks.autothrottle_cuts [application …] [--kind diurnal]

One of the hours of the acceptance claims for each application, at fixed targets for all services; services of more than 0.1
cores. Taking back at the tick of the next decision is not counted: that decision would do as much.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.captain import CUT, STATE, captain, make_states
from evaluators.autothrottle.contract import LEAST_CHANGE, LEAST_CORES
from evaluators.autothrottle.generators import KINDS
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.native import Native, pair
from evaluators.autothrottle.simulator import Loops, bind, simulate
from problems.autothrottle.acceptance.hours import hours

TARGETS = (0.02, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3)
USED = 0.1
#: Columns beside Captain's own: decisions, cuts, cuts taken back.
DECISIONS, CUTS, BACK = range(STATE, STATE + 3)


class Counting(Native):
    """Captain at a fixed target, whose states count what it does."""

    def __init__(self, load: Load, target: float) -> None:
        app = load.application
        super().__init__("target", pair(app, target, target).rows)
        self.methods = frozenset({"local", "global_"})
        n = len(app.services)
        self.states = np.hstack([make_states(n, app.node_cores), np.zeros((n, 3))])

    def bank(self, states: Sequence[Any]) -> np.ndarray:
        """The states of all services."""
        return self.states


@njit
def counting(states, tick, seen, targets, wanted, digest):  # type: ignore[no-untyped-def]
    """The local loop of Captain (:mod:`evaluators.autothrottle.simulator`), counting."""
    obs, usage, _, _ = seen
    for s in range(len(wanted)):
        state = states[s]
        cut = state[CUT] > 0.0
        limit = captain(state[:STATE], tick, obs[s], usage[s], targets[s])
        if tick % 10 == 9:
            state[DECISIONS] += 1.0
            state[CUTS] += state[CUT]
        elif cut and state[CUT] == 0.0:
            state[BACK] += 1.0
        limit = min(max(limit, LEAST_CORES), obs[s, 6])
        wanted[s] = obs[s, 0] if abs(limit - obs[s, 0]) < LEAST_CHANGE else limit
    return -1, digest


def main() -> None:
    """Print one line an application and target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("applications", nargs="*", default=list(APPLICATIONS))
    parser.add_argument("--kind", choices=list(KINDS), default="diurnal")
    options = parser.parse_args()
    loads = hours({}, False)
    for name in options.applications:
        load = loads[name, options.kind]
        used = load.application.demand * load.rps[load.ramp_s :].mean() > USED
        for target in TARGETS:
            policy = Counting(load, target)
            loops = Loops(counting, bind(Native("target", policy.rows)).global_)
            score = simulate(policy, loops, load)
            decisions, cuts, back = policy.states[used, DECISIONS : BACK + 1].sum(axis=0)
            print(
                f"{name:7} target {target:4}: {100 * cuts / decisions:5.2f} % of the decisions are cuts, {100 * back / cuts:5.2f} %"
                f" of these are taken back; P99 {score.details['p99_ms'] / load.application.slo_ms:.2f} of the objective",
                flush=True,
            )


if __name__ == "__main__":
    main()
