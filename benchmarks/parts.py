"""The parts of ``python -m benchmarks``: each measures one thing in a process of its own and returns plain figures."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from metamuse import config, journal

ROOT = Path(__file__).parents[1]


def cache(short: bool) -> list[dict[str, Any]]:
    """See :mod:`benchmarks.cache_engines`."""
    from benchmarks.cache_engines import figures

    return figures(200_000, 20_000, 1) if short else figures(10_000_000, 1_000_000)


def binpacking(short: bool) -> dict[str, Any]:
    """Items a CPU second of rules by the policy kit, and of a rule that scans all open bins beside two stand-ins."""
    from benchmarks import binpacking_throughput as b
    from evaluators.binpacking.generators import weibull

    many = weibull(np.random.default_rng(77), n=50_000 if short else b.MANY)
    few = weibull(np.random.default_rng(77), n=1_000 if short else b.FEW)
    warm = weibull(np.random.default_rng(1), n=500)
    found: dict[str, Any] = {"items": len(many.items), "scan_items": len(few.items), "rules": {}}
    for id in ("first_fit", "best_fit", "sum_of_squares"):
        pack = b.compiled((b._BASELINES / f"{id}.py").read_text())
        pack(warm)
        found["rules"][id] = b.measure(pack, many)[0]
    pack = b.compiled(b.SCAN)
    pack(warm)
    found["scan"], bins = b.measure(pack, few, rounds=11)
    for name, stand_in in (("lists", b.lists), ("numpy", b.bin_for_every_item)):
        found[name], theirs = b.measure(stand_in, few, rounds=1)
        assert theirs == bins, (name, theirs, bins)
    return found


def simulators(short: bool) -> dict[str, Any]:
    """One rate of each physics simulator, its compiled reference policy in it; the benchmarks named have more."""
    from benchmarks import autothrottle_speed, sensing_speed
    from evaluators.autothrottle.applications import APPLICATIONS
    from evaluators.autothrottle.native import pair, run
    from evaluators.dex.cell import Cell
    from evaluators.sensing import fixed
    from evaluators.sensing.scoring import Task, outcome
    from metamuse.build import make_problem
    from metamuse.policy.compiled import CompiledPolicy
    from metamuse.policy.program import load

    found: dict[str, Any] = {}

    problem = make_problem(config.compose(["problem=dex"]))
    policy = CompiledPolicy(load(problem.baselines["dex"], problem.contract), problem.init_example())
    loop = problem.bind(policy)
    problem.simulate(policy, loop, problem.probes()[0])
    operations = 100_000 if short else 1_500_000
    cell = Cell("full", cache_mb=256.0, ops=operations, warm=operations * 6 // 10)
    found["dex_operations_per_cpu_s"] = problem.simulate(policy, loop, cell).timing["operations_per_cpu_s"]

    name = "hotel"
    app = APPLICATIONS[name]
    load_of = autothrottle_speed.constant(name)
    target = autothrottle_speed.TARGET
    taken = autothrottle_speed.times(lambda: run(pair(app, target, target), load_of), 1 if short else 5)
    found["autothrottle_simulated_s_per_cpu_s"] = autothrottle_speed.SECONDS / min(taken)

    problem = make_problem(config.compose(["problem=opscale"]))
    policy = CompiledPolicy(
        load(problem.baselines[problem.reference], problem.contract), problem.init_example()
    )
    loop = problem.bind(policy)
    scenarios = list(problem.workloads("feedback"))[: 1 if short else 6]
    problem.simulate(policy, loop, scenarios[0])
    began = time.thread_time()
    for scenario in scenarios:
        problem.simulate(policy, loop, scenario)
    requests = sum(len(scenario.arrivals) for scenario in scenarios)
    found["opscale_requests_per_cpu_s"] = requests / (time.thread_time() - began)

    nodes, days = (10, 20) if short else (50, 180)
    scenario = sensing_speed.long_season(np.random.default_rng(1), nodes, days)
    task = Task(scenario)
    seconds = sensing_speed.cpu(lambda: outcome(task, fixed.run(task, fixed.Schedule(2, 36, 144))))
    found["sensing_node_steps_per_cpu_s"] = nodes * days * 144 / seconds
    return found


def candidate(short: bool) -> dict[str, Any]:
    """CPU seconds of check, compile, probe and score of the baselines on the 30 feedback traces, warm."""
    from benchmarks.candidate_cost import costs

    found = costs(["problem=cache"], ["lru", "sieve", "arc"] if short else None)
    totals = sorted(row["cpu_s"] for row in found["baselines"].values())
    return found | {"median_cpu_s": statistics.median(totals), "largest_cpu_s": totals[-1]}


_FIRST = """
import time
began = time.time()
from metamuse import config
from metamuse.evaluation import setup
settings = config.compose(["problem=cache"])
handler = setup({"problem": settings["problem"], "sets": {"feedback": None}, "warm": True})
handler({"op": "evaluate", "source": handler.problem.baselines["sieve"], "sets": ["feedback"]})
print(time.time() - began, time.process_time())
"""


def start(short: bool) -> dict[str, Any]:
    """Wall and CPU seconds of ``--help``, and until the first candidate is scored: with no cached machine code, and with."""
    found: dict[str, Any] = {}
    best: tuple[float, float] = (np.inf, np.inf)
    for _ in range(1 if short else 5):
        best = min(best, _child(["-m", "metamuse", "--help"])[:2])
    found["help_wall_s"], found["help_cpu_s"] = best
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first_ever", "first"):
            wall, cpu, _ = _child(["-c", _FIRST], NUMBA_CACHE_DIR=folder)
            found[f"{name}_candidate_wall_s"], found[f"{name}_candidate_cpu_s"] = wall, cpu
    return found


def _child(arguments: list[str], **environment: str) -> tuple[float, float, str]:
    """(Wall seconds, CPU seconds, output) of a Python process."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    before = os.times()
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, env=env, cwd=ROOT
    )
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, done.stdout


def hub(short: bool) -> dict[str, Any]:
    """CPU milliseconds of the hub a solution, by number of solutions, scoring stubbed; bytes it leaves of each."""
    from benchmarks.soak import Soak

    solutions = 60 if short else 1000
    with tempfile.TemporaryDirectory() as folder:
        figures = Soak(Path(folder), solutions, solutions // 4, real=False)(0)
    windows = [s for s in figures["samples"] if s.get("event") != "first"]
    sizes = figures["sizes_mb"]
    return {
        "solutions": solutions,
        "cpu_ms": {str(s["solutions"]): round(sum(s["cpu_ms"].values()), 2) for s in windows},
        "mlflow_ms": windows[-1]["cpu_ms"]["mlflow"],
        "rss_mb": windows[-1]["rss_mb"],
        "kb_a_solution": {
            name: round(1024 * sizes[name] / solutions, 2)
            for name in ("journal.jsonl", "completions.jsonl", "solutions/", "mlflow.db")
        },
    }


def stimuli(short: bool) -> list[dict[str, Any]]:
    """See :mod:`benchmarks.stimuli_scaling`."""
    from benchmarks.stimuli_scaling import selections

    return selections((100, 1000) if short else (100, 1000, 10_000))


def workers(short: bool) -> dict[str, Any]:
    """Wall seconds by workers: ``score`` for one policy on a set of long traces, and the solutions of a search."""
    from metamuse.scoring import score

    requests, traces = (100_000, 4) if short else (5_000_000, 8)
    most = max(2, os.cpu_count() or 2)
    counts = (1, 2) if most == 2 else (1, 2, most)
    found: dict[str, Any] = {
        "policy": "lhd",
        "requests": requests,
        "traces": traces,
        "score_s": {},
        "search_s": {},
    }
    policy = (ROOT / "problems" / "cache" / "baselines" / "lhd.py").read_text()
    with tempfile.TemporaryDirectory() as folder:
        for i in range(traces):
            ranks = np.random.default_rng(i).random(requests) ** 4 * 1e6
            np.save(Path(folder) / f"{i}.npy", ranks.astype(np.int32))
        spool = [f"problem.spool={folder}/spool", "problem=cache"]
        values = []
        for count in (1, *counts):  # the first one fills the spool
            settings = config.compose([*spool, f"executor.workers={count}"])
            began = time.perf_counter()
            rows = score(settings, {"lhd": policy}, {"given": f"{folder}/*.npy"})
            found["score_s"][str(count)] = time.perf_counter() - began
            values.append([row["value"] for row in rows])
        assert all(other == values[0] for other in values)
    found["solutions"] = 4 if short else 64
    for count in counts:
        found["search_s"][str(count)] = _searched(found["solutions"], count)
    return found


def _searched(solutions: int, workers: int) -> float:
    """Wall seconds from the first to the last solution of the offline composer."""
    small = (
        "problem.baselines=lru search.finalists=1 search.tune_trials=1 search.simplify_trials=0 tracking=none"
    )
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "metamuse", "problem=cache", *small.split(), f"root={folder}"]
        _child([*command, f"solutions={solutions}", f"executor.workers={workers}"])
        (run,) = Path(folder).glob("cache/r*")
        at = [event["at"] for event in journal.read(run / "journal.jsonl") if event["event"] == "solution"]
    return float(max(at) - min(at))


PARTS: dict[str, Callable[[bool], Any]] = {
    part.__name__: part for part in (cache, binpacking, simulators, candidate, start, hub, stimuli, workers)
}
