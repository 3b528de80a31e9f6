"""Scores named policies on named workloads: the commands ``score`` and ``baselines``."""

from __future__ import annotations

import asyncio
import base64
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metamuse import config as settings_of
from metamuse.build import limits, make_executor, make_problem, read_policy
from metamuse.errors import UsageError
from metamuse.executor.base import Executor, Outcome, Task
from metamuse.state import most_work
from metamuse.study import metering, take_tuned, tuning
from problems.base import Problem

#: Seconds of simulation for which it is worth to compile a policy once more, in another process.
PART_SECONDS = 0.5
#: Bytes of the largest file that a policy's process may have written.
_LARGEST = 1 << 30


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
    config: dict[str, Any],
    sources: dict[str, str | None],
    sets: dict[str, str | None],
    study: bool = False,
    out: Path | None = None,
) -> list[dict[str, Any]]:
    """Score policies (None: a bound) on sets of workloads.

    Args:
        config: The resolved configuration.
        sources: Texts of policies by name.
        sets: Sets of workloads, or ``{"given": patterns}``.
        study: Also count the work of calls, and tune marked constants on the validation workloads; a tuned
            policy has rows of its own, named ``<name>-tuned``.
        out: Folder for what policies did, a folder in it for each workload and policy; such rows then also have
            ``files`` (paths) and ``lines`` (the same in short).

    Returns:
        Rows ``{"policy", "set", "workload", "metric", "value", "status", "message", "details"}``.

    Raises:
        UsageError: The workloads cannot be read.
    """
    return asyncio.run(_score(config, sources, sets, study, out))


async def _score(
    config: dict[str, Any],
    sources: dict[str, str | None],
    sets: dict[str, str | None],
    study: bool,
    out: Path | None,
) -> list[dict[str, Any]]:
    problem = make_problem(config)
    executor = make_executor(config, {"sets": sets, "warm": len(sources) > 3})
    try:
        await executor.start()
        described = await executor.run(Task("workloads", {"op": "describe"}, limits(config, 3600)))
        if described.result is None:
            raise UsageError(f"The workloads cannot be described: {described.failure}")
        workloads = described.result["workloads"]
        for which, items in workloads.items():
            for item in items:
                item["read_s"] = described.result["read_s"][which]
        free = executor.workers // len(sources)
        bench = _Bench(config, problem, executor, workloads, spread(described.result["seconds"], free))
        parts = await asyncio.gather(*(bench.score(n, s) for n, s in sources.items()))
        if study:
            scored = dict(zip(sources, parts, strict=True))
            parts += await asyncio.gather(*(bench.study(n, s, scored) for n, s in sources.items() if s))
        if out is not None:
            for rows, (name, source) in zip(parts, sources.items(), strict=False):
                if source is not None:
                    await bench.results(name, source, rows, out)
    finally:
        await executor.close()
    return [row for part in parts for row in part]


class _Bench:
    """Scores policies in one executor.

    Args:
        config: The resolved configuration.
        problem: What they are policies for.
        executor: Where they run.
        workloads: What it said of its workloads, by set.
        parts: Numbers of workloads by set that are scored in one process each (:func:`spread`).
    """

    def __init__(
        self,
        config: dict[str, Any],
        problem: Problem,
        executor: Executor,
        workloads: dict[str, list[dict[str, Any]]],
        parts: list[dict[str, list[int]]],
    ) -> None:
        self.problem = problem
        self.executor = executor
        self.workloads = workloads
        self.parts = parts
        self.limits = limits(config, float(config["executor"]["trusted_wall_s"]))
        self.trials = settings_of.whole(config, "search.tune_trials", 0)
        self.seed = settings_of.whole(config, "seed", 0)

    async def run(self, name: str, payload: dict[str, Any]) -> Outcome:
        return await self.executor.run(Task(name, payload, self.limits))

    async def score(self, name: str, source: str | None) -> list[dict[str, Any]]:
        """One row a workload."""
        payload: dict[str, Any] = {"op": "evaluate", "source": source, "tolerant": True}
        if source is None:
            payload = {"op": "bound", "bound": name}
        outcomes = await asyncio.gather(
            *(self.run(name, payload | {"sets": list(part), "only": part}) for part in self.parts)
        )
        metric = self.problem.metric.name
        made = {}
        for part, outcome in zip(self.parts, outcomes, strict=True):
            for which, numbers in part.items():
                for place, number in enumerate(numbers):
                    workload = self.workloads[which][number]
                    made[which, number] = {
                        "policy": name, "set": which, "workload": workload["name"], "metric": metric,
                    } | _cell(self.problem, outcome, which, place, workload)  # fmt: skip
        # In the order of the workloads, however they were spread.
        return [made[which, number] for which, all_ in self.workloads.items() for number in range(len(all_))]

    async def results(self, name: str, source: str, rows: list[dict[str, Any]], out: Path) -> None:
        """Write what a policy did on the workloads that it could be scored on, and say in its rows where that is."""
        for number, row in enumerate(rows):  # rows of a policy stand in the order of its workloads
            if row["status"] != "ok":
                continue
            task = {"op": "results", "source": source, "set": row["set"], "number": number}
            outcome = await self.run(f"{name}.results", task)
            if outcome.result is None:
                assert outcome.failure is not None
                row["message"] = f"no results: {outcome.failure[1]}"
                continue
            folder = out / plain(row["workload"]) / plain(name)
            row["files"] = write(outcome.result["files"], folder)
            row["lines"] = [str(line) for line in outcome.result["lines"]]

    async def study(
        self, name: str, source: str, scored: dict[str, list[dict[str, Any]]]
    ) -> list[dict[str, Any]]:
        """Put the work of calls into a policy's rows; rows of its tuned form."""
        if any(row["status"] != "ok" for row in scored[name]):
            return []
        reference = [r["value"] for r in scored[self.problem.reference] if r["set"] == "validation"]
        known = self.trials and None not in reference
        payload = metering(source) | (tuning(reference, self.trials, self.seed) if known else {})
        outcome = await self.run(f"{name}.tune", payload)
        tuned = (take_tuned(outcome) or {}).get("result")
        rows = []
        if tuned is not None:
            rows = await self.score(f"{name}-tuned", tuned["source"])
            for row in rows:
                row["details"]["constants"] = tuned["values"]
        work = None if outcome.result is None else most_work(outcome.result["scores"]["validation"])
        for row in [*scored[name], *rows]:
            row["details"]["work"] = work
        return rows


def spread(seconds: Mapping[str, Sequence[float]], free: int) -> list[dict[str, list[int]]]:
    """Divide workloads into parts that processes score at the same time, as even as the longest allow.

    Args:
        seconds: About how long each workload takes, by set.
        free: Processes that may work at once.

    Returns:
        Numbers of workloads by set, for each part: as many parts as are worth it, at least one; each workload is in
        one of them, the numbers of a part in ascending order.
    """
    every = [(taken, which, number) for which, all_ in seconds.items() for number, taken in enumerate(all_)]
    worth = int(sum(taken for taken, _, _ in every) / PART_SECONDS)
    count = max(1, min(free, len(every), worth))
    loads = [0.0] * count
    parts: list[dict[str, list[int]]] = [{which: [] for which in seconds} for _ in range(count)]
    for taken, which, number in sorted(every, key=lambda entry: -entry[0]):
        place = loads.index(min(loads))
        loads[place] += taken
        parts[place][which].append(number)
    return [{which: sorted(numbers) for which, numbers in part.items()} for part in parts]


def plain(name: str) -> str:
    """A name as that of a folder: letters, digits, dots, dashes and underlines."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "x"


def write(packed: Mapping[str, str], folder: Path) -> list[str]:
    """Write files that a policy's process made; it is not trusted with their names and sizes.

    Args:
        packed: Contents by name, deflated, in base 64.
        folder: Where to.

    Returns:
        Their paths.

    Raises:
        UsageError: They cannot be written.
    """
    paths = []
    try:
        for name, text in packed.items():
            if not re.fullmatch(r"[a-z0-9_]+\.[a-z0-9]+", name):
                raise UsageError(
                    f"A policy's process wants to write a file {name!r}, which is no plain name."
                )
            inflate = zlib.decompressobj()
            data = inflate.decompress(base64.b64decode(text), _LARGEST)
            if inflate.unconsumed_tail:
                raise UsageError(f"{name} of a policy's process is larger than {_LARGEST >> 20} MB.")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
            paths.append(str(folder / name))
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror or error}.") from None
    return paths


def _cell(problem: Problem, outcome: Outcome, which: str, i: int, workload: dict[str, Any]) -> dict[str, Any]:
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
        if problem.holds is not None:
            what, counted = problem.holds
            details[f"state_bytes_per_{what}"] = answer["state_bytes"] / answer["details"][counted]
    return {"value": answer["value"], "status": "ok", "message": "", "details": details}
