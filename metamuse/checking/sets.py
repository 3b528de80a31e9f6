"""Checks of the workloads: enough, disjoint, the same for the same seed and others for another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import problems.base
from metamuse.checking.finding import Finding, found, not_applicable
from problems.base import SETS, Problem

#: Fewer feedback workloads make too coarse an embedding.
LEAST = 10

Described = Mapping[str, Sequence[Mapping[str, str]]]


def check_sets(problem: Problem, described: Described) -> Iterator[Finding]:
    """All checks of this module, in order.

    Args:
        problem: The problem.
        described: Names and digests of the workloads of each set, as another process loaded them.
    """
    digests = {which: [row["digest"] for row in rows] for which, rows in described.items()}
    yield _count(described)
    yield _disjoint(described)
    yield _same(problem, digests)
    yield _others(problem, digests)


def _count(described: Described) -> Finding:
    counts = {which: len(rows) for which, rows in described.items()}
    faults = [f"there are no {which} workloads" for which, n in counts.items() if n == 0]
    if 0 < counts["feedback"] < LEAST:
        faults.append(f"there are only {counts['feedback']} feedback workloads")
    for which, rows in described.items():
        names = [row["name"] for row in rows]
        twice = sorted({name for name in names if names.count(name) > 1})
        faults += [f"two {which} workloads are named {name}" for name in twice]
    text = (
        f"There are at least {LEAST} feedback workloads, validation and hold-out ones, and names are unique."
    )
    return found("sets.count", text, faults, **counts)


def _disjoint(described: Described) -> Finding:
    owner: dict[str, str] = {}
    faults = []
    # Shifted workloads may be those of the hold-out set in other circumstances.
    for which in SETS:
        for row in described[which]:
            label = f"{which} {row['name']}"
            if row["digest"] in owner:
                faults.append(f"{label} is {owner[row['digest']]}")
            owner.setdefault(row["digest"], label)
    return found(
        "sets.disjoint", "No workload is twice in feedback, validation and hold-out, by its digest.", faults
    )


def _same(problem: Problem, digests: Mapping[str, Sequence[str]]) -> Finding:
    faults = []
    for which in SETS:
        here = _digests(problem, which)
        if here != _digests(problems.base.make(problem.config), which):
            faults.append(f"two problems of one configuration have different {which} workloads")
        if here != digests[which]:
            faults.append(f"another process has different {which} workloads")
    text = "The same configuration gives the same workloads, again and in another process."
    return found("sets.repeat", text, faults)


def _others(problem: Problem, digests: Mapping[str, Sequence[str]]) -> Finding:
    id, text = "sets.seed", "Another workload_seed gives other workloads in every set."
    config = problem.config
    if not isinstance(config.get("workload_seed"), int):
        return not_applicable(id, text, "the configuration has no workload_seed")
    files = [which for which, source in config.get("workloads", {}).items() if source != "synthetic"]
    if files:
        return not_applicable(id, text, f"workloads come from files ({', '.join(files)})")
    reseeded = problems.base.make({**config, "workload_seed": config["workload_seed"] + 1})
    known = {digest for which in SETS for digest in digests[which]}
    faults = []
    for which in SETS:
        same = sum(digest in known for digest in _digests(reseeded, which))
        if same:
            faults.append(f"{same} of {len(digests[which])} {which} workloads stay")
    return found(id, text, faults)


def _digests(problem: Problem, which: str) -> list[Any]:
    return [problem.digest(workload) for workload in problem.workloads(which)]
