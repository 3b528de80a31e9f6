"""The suite in order: from the cheapest check to the dearest, and figures at the end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from metamuse.build import limits, make_executor
from metamuse.checking.behaviour import Bench
from metamuse.checking.finding import Finding, found
from metamuse.checking.probes import check_cheats
from metamuse.checking.sets import check_sets
from metamuse.checking.texts import check_texts
from metamuse.executor.base import Executor, ExecutorSetupError, Task
from problems.base import SETS, SHIFTS, Problem

#: Wall seconds for one policy: its compilation and all its workloads.
_POLICY_S = 300.0


async def check(problem: Problem, config: dict[str, Any]) -> AsyncIterator[Finding]:
    """Put a problem through all checks.

    Args:
        problem: The problem.
        config: The whole configuration that it was made from.
    """
    for finding in check_texts(problem):
        yield finding
    began = time.perf_counter()
    executor = make_executor(
        config, {"sets": dict.fromkeys([*SETS, SHIFTS]), "warm": True}, "metamuse.checking.jailed:setup"
    )
    text = "Workloads load, bounds compile and the reference runs, in a process that then scores candidates."
    try:
        try:
            await executor.start()
        except ExecutorSetupError as error:
            yield found("setup", text, [str(error)])
            return
        yield found("setup", text, [], seconds=round(time.perf_counter() - began, 2))
        async for finding in _in_jail(problem, config, executor):
            yield finding
    finally:
        await executor.close()


async def _in_jail(problem: Problem, config: dict[str, Any], executor: Executor) -> AsyncIterator[Finding]:
    limit = limits(config, _POLICY_S)
    described = await executor.run(Task("workloads", {"op": "describe"}, limit))
    if described.result is None:
        yield found("sets", "The workloads can be described.", [": ".join(described.failure or ())])
        return
    workloads = described.result["workloads"]
    for finding in check_sets(problem, workloads):
        yield finding
    sizes = {which: len(rows) for which, rows in workloads.items()}
    if not all(sizes.values()):
        return  # said above; nothing can be scored
    for finding in await Bench(problem, executor, sizes, limit).check():
        yield finding
    for finding in await check_cheats(problem, executor, limit):
        yield finding
    yield await _speed(problem, config, executor, described.result)


async def _speed(
    problem: Problem, config: dict[str, Any], executor: Executor, described: dict[str, Any]
) -> Finding:
    """Figures of the reference, measured while nothing else of this command runs."""
    payload = {"op": "evaluate", "source": problem.baselines[problem.reference], "sets": ["feedback"]}
    outcome = await executor.run(Task("speed", payload, limits(config, _POLICY_S)))
    text = "Speed of the reference on the feedback workloads (reported, not judged)."
    if outcome.result is None:
        return found("speed", text, [": ".join(outcome.failure or ())])
    timings = [row.get("timing", {}) for row in outcome.result["scores"]["feedback"]]
    seconds = outcome.result["seconds"]
    costs = sorted(t["ns_per_decision"] for t in timings if t.get("ns_per_decision"))
    figures = {
        "decisions_per_s": round(1e9 / costs[len(costs) // 2]) if costs else None,
        "compile_s": round(seconds["compile"], 3),
        "probe_s": round(seconds["probe"], 3),
        "score_feedback_s": round(seconds["score_feedback"], 3),
        "load_s": {w: round(s * len(described["workloads"][w]), 3) for w, s in described["read_s"].items()},
    }
    return found("speed", text, [], **figures)
