"""What a large search costs, by arithmetic on constants that are measured here first.

    python -m benchmarks.search_scale [solutions=10000] [traces=1000] [requests=1e8] [cores=2,64,4096] [lag=32]

Measured, on one core of an idle machine: what a candidate takes before its first request (check, compile, probe), requests a
CPU-second of compiled policies on a trace of ``LENGTH`` requests (baselines; candidates are built from the same parts),
reading a file and making its ids dense, prompts and tokens of a solution (a rehearsed search). The rest is division;
``docs/scale.md`` says what it leaves out.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cache_throughput import write
from evaluators.cache.generators import zipf
from evaluators.cache.readers import read_trace
from evaluators.cache.simulator import Job
from metamuse import config
from metamuse.estimate import estimate
from metamuse.evaluation import setup
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from metamuse.run import Run

LENGTH, OBJECTS, CAPACITY = 4_000_000, 400_000, 40_000
#: CPU-seconds of hub, tracking and steering for a solution: the largest figure of ``benchmarks.soak`` (10,000 solutions).
HUB_SECONDS = 0.031
#: Seconds from asking to answering that a hosted model is taken to need.
CALL_SECONDS = 5.0
#: Dollars a million tokens, in and out: an example, to be multiplied.
PRICE = (1.0, 4.0)
REHEARSED = 200


@dataclass(frozen=True)
class Constants:
    """What was measured.

    Attributes:
        fixed: CPU-seconds of a candidate before its first request.
        rates: Requests a CPU-second by policy.
        reading: CPU-seconds a request of reading and making ids dense.
        calls: Calls of the model for a solution.
        tokens: In and out for a solution: (low, high) each.
    """

    fixed: float
    rates: dict[str, float]
    reading: float
    calls: float
    tokens: tuple[tuple[float, float], tuple[float, float]]

    @property
    def rate(self) -> float:
        """The median policy's requests a CPU-second."""
        return statistics.median(self.rates.values())


def measure() -> Constants:
    """Measure the constants (about a minute)."""
    settings = config.compose(["problem=cache"])
    handler: Any = setup({"problem": settings["problem"], "sets": {"feedback": None}, "warm": True})
    problem = handler.problem
    trace = zipf(np.random.default_rng(7), n_objects=OBJECTS, length=LENGTH, alpha=0.9)
    fixed, rates = [], {}
    for id, source in problem.baselines.items():
        seconds = handler({"op": "evaluate", "source": source, "sets": ["feedback"]})["seconds"]
        fixed.append(sum(seconds[stage] for stage in ("check", "compile", "probe")))
        policy = CompiledPolicy(load(source, problem.contract), problem.init_example())
        loop = problem.bind(policy)
        problem.simulate(policy, loop, problem.probes()[0])  # compiles
        began = time.process_time()
        problem.simulate(policy, loop, Job(trace, CAPACITY))
        rates[id] = LENGTH / (time.process_time() - began)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zipf.oracleGeneral.bin"
        write(path, trace)
        read_trace(path)  # compiles
        began = time.process_time()
        read_trace(path)
        reading = (time.process_time() - began) / LENGTH
    rehearsed = config.compose(
        ["problem=cache", "llm=litellm", "llm.model=openai/gpt-4o", f"solutions={REHEARSED}"]
    )
    figure = estimate(Run(rehearsed, quiet=True))
    calls = statistics.mean(figure["calls"]) / REHEARSED
    tokens = tuple(
        (figure[f"tokens_{way}"][0] / REHEARSED, figure[f"tokens_{way}"][1] / REHEARSED)
        for way in ("in", "out")
    )
    return Constants(statistics.median(fixed), rates, reading, calls, (tokens[0], tokens[1]))


@dataclass(frozen=True)
class Search:
    """A search to be paid for.

    Attributes:
        solutions: Attempts.
        traces: Workloads that each is scored on, feedback and validation together.
        requests: Of a trace.
        lag: Solutions under way at once, at most (``search.lag``).
    """

    solutions: int
    traces: int
    requests: float
    lag: int

    def candidate(self, constants: Constants) -> float:
        """CPU-seconds of one candidate."""
        return constants.fixed + self.traces * self.requests / constants.rate

    def limits(self, constants: Constants, cores: int) -> dict[str, float]:
        """Seconds that each part alone would need; the search takes at least the largest."""
        used = min(cores, self.lag)
        alone = 3 * CALL_SECONDS  # observations at once, then the design, then the code
        return {
            "scoring": self.solutions * self.candidate(constants) / used,
            "the model": self.solutions * alone / self.lag,
            "the hub": self.solutions * HUB_SECONDS,
        }


def human(seconds: float) -> str:
    """A duration in a unit that suits it."""
    for unit, size in (("years", 365 * 86400.0), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def main(arguments: list[str]) -> None:
    given = dict(argument.split("=", 1) for argument in arguments)
    solutions, traces = int(float(given.get("solutions", 10_000))), int(float(given.get("traces", 1_000)))
    requests = float(given.get("requests", 1e8))
    cores = [int(n) for n in given.get("cores", "2,64,4096").split(",")]
    constants = measure()
    slowest, fastest = (
        min(constants.rates, key=constants.rates.__getitem__),
        max(constants.rates, key=constants.rates.__getitem__),
    )
    print(
        f"a candidate before its first request: {constants.fixed:.2f} CPU s (median of {len(constants.rates)} baselines)"
    )
    print(
        f"requests a CPU-second: median {constants.rate / 1e6:.1f} M, least {constants.rates[slowest] / 1e6:.2f} M ({slowest}), "
        f"most {constants.rates[fastest] / 1e6:.1f} M ({fastest})"
    )
    print(f"reading and making ids dense: {1e9 * constants.reading:.1f} CPU ns a request")
    (low_in, high_in), (low_out, high_out) = constants.tokens
    print(
        f"a solution: {constants.calls:.1f} calls, {low_in:,.0f} to {high_in:,.0f} tokens in, {low_out:,.0f} to {high_out:,.0f} out"
    )
    dollars = [
        solutions * (i * PRICE[0] + o * PRICE[1]) / 1e6 for i, o in ((low_in, low_out), (high_in, high_out))
    ]
    print(
        f"{solutions:,} solutions at ${PRICE[0]:g} and ${PRICE[1]:g} a million: ${dollars[0]:,.0f} to ${dollars[1]:,.0f}"
    )
    print(
        f"all traces once, read: {human(traces * requests * constants.reading)} of one core; dense ids: {4 * traces * requests / 1e9:,.0f} GB"
    )
    print(f"\n{'traces':>8}{'requests':>10}{'lag':>7}{'cores':>7}{'candidate':>14}{'search':>14}  limited by")
    for what in (requests, requests / 100):
        for lag in dict.fromkeys((int(given.get("lag", 32)), max(cores))):
            search = Search(solutions, traces, what, lag)
            for n in cores:
                limits = search.limits(constants, n)
                slow = max(limits, key=limits.__getitem__)
                idle = f", {n - lag:,} cores idle" if n > lag and slow == "scoring" else ""
                print(
                    f"{traces:>8,}{what:>10.0e}{lag:>7,}{n:>7,}{human(search.candidate(constants)):>14}"
                    f"{human(limits[slow]):>14}  {slow}{idle}"
                )


if __name__ == "__main__":
    main(sys.argv[1:])
