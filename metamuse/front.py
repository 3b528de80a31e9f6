"""What a policy costs beside what it gains: time, work and memory, and who is beaten by nobody."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from metamuse import ranking
from metamuse.state import Entry, RunState
from problems.base import Problem


@dataclass(frozen=True)
class Cost:
    """One policy on one set of workloads.

    Attributes:
        entry: The policy.
        gain: Mean gain over the reference, percent.
        ns: Nanoseconds a decision, median over the workloads (bounds-checked machine code of this machine).
        work: Most loop iterations and calls in one call of the policy, None if they were not counted.
        state: Most bytes kept.
        each: Bytes kept for each of what the problem holds (an object, a bin), median; None if it names nothing.
    """

    entry: Entry
    gain: float
    ns: float
    work: int | None
    state: int
    each: float | None

    @property
    def _axes(self) -> tuple[float, ...]:
        work = math.inf if self.work is None else float(self.work)
        return (-self.gain, self.ns, float(self.state), work)

    def beats(self, other: Cost) -> bool:
        """Whether it gains as much at no more cost of any kind, and is better in one of them."""
        pairs = list(zip(self._axes, other._axes, strict=True))
        return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def costs(problem: Problem, state: RunState, entries: Iterable[Entry], which: str) -> list[Cost]:
    """Costs of the policies that were scored on a set, best gain first; a tuned policy works as its original."""
    found = []
    for entry in ranking.ranked(problem, state, entries, which):
        gain = ranking.mean_gain(problem, state, entry, which)
        scores = entry.scores[which]
        ns = [t["ns_per_decision"] for t in scores.timing if "ns_per_decision" in t]
        if gain is None or not ns or entry.state_bytes is None:
            continue
        work = (state.entry(entry.of) if entry.of else entry).work
        each = None
        if problem.holds is not None:
            _, detail = problem.holds
            kept = [b / d[detail] for b, d in zip(scores.state_bytes, scores.details, strict=True) if b]
            each = float(np.median(kept)) if kept else None
        found.append(
            Cost(
                entry,
                gain,
                float(np.median(ns)),
                None if work is None else int(work["max"]),
                entry.state_bytes,
                each,
            )
        )
    return found


def front(found: Iterable[Cost]) -> list[Cost]:
    """The policies that no other one beats: the Pareto front."""
    listed = list(found)
    return [cost for cost in listed if not any(other.beats(cost) for other in listed)]
