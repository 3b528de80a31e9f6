"""Node-steps a second of thread CPU time, scoring included, and what a candidate costs to compile.

    python -m benchmarks.sensing_speed [nodes] [days]

A node-step is one node for ten minutes, asleep or awake. First rows: fixed schedules inside the compiled loop, by ticks
between wake-ups. Then baselines, as candidates run. The weather is drawn once a scenario, outside of the figures; its own
rate stands in the last row. The best of ``ROUNDS`` rounds counts, everything compiled before. Compilation is that of
source texts never seen before by the process, after one that warms it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from evaluators.sensing import fixed, simulator
from evaluators.sensing.field import make_field
from evaluators.sensing.scenario import Scenario
from evaluators.sensing.scoring import Task, outcome
from evaluators.sensing.suites import KINDS, made
from metamuse import config
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from problems.base import make

ROUNDS = 5
#: Joules so that nobody dies before the end of a long season.
PLENTY = 1e6


def cpu(run: Callable[[], object]) -> float:
    """CPU seconds, the best of some rounds."""
    run()
    times = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        run()
        times.append(time.thread_time() - began)
    return min(times)


def long_season(rng: np.random.Generator, nodes: int, days: int) -> Scenario:
    """A site on which nobody dies."""
    return made(rng, "speed", KINDS["text-relays"], nodes, days, start=20.0, hardware={"store_j": PLENTY})


def main(arguments: list[str]) -> None:
    nodes = int(arguments[0]) if arguments else 50
    days = int(arguments[1]) if len(arguments) > 1 else 180
    kind = KINDS["text-relays"]
    rng = np.random.default_rng(1)
    scenario = long_season(rng, nodes, days)
    steps = nodes * days * 144
    task = Task(scenario)
    print(
        f"{nodes} nodes, {days} days, {steps / 1e6:.1f} M node-steps; millions a CPU-second, scoring included"
    )
    for probe in (1, 2, 6, 18):
        seconds = cpu(lambda p=probe: outcome(task, fixed.run(task, fixed.Schedule(p, 36, 144))))
        print(f"  fixed, a wake-up every {10 * probe:>3} min {steps / seconds / 1e6:>8.1f}")
    problem = make(config.compose(["problem=sensing"])["problem"])
    measured = simulator.Measured(made(rng, "speed", kind, min(nodes, 12), min(days, 60), start=100.0))
    steps_there = measured.scenario.field.nodes * measured.scenario.field.ticks
    compiled: list[float] = []
    for number, (id, source) in enumerate(problem.baselines.items()):
        began = time.thread_time()
        policy = CompiledPolicy(load(source, problem.contract), problem.init_example())
        loop = problem.bind(policy)
        problem.simulate(policy, loop, measured)
        took = time.thread_time() - began
        seconds = cpu(lambda p=policy, q=loop: problem.simulate(p, q, measured))
        score = problem.simulate(policy, loop, measured)
        if number:
            compiled.append(took - seconds)
        awake = score.details["wakes_a_day"]
        print(
            f"  {id:<22} {awake:>6.1f} wake-ups a day {steps_there / seconds / 1e6:>8.1f}, compiled in {took:.2f} s"
        )
    print(f"compile, check included, median of all but the first: {np.median(compiled):.2f} CPU-seconds")
    seconds = cpu(lambda: make_field(scenario.nodes, kind.climate, days, 20.0, np.random.default_rng(1)))
    print(f"weather and soil: {steps / seconds / 1e6:.1f} M node-steps a CPU-second")


if __name__ == "__main__":
    main(sys.argv[1:])
