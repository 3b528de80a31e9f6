"""Scores named policies on named workloads: the commands ``score`` and ``baselines``."""

from __future__ import annotations

import asyncio
from typing import Any

from metamuse.build import limits, make_executor, make_problem, read_policy
from metamuse.errors import UsageError
from metamuse.executor.base import Executor, Outcome, Task
from problems.base import Problem


def policies(problem: Problem, names: str) -> dict[str, str | None]:
    """Sources by name of a comma list of baselines, bounds (None) and files.

    Raises:
        UsageError: A name is none of them.
    """
    out: dict[str, str | None] = {}
    for name in (part.strip() for part in names.split(",") if part.strip()):
        if name in problem.baselines:
            out[name] = problem.baselines[name]
        elif name in problem.bounds:
            out[name] = None
        elif name.endswith(".py") or "/" in name:
            out[name] = read_policy(name)
        else:
            known = ", ".join([*problem.baselines, *problem.bounds])
            raise UsageError(f"There is no policy {name}; name a file or one of {known}.")
    if not out:
        raise UsageError("policy= names no policy.")
    return out


def score(
    config: dict[str, Any], sources: dict[str, str | None], sets: dict[str, str | None]
) -> list[dict[str, Any]]:
    """Score policies (None: a bound) on sets of workloads.

    Returns:
        Rows ``{"policy", "set", "workload", "metric", "value", "status", "message", "details"}``.

    Raises:
        UsageError: The workloads cannot be read.
    """
    return asyncio.run(_score(config, sources, sets))


async def _score(
    config: dict[str, Any], sources: dict[str, str | None], sets: dict[str, str | None]
) -> list[dict[str, Any]]:
    problem = make_problem(config)
    executor = make_executor(config, sets, warm=len(sources) > 3)
    try:
        await executor.start()
        described = await executor.run(Task("workloads", {"op": "describe"}, limits(config, 3600)))
        if described.result is None:
            raise UsageError(f"The workloads cannot be described: {described.failure}")
        workloads = described.result["workloads"]
        for which, items in workloads.items():
            for item in items:
                item["read_s"] = described.result["read_s"][which]
        parts = await asyncio.gather(
            *(_one(config, problem, executor, workloads, n, s) for n, s in sources.items())
        )
    finally:
        await executor.close()
    return [row for part in parts for row in part]


async def _one(
    config: dict[str, Any],
    problem: Problem,
    executor: Executor,
    workloads: dict[str, list[dict[str, Any]]],
    name: str,
    source: str | None,
) -> list[dict[str, Any]]:
    limit = limits(config, float(config["executor"]["trusted_wall_s"]))
    payload: dict[str, Any] = {"op": "evaluate", "source": source, "tolerant": True}
    if source is None:
        payload = {"op": "bound", "bound": name}
    outcome = await executor.run(Task(name, payload | {"sets": list(workloads)}, limit))
    rows: list[dict[str, Any]] = []
    for which, described in workloads.items():
        for i, workload in enumerate(described):
            row = {"policy": name, "set": which, "workload": workload["name"], "metric": problem.metric.name}
            rows.append(row | _cell(outcome, which, i, workload))
    return rows


def _cell(outcome: Outcome, which: str, i: int, workload: dict[str, Any]) -> dict[str, Any]:
    if outcome.result is None:
        assert outcome.failure is not None
        kind, message = outcome.failure
        return {"value": None, "status": kind, "message": message, "details": {}}
    answer = outcome.result["scores"][which][i]
    if "failure" in answer:
        kind, message = answer["failure"]
        return {"value": None, "status": kind, "message": message, "details": {}}
    seconds = outcome.result["seconds"]
    timing = dict(answer.get("timing", {}))
    own = timing.pop("seconds", 0.0)
    preparing = seconds.get("check", 0.0) + seconds.get("compile", 0.0)
    details = {k: int(v) if float(v).is_integer() else v for k, v in answer["details"].items()}
    details |= timing
    details["seconds_total"] = workload.get("read_s", 0.0) + preparing + own
    if "state_bytes" in answer:
        details["state_bytes"] = answer["state_bytes"]
    return {"value": answer["value"], "status": "ok", "message": "", "details": details}
