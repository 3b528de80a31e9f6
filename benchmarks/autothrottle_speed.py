"""How fast the simulator of ``problem=autothrottle`` is at each application's nominal load, and how long policies compile.

    python -m benchmarks.autothrottle_speed [application …] [--times 5]

The nominal load is the authors' constant one: 500 requests a second for the social network, 2000 for the hotel, 200 for
the train. Measured are 300 s of it under Captain at a target of 0.1, in CPU time of one core, best and median of the
runs; a visit is one request's stay at one service. Compilation is CPU time of the second policy onwards (the first one
also loads the compiler).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from evaluators.autothrottle.application import Application, Visit
from evaluators.autothrottle.applications import APPLICATIONS
from evaluators.autothrottle.generators import CONSTANT
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.native import pair, run
from metamuse import config
from metamuse.build import make_problem
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load as load_policy

SECONDS = 300
TARGET = 0.1


def visits(node: Visit) -> int:
    """Visits that a visit consists of, itself included."""
    called = [v for phase in node.phases for v in (*phase.calls, *phase.sends)]
    return 1 + sum(map(visits, called))


def mean_visits(app: Application) -> float:
    """Visits of a request, mean over the mix."""
    whole = sum(p for p, _ in app.requests)
    return sum(p * visits(root) for p, root in app.requests) / whole


def times(function: Callable[[], object], n: int) -> list[float]:
    """CPU seconds of so many calls, after one that is not counted."""
    function()
    taken = []
    for _ in range(n):
        began = time.process_time()
        function()
        taken.append(time.process_time() - began)
    return taken


def constant(name: str) -> Load:
    """An application's nominal load."""
    app = APPLICATIONS[name]
    rate = round(CONSTANT[name] * app.scale)
    return Load(f"constant#{name}", app, np.full(SECONDS, rate, dtype=np.int64), 60, 0, 1)


def main() -> None:
    """Print one line an application, then one a baseline."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("applications", nargs="*", default=list(APPLICATIONS))
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    for name in options.applications:
        app = APPLICATIONS[name]
        load = constant(name)
        taken = times(lambda app=app, load=load: run(pair(app, TARGET, TARGET), load), options.times)
        requests = run(pair(app, TARGET, TARGET), load).details["requests"] / (SECONDS - load.ramp_s)
        each = mean_visits(app)
        best = SECONDS / min(taken)
        print(
            f"{name:7} {round(CONSTANT[name] * app.scale):5} users, {requests:6.0f} requests/s of {each:4.1f} visits: {best:6.0f} simulated s per CPU s"
            f" (median {SECONDS / median(taken):.0f}), {best * requests * each / 1e6:.1f} million visits a CPU s",
            flush=True,
        )
    problem = make_problem(config.compose(["problem=autothrottle"]))
    for name, source in problem.baselines.items():
        program = load_policy(source, problem.contract)
        taken = times(
            lambda program=program: problem.bind(CompiledPolicy(program, problem.init_example())), 3
        )
        print(f"compiling {name:14} {min(taken):5.2f} s (median {median(taken):.2f})", flush=True)


if __name__ == "__main__":
    main()
