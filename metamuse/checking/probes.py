"""Checks that cheating does not pay: every policy of :mod:`metamuse.checking.cheats` is tried in the jail."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from evaluators.base import PolicyError
from metamuse.checking.cheats import Base, Cheat, cheats
from metamuse.checking.finding import Finding, found, not_applicable
from metamuse.executor.base import Executor, Limits, Task
from metamuse.policy.program import load
from problems.base import Problem

#: Wall seconds after which a policy that loops for ever is ended.
LOOP_S = 5.0

_TEXTS = {
    "cheat.none": "The reference scores the same when the suite has rewritten it (or the checks below prove nothing).",
    "cheat.mutate": "A policy that writes into its array arguments fails or gains nothing.",
    "cheat.illegal": "A decision out of range is a failure `illegal`, or gains nothing.",
    "cheat.crash": "A policy that divides by zero or leaves its arrays ends as `crash`.",
    "cheat.endless": "A policy that loops for ever ends as `timeout`.",
    "cheat.memory": "A policy that wants too much memory ends as `memory`.",
    "cheat.remember": "A policy that would carry state from one workload to the next is refused.",
    "cheat.clock": "A policy that wants a clock is refused.",
    "cheat.chance": "A policy that wants randomness of its own is refused.",
    "cheat.files": "A policy that wants files, devices or the network is refused.",
    "cheat.insides": "A policy that reaches for Python's or the simulator's insides is refused.",
}

#: How a cheat went in one mode: a failure class and message, or values on all workloads.
Outcome = tuple[str, str] | list[float]


async def check_cheats(problem: Problem, executor: Executor, limits: Limits) -> list[Finding]:
    """All checks of this module, in order.

    Args:
        problem: The problem.
        executor: Runs :class:`metamuse.checking.jailed.Bench` with the feedback workloads.
        limits: Of one policy that is not meant to loop for ever.
    """
    base = Base(problem.baselines[problem.reference], problem.contract)
    tried = list(cheats(base))
    results = await asyncio.gather(*(_try(problem, executor, limits, cheat) for cheat in tried))
    plain = results[0]
    groups: dict[str, list[tuple[Cheat, dict[str, Outcome]]]] = {group: [] for group in _TEXTS}
    for cheat, result in zip(tried, results, strict=True):
        groups[cheat.group].append((cheat, result))
    return [_finding(problem, group, members, plain) for group, members in groups.items()]


async def _try(problem: Problem, executor: Executor, limits: Limits, cheat: Cheat) -> dict[str, Outcome]:
    try:
        load(cheat.source, problem.contract)  # most are refused here, and nothing of them ever runs
    except PolicyError as error:
        return dict.fromkeys(cheat.modes, (error.kind, error.message))
    if cheat.limited:
        limits = Limits(LOOP_S, LOOP_S, limits.memory_mb)
    payload = {"op": "modes", "source": cheat.source, "modes": list(cheat.modes)}
    outcome = await executor.run(Task(cheat.label, payload, limits))
    if outcome.failure is not None:
        return dict.fromkeys(cheat.modes, outcome.failure)
    assert outcome.result is not None
    return {mode: _outcome(outcome.result[mode]) for mode in cheat.modes}


def _outcome(results: Sequence[Mapping[str, Any]]) -> Outcome:
    """The first failure, or all values."""
    for result in results:
        if "failure" in result:
            kind, message = result["failure"]
            return kind, message
    return [float(result["value"]) for result in results]


def _finding(
    problem: Problem,
    group: str,
    members: Sequence[tuple[Cheat, dict[str, Outcome]]],
    plain: dict[str, Outcome],
) -> Finding:
    text = _TEXTS[group]
    if not members:
        why = {"cheat.mutate": "no method is given an array"}.get(group, "no method decides by a number")
        return not_applicable(group, text, why)
    exact = group == "cheat.none"
    judged = {cheat.label: list(_judged(problem, cheat, result, plain, exact)) for cheat, result in members}
    faults = [f"{label}: {fault}" for label, rows in judged.items() for fault, _ in rows if fault]
    seen = {label: " / ".join(dict.fromkeys(word for _, word in rows)) for label, rows in judged.items()}
    return found(group, text, faults, tried=len(members), outcomes=seen)


def _judged(
    problem: Problem, cheat: Cheat, result: dict[str, Outcome], plain: dict[str, Outcome], exact: bool
) -> Iterator[tuple[str, str]]:
    """What is wrong ("" if nothing) and the outcome in a word, by mode."""
    for mode, outcome in result.items():
        reference = plain[mode]
        if isinstance(outcome, tuple):
            kind, message = outcome
            yield "" if kind in cheat.ends else f"{mode}, it ended as {kind}: {message}", kind
        elif not cheat.may_pass:
            yield f"{mode}, it ran to the end", "ran"
        elif isinstance(reference, tuple):
            yield f"{mode}, the reference itself fails: {reference[1]}", "ran"
        elif outcome == reference:
            yield "", "same score"
        elif exact:
            yield f"{mode}, it scores otherwise", "other score"
        else:
            gain = _gain(problem, outcome, reference)
            yield (f"{mode}, it gains {gain:.2f} %" if gain > 0 else ""), "no gain" if gain <= 0 else "gains"


def _gain(problem: Problem, values: Sequence[float], reference: Sequence[float]) -> float:
    """Mean gain in percent; of a cheat that reached infinity or NaN it is infinite."""
    gain = float(np.mean(list(itertools.starmap(problem.gain, zip(values, reference, strict=True)))))
    return gain if np.isfinite(gain) else float("inf")
