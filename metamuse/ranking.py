"""Gains over the reference, ranks and intervals: what the leaderboard and the reports say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from metamuse import diversity
from metamuse.state import Entry, RunState
from problems.base import Problem

RESAMPLES = 2000


def gains(problem: Problem, state: RunState, entry: Entry, which: str) -> np.ndarray | None:
    """Percent better than the reference on each workload of a set; None if either was not scored there."""
    reference = state.entries.get(problem.reference)
    if which not in entry.scores or reference is None or which not in reference.scores:
        return None
    pairs = zip(entry.scores[which].values, reference.scores[which].values, strict=True)
    return np.array([problem.gain(float(v), float(r)) for v, r in pairs])


def mean_gain(problem: Problem, state: RunState, entry: Entry, which: str) -> float | None:
    """Mean of :func:`gains`."""
    values = gains(problem, state, entry, which)
    return None if values is None else float(values.mean())


def ranked(
    problem: Problem, state: RunState, entries: Iterable[Entry], which: str = "validation"
) -> list[Entry]:
    """Best first by mean gain on a set, equal ones by id; the unscored are left out."""
    scored = [(mean_gain(problem, state, e, which), e) for e in entries if e.ok]
    return [e for _, e in sorted(((-g, e) for g, e in scored if g is not None), key=_gain_then_id)]


def _gain_then_id(ranked: tuple[float, Entry]) -> tuple[float, str]:
    return ranked[0], in_order(ranked[1].id)


def in_order(id: str) -> str:
    """What ids sort by: solution 9999 before solution 10000."""
    return re.sub(r"\d+", lambda number: number[0].zfill(9), id)


def best(problem: Problem, state: RunState) -> Entry | None:
    """The best contender on the validation set (the hold-out set never selects)."""
    order = ranked(problem, state, state.contenders())
    return order[0] if order else None


def best_baseline(problem: Problem, state: RunState, which: str = "validation") -> Entry | None:
    """The strongest baseline (default, tuned or incumbent; bounds are none) on a set."""
    order = ranked(problem, state, state.rivals(), which)
    return order[0] if order else None


def opponent(problem: Problem, state: RunState) -> Entry | None:
    """What the winner has to be better than: the user's incumbent, if one was scored, else the best baseline."""
    incumbent = next((e for e in state.entries.values() if e.kind == "incumbent" and e.ok), None)
    return incumbent or best_baseline(problem, state)


@dataclass(frozen=True)
class Gap:
    """The way from the reference to the best bound on a set.

    Attributes:
        which: The set.
        reference: Whose values are 0 %.
        bound: Whose values are 100 %.
        maximise: Whether more of the metric is better.
    """

    which: str
    reference: Entry
    bound: Entry
    maximise: bool

    def closed(self, entry: Entry) -> float | None:
        """What an entry closes of it, see :func:`metamuse.diversity.gap_closed`; None if it was not scored there."""
        if self.which not in entry.scores:
            return None
        own, start, end = (e.scores[self.which].values for e in (entry, self.reference, self.bound))
        closed = diversity.gap_closed(own[None], start, end, self.maximise)
        return None if closed is None else float(closed[0])


def gap(problem: Problem, state: RunState, which: str) -> Gap | None:
    """The gap on a set; None without a bound there."""
    reference = state.entries.get(problem.reference)
    bounds = ranked(problem, state, state.bounds(), which)
    if reference is None or not bounds:
        return None
    return Gap(which, reference, bounds[0], problem.metric.maximise)


def gap_closed(problem: Problem, state: RunState, entry: Entry, which: str) -> float | None:
    """Percent of the gap on a set that an entry closes: its usefulness on a scale with an end."""
    found = gap(problem, state, which)
    return None if found is None else found.closed(entry)


def interval(values: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of the mean, resampling workloads.

    Pass differences of two policies on the same workloads for a paired comparison.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0xB007,)))
    picks = rng.integers(0, len(values), size=(RESAMPLES, len(values)))
    means = values[picks].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
